"""What is known of the sensors on a broker from their own messages."""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from bootstrap.contract import timestamps
from bootstrap.contract.liveness import ENDED, is_silent
from bootstrap.contract.topics import Kind, Topics, is_id
from bootstrap.contract.values import members
from bootstrap.errors import Refused
from bootstrap.runtime.measure_health import described
from penates.console.output import shown

BIRTH_S = 3.0  # longest duration of the messages that follow a connect


@dataclass
class SeenSensor:
    """One sensor. Times named `_at` are monotonic, so that no wall clock makes a dead sensor look alive."""

    topics: Topics
    state: str = ""
    about: dict[str, Any] = field(default_factory=dict)
    heartbeat: dict[str, Any] = field(default_factory=dict)
    health: dict[str, Any] = field(default_factory=dict)
    values: dict[str, bytes] = field(default_factory=dict)
    born_at: float = -math.inf  # its last connect that we observed
    beat_at: float | None = None
    read_at: float | None = None

    @property
    def kind(self) -> str:
        """The kind of device, by `status/about`."""
        return _text(self.about.get("kind"))

    @property
    def measures(self) -> dict[str, dict[str, Any]]:
        """The measures that `status/about` declares; malformed ones are left out."""
        found = self.about.get("measures")
        return (
            {name: facts for name, facts in found.items() if isinstance(facts, dict)} if isinstance(found, dict) else {}
        )

    def unit(self, name: str) -> str:
        """Return the unit of a measure for people; it is empty for text, truth values and plain numbers."""
        unit = _text(self.measures.get(name, {}).get("unit"))
        return "" if unit in ("bool", "str", "object", "1") else unit

    def is_event(self, name: str) -> bool:
        """Return whether a measure is an event, which happens rather than lasts."""
        return self.measures.get(name, {}).get("event") is True

    @property
    def problems(self) -> str:
        """What is wrong with its measures, by `status/health`, while its state is `fault`."""
        if self.state != "fault":
            return ""
        known = {name: facts for name, facts in self.health.items() if isinstance(facts, dict)}
        bad = {name: facts for name, facts in known.items() if facts.get("errors") or facts.get("health") == "stale"}
        return _text(described({name: str(facts.get("why")) for name, facts in bad.items()}))

    @property
    def host(self) -> str:
        """The host it runs on, by its own messages; empty if they do not name it."""
        return _text(self.heartbeat.get("host") or self.about.get("host"))

    @property
    def heartbeat_s(self) -> float:
        """The time between its heartbeats, in seconds; 0 if it has none or that is not known."""
        return _number(self.heartbeat.get("heartbeat_s"))

    def beat_age_s(self, now: float) -> float | None:
        """Return the age of its last heartbeat at the monotonic time `now`, in seconds; None if there was none."""
        return None if self.beat_at is None else now - self.beat_at

    def silent(self, now: float) -> bool:
        """Return whether its state is a live one, but its heartbeat is overdue at the monotonic time `now`."""
        return self.state not in ENDED and is_silent(self.beat_age_s(now), self.heartbeat_s)

    def stale(self, now: float) -> str:
        """Return why its values may be out of date at the monotonic time `now`, or empty text."""
        if self.silent(now):
            return "no heartbeat"
        periods = [_number(facts.get("every_s")) for facts in self.measures.values()]
        every_s = min((period for period in periods if period), default=0.0)
        read_age_s = None if self.read_at is None else now - self.read_at
        return "no reading" if self.state not in ENDED and is_silent(read_age_s, every_s) else ""


def _number(value: object) -> float:
    """Return a positive number, or 0 for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else 0.0


def _text(value: object) -> str:
    return shown(value.encode(errors="replace")) if isinstance(value, str) else ""


def _monotonic(stamp: object, now: float) -> float | None:
    """Return a timestamp as a time of our monotonic clock; None if it is not one. One in the future becomes `now`."""
    try:
        ago_s = (datetime.now(UTC) - timestamps.parse(str(stamp))).total_seconds()
    except Refused:
        return None
    return now - max(0.0, ago_s)


@dataclass(frozen=True)
class Change:
    """A topic that has changed, and its new payload."""

    topic: str
    payload: bytes


class FleetView:
    """Every sensor from which a message was received."""

    @classmethod
    def of(cls, held: Mapping[str, bytes], now: float) -> Self:
        """Return the view that a broker's retained messages give at the monotonic time `now`."""
        view = cls()
        for topic in sorted(held):
            list(view.receive(topic, held[topic], retained=True, at=now))
        return view

    def __init__(self) -> None:
        self.sensors: dict[str, SeenSensor] = {}
        # The value topic of every declared measure. The history is left out, because it repeats the values.
        self.declared: set[str] = set()

    def receive(self, topic: str, payload: bytes, *, retained: bool, at: float | None = None) -> Iterator[Change]:
        """Update the view from a message and yield what it changed. Messages outside the contract are ignored."""
        now = time.monotonic() if at is None else at
        group, sensor, kind, name = topic.split("/") if topic.count("/") == 3 else ("", "", "", "")  # noqa: PLR2004
        try:
            topics = Topics(group, sensor)
        except ValueError:
            return
        if not payload:
            self._cleared(topics.client_id, kind, name)
            return
        known = self.sensors.setdefault(topics.client_id, SeenSensor(topics))
        match kind, name:
            case Kind.DATA, _:
                yield from self._value(known, name, Change(topic, payload), retained=retained, now=now)
            case Kind.STATUS, "state":
                changed, known.state = known.state != shown(payload), shown(payload)
                if changed:
                    yield Change(topic, payload)
            case Kind.STATUS, "about":
                known.about = members(payload)
                self.declared.update(topics.data(measure) for measure in known.measures if is_id(measure))
                known.born_at = known.born_at if retained else now
            case Kind.STATUS, "health":
                known.health = members(payload)
            case Kind.STATUS, "heartbeat":
                known.heartbeat = members(payload)
                known.beat_at = _monotonic(known.heartbeat.get("time"), now) if retained else now
                times = (known.read_at, _monotonic(known.heartbeat.get("last_reading"), now))
                known.read_at = max((read_at for read_at in times if read_at is not None), default=None)

    def _cleared(self, client_id: str, kind: str, name: str) -> None:
        """Remove the value whose topic was cleared, or the whole sensor if that was its state."""
        if kind == Kind.STATUS and name == "state":
            self.sensors.pop(client_id, None)
        elif kind == Kind.DATA and client_id in self.sensors:
            self.sensors[client_id].values.pop(name, None)

    def _value(self, known: SeenSensor, name: str, change: Change, *, retained: bool, now: float) -> Iterator[Change]:
        same = known.values.get(name) == change.payload
        # A repeated value shortly after `about` is part of a connect's birth messages, not a new reading.
        if not retained and not (same and now - known.born_at < BIRTH_S):
            known.read_at = now
        if known.values.get(name) != change.payload or known.is_event(name):
            known.values[name] = change.payload
            yield change
