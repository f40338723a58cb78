"""Sensors whose measures a device listens to: whether they are alive, and how often they measure."""

import time
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, get_args

from bootstrap.contract import timestamps
from bootstrap.contract.heard import READING
from bootstrap.contract.liveness import ENDED, is_silent, patience_s, stale_s
from bootstrap.contract.payload import Json
from bootstrap.contract.topics import State
from bootstrap.contract.values import members
from bootstrap.errors import Refused
from bootstrap.limits import YEAR_S

if TYPE_CHECKING:
    from bootstrap.runtime.followed import FollowedTopic

STATES = {word.encode(): word for word in get_args(State)}
MOST_MEASURES = 100
ROUNDING_S = 0.001  # so that a timer is not a hair too early


@dataclass(slots=True)
class FollowedSensor:
    """One sensor, as its `status` tells of it. Times named `_at` are monotonic, in seconds.

    Attributes:
        known: whether it has ever said anything that can be read.
        back_at: when it was alive again after it was not: what is older need not be repeated before it is late.
    """

    name: str
    known: bool = False
    back_at: float = -inf
    followed: "list[FollowedTopic]" = field(default_factory=list)
    _state: State | None = None
    _beat_at: float | None = None
    _heartbeat_s: float = 0.0
    _every_s: dict[str, float] = field(default_factory=dict)  # of each measure that is no event

    def note(self, name: str, payload: bytes, now: float, *, stored_us: int | None) -> None:
        """Note its `status/name`. `stored_us` is the time, in microseconds since 1970, if the message may be old."""
        was_gone = self.problem(now) is not None
        if name == "state":
            self._state = STATES.get(payload)
            self.known = self.known or self._state is not None
        elif found := members(payload):
            self.known = True
            if name == "about":
                self._note_about(found)
            else:
                self._note_heartbeat(found, now, stored_us)
        elif name == "heartbeat":
            self._beat_at = None
        if was_gone and not self.problem(now):
            self.back_at = now

    def note_value(self, now: float) -> None:
        """Note a value that has just been published, which proves that it is alive."""
        self.known = True
        if self._state in ENDED:
            self._state = None
        if self._beat_at is not None:
            self._beat_at = max(now, self._beat_at)

    def _note_about(self, about: dict[str, Json]) -> None:
        measures = about.get("measures")
        self._every_s = {}
        for name, measure in [*measures.items()][:MOST_MEASURES] if isinstance(measures, dict) else ():
            if isinstance(measure, dict) and measure.get("event") is not True:
                self._every_s[name] = _period_s(measure.get("every_s"))

    def _note_heartbeat(self, heartbeat: dict[str, Json], now: float, stored_us: int | None) -> None:
        self._heartbeat_s = _period_s(heartbeat.get("heartbeat_s"))
        age_s, made = 0.0, heartbeat.get("time")
        if stored_us is not None and isinstance(made, str) and heartbeat.get("clock") != "unsure":
            try:
                age_s = max(0.0, stored_us / 1e6 - timestamps.parse(made).timestamp())
            except (Refused, OverflowError):
                age_s = 0.0
        self._beat_at = now - age_s

    def problem(self, now: float) -> str | None:
        """Return why it counts as dead, or None."""
        if self._state in ENDED:
            return f"{self.name} has stopped" if self._state == "stopped" else f"{self.name} is {self._state}"
        age_s = None if self._beat_at is None else now - self._beat_at
        if is_silent(age_s, self._heartbeat_s):
            return f"{self.name} gives no sign of life for more than {patience_s(self._heartbeat_s):g} s"
        return None

    def silent_at(self) -> float:
        """Return when it counts as dead if no heartbeat comes before."""
        if self._state in ENDED or self._beat_at is None or not self._heartbeat_s:
            return inf
        return self._beat_at + patience_s(self._heartbeat_s) + ROUNDING_S

    def limit_s(self, measure: str) -> float:
        """Return for how many seconds a value of a measure is believed."""
        if measure == READING:
            every_s = min(filter(None, self._every_s.values()), default=0.0)
        else:
            every_s = self._every_s.get(measure, 0.0)
        return stale_s(every_s) if every_s else inf


def _period_s(found: Json) -> float:
    """Return a period in seconds as somebody else says it; 0 if it is none."""
    good = isinstance(found, int | float) and not isinstance(found, bool) and 0 < found <= YEAR_S
    return float(found) if good else 0.0  # type: ignore[arg-type]


def now_us() -> int:
    """Return the time in microseconds since 1970."""
    return time.time_ns() // 1000
