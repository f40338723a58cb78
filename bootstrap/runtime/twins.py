"""Two processes of one sensor id: both are clients of one id, so each connection of one ends that of the other.

The younger ends, before it has overwritten anything that the elder retains. No wall clock decides: the elder is the one
with the longer uptime. That it is alive is known only when its retained heartbeat has changed, because the heartbeat of
a dead process is retained too. So before a process replaces the heartbeat of another run, it is silent for a while: an
elder that lives connects again, and has then published a new heartbeat.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from bootstrap.contract.payload import Json, decode
from bootstrap.errors import Refused
from bootstrap.logs import log

SILENT_S = 8.0  # longer than another instance waits before it connects again
DRAWS = 5  # new heartbeats of another run that may be as old as this one, until the names of the runs decide
DRAW_S = (
    15.0  # difference of two uptimes within which neither is certainly the longer: a heartbeat tells an earlier one
)
MOST_RUNS = 16
STOPPED = b"stopped"


@dataclass
class OtherRun:
    """Another run of this sensor, as its retained heartbeat shows it."""

    uptime_s: float
    host: str
    seen_at: float = field(default_factory=time.monotonic)
    beats: int = 0  # heartbeats that it has certainly published since we first saw it


class Twins:
    """Finds out whether another process runs this sensor, and which of the two is the elder."""

    def __init__(self, run: str, uptime_s: Callable[[], float]) -> None:
        self._run, self._uptime_s = run, uptime_s
        self.own = {run}  # a clock that is set back begins another run in the same process
        self._others: dict[str, OtherRun] = {}
        self._retained: str | None = None  # the run of the heartbeat that the broker retains, if it is another one
        self._stopped = False
        self._logged = False
        self.predecessor: str | None = None  # a run of which this machine knows that it has ended

    def on_heartbeat(self, payload: bytes) -> str | None:
        """Note a heartbeat on our topic. Returns where an older instance runs, if it is from one that is alive."""
        match _decoded(payload):
            case {"run": str(run), "uptime_s": int() | float() as uptime_s, **rest} if run not in self.own:
                self._retained = run
                return self._judge(run, float(uptime_s), str(rest.get("host", "an unknown host")))
        self._retained = None
        return None

    def on_state(self, payload: bytes) -> None:
        """Note the retained state: one that was stopped in order is not alive."""
        self._stopped = payload == STOPPED

    def _judge(self, run: str, uptime_s: float, host: str) -> str | None:
        other = self._others.get(run)
        if other is None:
            self._note(run, OtherRun(uptime_s, host))
            return None
        if uptime_s > other.uptime_s:
            other.uptime_s, other.beats = uptime_s, other.beats + 1
        ahead_s = self._uptime_s() - uptime_s
        older = ahead_s < 0 or (ahead_s < DRAW_S and other.beats >= DRAWS and run < self._run)
        return f"on {host} (run {run})" if other.beats and older else None

    def _note(self, run: str, other: OtherRun) -> None:
        if run == self.predecessor:
            other.seen_at = -inf
        if len(self._others) >= MOST_RUNS:
            del self._others[next(iter(self._others))]
        self._others[run] = other

    def silent_s(self) -> float:
        """Return for how many seconds nothing may be published yet, because an older instance may be alive."""
        other = self._others.get(self._retained or "")
        if other is None or other.beats or self._stopped:
            return 0.0
        left_s = max(0.0, other.seen_at + SILENT_S - time.monotonic())
        if left_s and not self._logged:
            self._logged = True
            about = "another run of this sensor may be alive; nothing is published meanwhile"
            log.info(about, host=other.host, run=self._retained, wait_s=round(left_s, 1))
        return left_s


def _decoded(payload: bytes) -> Json:
    try:
        return decode(payload)
    except Refused:
        return None
