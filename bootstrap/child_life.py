"""What all children of ours have in common: they never outlive us, and know nothing of how systemd watches us."""

import fcntl
import os
import signal

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
