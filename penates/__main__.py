"""The entry point of the operator's command `penates`."""

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130  # a shell's exit code for Ctrl-C


def main(argv: list[str] | None = None) -> int:
    """Run one sub-command and return its exit code.

    As a program (without `argv`), Ctrl-C ends it at any moment without a traceback: while modules are loaded and while
    Python ends it does so at once, and in between it raises KeyboardInterrupt.
    """
    program = argv is None and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if program:
        signal.signal(signal.SIGINT, _leave)
    from penates.cli import carry_out, parsed  # noqa: PLC0415 - once Ctrl-C is harmless

    _open_missing_streams()
    given = parsed(sys.argv[1:] if argv is None else argv)
    try:
        if program:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return carry_out(given)
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        if program:
            signal.signal(signal.SIGINT, _leave)


def _leave(_number: int, _frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)


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
