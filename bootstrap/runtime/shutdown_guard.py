"""The end of a process must not hang in silence."""

import faulthandler
import os
import threading

from bootstrap.errors import Exit
from bootstrap.eventloop.threads import Sockets
from bootstrap.logs import log

HUNG_S = 5.0


class ShutdownGuard:
    """Watches the release of everything, which is over in no time unless something hangs.

    Then it prints every thread's stack and each open ZeroMQ socket with the line that made it, and ends the process.
    """

    def __init__(self, sockets: Sockets, limit_s: float = HUNG_S) -> None:
        self._sockets, self._limit_s = sockets, limit_s
        self._timer: threading.Timer | None = None

    def arm(self) -> None:
        """From now on it must end within the limit."""
        self._timer = threading.Timer(self._limit_s, self._hung)
        self._timer.daemon = True
        self._timer.start()

    def disarm(self) -> None:
        """It has ended."""
        if self._timer is not None:
            self._timer.cancel()

    def _hung(self) -> None:
        log.error("the stop hangs; ended by force", sockets_made_at=self._sockets.lingering(), exit=int(Exit.BUG))
        faulthandler.dump_traceback(all_threads=True)
        os._exit(Exit.BUG)
