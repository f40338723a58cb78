"""Not to outlive one's supervisor for long, whatever hangs."""

import fcntl
import os
import select
import signal

END_S = 4.5  # for an end; one in order takes less


def die_with(supervisor: int) -> int:
    """Have the kernel tell us of the supervisor's end, so that even a hook that hangs does not outlive it for long.

    Returns a descriptor to be kept open: whom to tell is kept with it, so it must not be the one all sensors share.
    """
    own = os.open(f"/proc/self/fd/{supervisor}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGIO, _end_soon)
    fcntl.fcntl(own, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(own, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC)
    if select.select([own], [], [], 0)[0]:  # it ended before it could be told
        _end_soon()
    return own


def _end_soon(*_: object) -> None:
    """Whatever hangs. Once: each sibling that lets go of the pipe would begin the time anew."""
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, END_S)
