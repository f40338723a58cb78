"""The heartbeat: whether a sensor is alive, and how it performs."""

import math
import os
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bootstrap.contract import timestamps
from bootstrap.contract.payload import encode
from bootstrap.contract.topics import Topics
from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.outbox.outbox import Outbox
from bootstrap.runtime.twins import Twins

MEGABYTE = 1_000_000
MOMENT = 0.001  # part of a period
STATM = Path("/proc/self/statm")


def rss_mb() -> float:
    """Return the resident memory of this process, in megabytes."""
    pages = int(STATM.read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE, 1)


class Heartbeat:
    """Publishes `status/heartbeat` periodically."""

    def __init__(
        self,
        loop: Loop,
        topics: Topics,
        outbox: Outbox,
        facts: Callable[[], Mapping[str, Any]],
        beat: Callable[[], None],
    ) -> None:
        """Call `beat` every period. `facts` returns the fields kept elsewhere: reads, faults, reconnects."""
        self._loop, self._outbox, self._facts, self._beat = loop, outbox, facts, beat
        self.topic = topics.status("heartbeat")
        self.period_s = 0.0
        self.run = outbox.clock.run  # the first, which names this start of the sensor
        self._started_at = time.monotonic()
        self.counted_from = self._started_at  # from when the periods are counted, monotonic
        self.twins = Twins(self.run, self.uptime_s)
        self._timer: Timer | None = None

    def uptime_s(self) -> float:
        """Return for how many seconds this run has lasted."""
        return time.monotonic() - self._started_at

    def start(self) -> None:
        """Start or restart the timer. A period of 0 seconds turns the heartbeat off."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._next_due(), self._tick) if self.period_s else None

    def _next_due(self) -> float:
        """Return when the next period begins; one that begins within a moment counts as begun."""
        periods = (time.monotonic() - self.counted_from) / self.period_s
        return self.counted_from + (math.floor(periods + MOMENT) + 1) * self.period_s

    def _tick(self) -> None:
        self._beat()
        self.start()

    def publish(self) -> None:
        """Publish a heartbeat. If heartbeats are off, clear the retained one: it would make a live sensor look dead."""
        self._outbox.put_state(self.topic, encode(self._payload()) if self.period_s else b"")

    def _payload(self) -> dict[str, Any]:
        self.twins.own.add(self._outbox.clock.run)
        history = self._outbox.history
        return {
            "time": timestamps.now(),
            "clock": "unsure" if self._outbox.clock.unsure else "ok",
            "run": self._outbox.clock.run,
            "uptime_s": round(self.uptime_s(), 1),
            "heartbeat_s": self.period_s,
            **self._facts(),
            "queued": self._outbox.queued,
            "on_disk": history.on_disk,
            "storage": history.disk_problem,
            "dropped": self._outbox.dropped,
            "rss_mb": rss_mb(),
            "host": socket.gethostname(),
        }
