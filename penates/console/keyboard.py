"""Single keys of the terminal, as they are pressed."""

import contextlib
import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator


@contextlib.contextmanager
def keys() -> Iterator[int]:
    """Yield a descriptor that is readable when a key is pressed; without a keyboard, never."""
    if not sys.stdin.isatty():
        never, writer = os.pipe()
        yield never
        os.close(never)
        os.close(writer)
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    # After a stop (Ctrl-Z) the shell has reset it.
    handler = signal.signal(signal.SIGCONT, lambda *_: tty.setcbreak(descriptor))
    try:
        yield descriptor
    finally:
        signal.signal(signal.SIGCONT, handler)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def pressed(keyboard: int) -> str:
    """Return the key that was pressed last, as a small letter; empty if there was none."""
    ready, _, _ = select.select([keyboard], [], [], 0)
    return os.read(keyboard, 1).decode(errors="replace").lower() if ready else ""
