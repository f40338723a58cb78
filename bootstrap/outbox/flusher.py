"""Writing waiting readings to disk, and syncing the disk so that they survive a power cut."""

import time

from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.eventloop.threads import Worker
from bootstrap.logs import log
from bootstrap.outbox.backlog import Backlog

SYNC_S = 5.0  # the most that a power cut during an outage loses; each sync wears an SD card and blocks its thread


class Flusher:
    """Flushes and syncs a backlog, by timers that exist only while something waits in it."""

    def __init__(self, loop: Loop, worker: Worker, backlog: Backlog) -> None:
        self._loop, self._worker, self._backlog = loop, worker, backlog
        self._write_timer: Timer | None = None
        self._sync_timer: Timer | None = None
        self._syncing = self._sync_failed = False

    def check(self) -> None:
        """Write what has waited too long. Call it whenever the backlog has changed."""
        now = time.monotonic()
        self._backlog.flush(now)
        self._schedule_write(self._backlog.flush_in_s(now))
        if self._backlog.unsynced and not self._syncing:
            self._sync_timer = self._loop.call_earlier(self._sync_timer, SYNC_S, self._sync)

    def _schedule_write(self, wait_s: float | None) -> None:
        if wait_s is not None:
            self._write_timer = self._loop.call_earlier(self._write_timer, wait_s, self.check)
        elif self._write_timer is not None:
            self._write_timer.cancel()

    def _sync(self) -> None:
        """Sync in the worker thread, one sync at a time: an SD card may take a second, a failing one minutes."""
        if sync := self._backlog.to_sync():
            self._syncing = True
            self._worker.call(sync, self._synced, self._not_synced)

    def _synced(self, _: None) -> None:
        self._syncing = self._sync_failed = False
        self.check()

    def _not_synced(self, error: BaseException) -> None:
        if not isinstance(error, OSError):
            raise error
        if not self._sync_failed:
            log.error("stored readings may not survive a power cut", error=str(error))
        self._syncing, self._sync_failed = False, True
        self.check()
