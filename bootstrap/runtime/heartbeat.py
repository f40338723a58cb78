"""The heartbeat: that a sensor is alive, and how well it does."""

import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bootstrap.contract import timestamps
from bootstrap.contract.payload import decode, encode
from bootstrap.contract.topics import Topics
from bootstrap.errors import Refused
from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.outbox.outbox import Outbox

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
RUN_LENGTH = 8
MEGABYTE = 1_000_000
STATM = Path("/proc/self/statm")


def new_run() -> str:
    """Return a name for this start of the sensor that no other start has."""
    return "".join(secrets.choice(ALPHABET) for _ in range(RUN_LENGTH))


def rss_mb() -> float:
    """Return the memory that this process has in RAM, in megabytes."""
    pages = int(STATM.read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE, 1)


class Heartbeat:
    """Publishes `status/heartbeat`, and does so again every period."""

    def __init__(
        self,
        loop: Loop,
        topics: Topics,
        outbox: Outbox,
        facts: Callable[[], Mapping[str, Any]],
        beat: Callable[[], None],
    ) -> None:
        """Call `beat` every period, and ask `facts` for what only others know: reads, faults, reconnects."""
        self._loop, self._outbox, self._facts, self._beat = loop, outbox, facts, beat
        self.topic = topics.status("heartbeat")
        self.run = new_run()
        self.period_s = 0.0
        self._started_at, self._born_at = time.monotonic(), time.time()
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begin a period. With a period of 0 seconds there is none."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(self.period_s, self._tick) if self.period_s else None

    def _tick(self) -> None:
        self._beat()
        self.start()

    def publish(self) -> None:
        """Publish a heartbeat. Where there are none, clear the last one: it would make a live sensor look dead."""
        self._outbox.put_state(self.topic, encode(self._payload()) if self.period_s else b"")

    def _payload(self) -> dict[str, Any]:
        history = self._outbox.history
        return {
            "time": timestamps.now(),
            "clock": "unsure" if self._outbox.clock.unsure else "ok",
            "run": self.run,
            "uptime_s": round(time.monotonic() - self._started_at, 1),
            "heartbeat_s": self.period_s,
            **self._facts(),
            "queued": self._outbox.queued,
            "on_disk": history.on_disk,
            "storage": history.disk_problem,
            "dropped": self._outbox.dropped,
            "rss_mb": rss_mb(),
            "host": socket.gethostname(),
        }

    def older_instance(self, heartbeat: bytes) -> str | None:
        """Return where another process runs under our name, if `heartbeat` is by one that is older, and still alive."""
        with suppress(Refused):
            match decode(heartbeat):
                case {"run": str(run), "time": str(moment), "uptime_s": float(uptime_s), **rest} if run != self.run:
                    at = timestamps.parse(moment).timestamp()
                    if at - uptime_s < self._born_at < at:
                        return f"on {rest.get('host', 'a host unknown')} (run {run})"
        return None
