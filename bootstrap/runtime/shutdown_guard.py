"""Reporting and ending a process whose shutdown hangs."""

import faulthandler
import os
import threading

from bootstrap.errors import Exit
from bootstrap.eventloop.threads import Sockets
from bootstrap.logs import log

HUNG_S = 5.0


class ShutdownGuard:
    """Ends the process if releasing its resources takes too long.

    Before that it prints every thread's stack and each open ZeroMQ socket with the line that created it.
    """

    def __init__(self, sockets: Sockets, limit_s: float = HUNG_S) -> None:
        self._sockets, self._limit_s = sockets, limit_s
        self._timer: threading.Timer | None = None

    def arm(self) -> None:
        """Start the timer, or start it again: the release of what comes next must end within the limit."""
        self.disarm()
        self._timer = threading.Timer(self._limit_s, self._hung)
        self._timer.daemon = True
        self._timer.start()

    def disarm(self) -> None:
        """Cancel the timer: the release has ended."""
        if self._timer is not None:
            self._timer.cancel()

    def _hung(self) -> None:
        log.error("the shutdown hangs; ended by force", sockets_made_at=self._sockets.lingering(), exit=int(Exit.BUG))
        faulthandler.dump_traceback(all_threads=True)
        os._exit(Exit.BUG)
