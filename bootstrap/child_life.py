"""What all children of ours have in common: they never outlive us, and know nothing of how systemd watches us."""

import fcntl
import os
import signal

LAST_WORDS = 400  # bytes of its standard error that are kept
OURS = (
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "CREDENTIALS_DIRECTORY",
)  # variables that a child must not use


def killed_with_us(child: int, lifeline: int) -> None:
    """Have the kernel kill the child's process group when the other end of `lifeline` is closed, by our death, too.

    The child has inherited `lifeline`, which keeps this alive, and need not know of it.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -child)
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, os.O_ASYNC)


def signal_name(number: int) -> str:
    """Return the name of a signal, such as SIGKILL."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def last_line(words: bytes) -> str:
    """Return the last line of what a child has said that is not empty; empty text if there is none."""
    lines = [line.strip() for line in words.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""


def ending(code: int, why: str = "") -> str:
    """Return how a child has ended, by its exit code or the negative number of a signal, and why if it said that."""
    how = f"ended with exit code {code}" if code >= 0 else f"was killed by {signal_name(-code)}"
    return f"{how}: {why}" if why else how
