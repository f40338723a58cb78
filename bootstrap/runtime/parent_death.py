"""Ending a process soon after its supervisor dies, even if it hangs."""

import fcntl
import os
import select
import signal

END_S = 4.5  # until the process is killed, in seconds; an orderly stop takes less


def die_with(supervisor: int) -> int:
    """Have the kernel signal the supervisor's end, so that even a hook that hangs does not outlive it for long.

    `supervisor` is the read end of a pipe whose other end the supervisor holds. Returns a descriptor to keep open: a
    new one, because the process to signal is stored with it, and all sensors share `supervisor`.
    """
    own = os.open(f"/proc/self/fd/{supervisor}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGIO, _end_soon)
    fcntl.fcntl(own, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(own, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC)
    if select.select([own], [], [], 0)[0]:  # the supervisor ended before the signal was set up
        _end_soon()
    return own


def _end_soon(*_: object) -> None:
    """Set the timer that kills the process. Only once: each sibling that closes the pipe would restart it."""
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, END_S)
