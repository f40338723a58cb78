"""`penates`: the operator's command."""

import os
import sys

from bootstrap.config.toml_file import SettingsError
from bootstrap.errors import NOT_DONE, Exit, Fatal
from bootstrap.supervisor.control_socket import Unavailable
from penates.cli import ALIASES, COMMANDS, parser

INTERRUPTED = 130  # as shells say of Ctrl-C


def main(argv: list[str] | None = None) -> int:
    """Run one sub-command; returns its exit code. Only its own module is loaded: a sensor's process stays small."""
    _have_streams()
    words = sys.argv[1:] if argv is None else argv
    words = [*(ALIASES.get(word, word) for word in words[:1]), *words[1:]]
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
        return NOT_DONE
    except Fatal as error:
        print(f"penates {words[0]}: {error}", file=sys.stderr)
        return error.code


def _have_streams() -> None:
    """Where whoever started us closed one, a file of ours would get its number, and be written to."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nothing = os.open(os.devnull, os.O_RDWR)
            if nothing != number:
                os.dup2(nothing, number)
                os.close(nothing)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", closefd=False))


if __name__ == "__main__":
    sys.exit(main())
