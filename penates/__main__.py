"""`penates`: the operator's command."""

import sys

from bootstrap.control import Unavailable
from bootstrap.errors import Exit, Fatal
from bootstrap.settings import SettingsError
from penates.commands import COMMANDS, parser

NOT_WELL = 1
INTERRUPTED = 130  # as shells say of Ctrl-C


def main(argv: list[str] | None = None) -> int:
    """Run one sub-command; returns its exit code. Only its own module is loaded: a sensor's process stays small."""
    words = sys.argv[1:] if argv is None else argv
    known = [word for word in words[:1] if word in COMMANDS]
    given = parser(known or COMMANDS).parse_args(words)
    try:
        return int(given.main(given))
    except KeyboardInterrupt:
        return INTERRUPTED
    except SettingsError as error:
        print(error, file=sys.stderr)
        return Exit.SETTINGS
    except Unavailable as error:
        print(f"penates {words[0]}: {error}", file=sys.stderr)
        return NOT_WELL
    except Fatal as error:
        print(f"penates {words[0]}: {error}", file=sys.stderr)
        return error.code


if __name__ == "__main__":
    sys.exit(main())
