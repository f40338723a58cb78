"""Ending a process soon after its supervisor dies, even if it hangs."""

import fcntl
import os
import select
import signal
from contextlib import suppress
from functools import partial

END_S = 4.5  # until the process is killed, in seconds; an orderly stop takes less


def die_with(supervisor: int) -> int:
    """Have the kernel signal the supervisor's end, so that even a hook that hangs does not outlive it for long.

    The signal is SIGCONT, because that also wakes a process that was suspended. `supervisor` is the read end of a pipe
    whose other end the supervisor holds. Returns a descriptor to keep open: a new one, because the process to signal is
    stored with it, and all sensors share `supervisor`.
    """
    own = os.open(f"/proc/self/fd/{supervisor}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCONT, partial(_end_soon, own))
    fcntl.fcntl(own, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(own, fcntl.F_SETSIG, signal.SIGCONT)
    fcntl.fcntl(own, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC)
    _end_soon(own)  # the supervisor may have ended before the signal was set up
    return own


def _end_soon(own: int, *_: object) -> None:
    """Set the timer that kills the process, if the supervisor has ended and not only somebody has sent SIGCONT.

    Only once: each sibling that closes the pipe would restart it.
    """
    with suppress(OSError):  # `own` is closed at the end of a process
        if select.select([own], [], [], 0)[0]:
            signal.signal(signal.SIGCONT, signal.SIG_IGN)
            signal.setitimer(signal.ITIMER_REAL, END_S)
