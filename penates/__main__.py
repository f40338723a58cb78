"""The entry point of the operator's command `penates`."""

import os
import sys

from bootstrap.config.toml_file import SettingsError
from bootstrap.errors import NOT_DONE, Exit, Fatal
from bootstrap.supervisor.control_socket import Unavailable
from penates.cli import ALIASES, COMMANDS, parser

INTERRUPTED = 130  # a shell's exit code for Ctrl-C


def main(argv: list[str] | None = None) -> int:
    """Run one sub-command and return its exit code. Only its module is loaded, so a sensor's process stays small."""
    _open_missing_streams()
    arguments = sys.argv[1:] if argv is None else argv
    arguments = [*(ALIASES.get(name, name) for name in arguments[:1]), *arguments[1:]]
    known = [name for name in arguments[:1] if name in COMMANDS]
    given = parser(known or COMMANDS).parse_args(arguments)
    try:
        return int(given.main(given))
    except KeyboardInterrupt:
        return INTERRUPTED
    except SettingsError as error:
        print(error, file=sys.stderr)
        return Exit.SETTINGS
    except Unavailable as error:
        print(f"penates {arguments[0]}: {error}", file=sys.stderr)
        return NOT_DONE
    except Fatal as error:
        print(f"penates {arguments[0]}: {error}", file=sys.stderr)
        return error.code


def _open_missing_streams() -> None:
    """Open closed standard streams on /dev/null; otherwise a file of ours would get such a number and be written to."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", closefd=False))


if __name__ == "__main__":
    sys.exit(main())
