"""The health of each measure: ok, failing, stale or absent, since when and why."""

import errno
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

from bootstrap.contract import timestamps
from bootstrap.contract.liveness import stale_s
from bootstrap.device import Device, Failure, Measure, Reading, Value, Values
from bootstrap.jumps import JumpGuard

HealthState: TypeAlias = Literal["ok", "stale", "failing", "absent"]

GONE = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO})  # the device is absent
NO_SOURCES: Mapping[str, tuple[str, ...]] = MappingProxyType({})
NO_MEASURES: Mapping[str, Measure] = MappingProxyType({})
NEVER = "this device has never measured it"


@dataclass(slots=True)
class _Known:
    """The health of one measure. Times named `_at` are monotonic, in seconds."""

    measure: Measure
    good_at: float  # time of the last good value; until there is one, of the start
    received_at: float  # time of the last value, good or refused
    since: str
    health: HealthState = "ok"
    why: str | None = None
    errors: int = 0  # consecutive
    last_good: str | None = None
    followed: bool = False  # whether its health is that of a measure that it is made of
    jumps: JumpGuard = field(init=False)

    def __post_init__(self) -> None:
        self.jumps = JumpGuard(self.measure)

    def become(self, health: HealthState, why: str | None = None, errors: int = 0) -> None:
        if health != self.health:
            self.health, self.since = health, timestamps.now()
        self.why, self.errors = why, errors

    @property
    def bad(self) -> bool:
        """Whether this is a fault. A measure that never had a value or an error is not: the device lacks it."""
        return self.health == "stale" or self.errors > 0


class MeasureHealth:
    """The health of a device's measures. `now` is monotonic, in seconds."""

    def __init__(self, device: Device, now: float, invalid: int = 0) -> None:
        """Start with every measure ok. `invalid` is the number of values refused before."""
        self._device = device
        self._known: dict[str, _Known] = {}
        self._sources: Mapping[str, tuple[str, ...]] = NO_SOURCES
        self.redescribe(now)
        self.invalid = invalid

    def redescribe(
        self,
        now: float,
        sources: Mapping[str, tuple[str, ...]] = NO_SOURCES,
        measures: Mapping[str, Measure] = NO_MEASURES,
    ) -> None:
        """Take notice of the measures and the period that the device has now. What is known of a measure stays so.

        `sources` are the measures from which others are made, by the name of that; those are in `measures`.
        """
        self._patience_s, self._sources = stale_s(self._device.period_s), sources
        since, before = timestamps.now(), self._known
        self._known = {
            name: before[name]
            if name in before and before[name].measure == measure
            else _Known(measure, now, now, since)
            for name, measure in (*self._device.measures.items(), *((name, measures[name]) for name in sources))
        }

    def validate(self, reading: Reading, now: float) -> dict[str, str]:
        """Count the values of a reading that must not be published, and return each name with the reason.

        Raises:
            TypeError: the reading has a measure that was never declared, which is a bug.
        """
        refused = self._device.check(reading)
        for name, value in reading.items():
            known = self._known[name]
            if name not in refused and not isinstance(value, Failure) and (why := self._leap(known, value, now)):
                refused[name] = why
            known.received_at = now
        self.invalid += len(refused)
        return refused

    def _leap(self, known: _Known, value: Value, now: float) -> str | None:
        """Return why a number is not believed yet, or None: it is too far from the last good one."""
        if isinstance(value, str | Mapping):
            return None
        return known.jumps.doubt(value, after_gap=now - known.received_at >= self._patience_s)

    def record_good(self, reading: Values, time: str, now: float) -> None:
        """Record values that were published with the timestamp `time`."""
        for name, value in reading.items():
            known = self._known[name]
            known.good_at, known.last_good = now, time
            known.jumps.believe(None if isinstance(value, str | Mapping) else value)
            known.become("ok")

    def record_shown(self, reading: Values, now: float, *, whole: bool) -> None:
        """Record values that are none of now. With `whole`, nothing is wrong with the other measures either."""
        for name, known in self._known.items():
            if name in reading:
                value = reading[name]
                known.good_at = now
                known.jumps.believe(None if isinstance(value, str | Mapping) else value)
            if whole or name in reading:
                known.become("ok")

    def record_invalid(self, invalid: Mapping[str, str]) -> None:
        """Record values that were refused, each with the reason."""
        for name, why in invalid.items():
            known = self._known[name]
            known.followed = False
            known.become("failing", why, known.errors + 1)
        self._follow()

    def _follow(self) -> None:
        """Let what is made of measures that are not well be as they are, and say because of which."""
        for name, sources in self._sources.items():
            known, of = self._known[name], {one: self._known[one] for one in sources}
            source = next((one for one in of if of[one].health != "ok"), None)
            if source is not None:
                known.become(of[source].health, f"{source}: {of[source].why}", of[source].errors)
                known.followed = True
            elif known.followed:
                known.become("ok")
                known.followed = False

    def record_failure(self, why: str, *, absent: bool) -> None:
        """Record that nothing could be measured. `absent` means that the device is not there."""
        for known in self._known.values():
            known.become("absent" if absent else "failing", why, known.errors + 1)
        self._follow()

    def passed_over(self, named: Collection[str], now: float) -> None:
        """Record a successful read that returned only `named`.

        A missing measure stays ok for a few periods, then becomes stale; events never do. Of a device whose values come
        by themselves, such a read tells nothing, so what was failing goes on failing.
        """
        unheard = self._device.is_heard and all(known.last_good is None for known in self._known.values())
        for name, known in self._known.items():
            if name in named or name in self._sources:
                continue
            if known.measure.event or now - known.good_at < self._patience_s or self._device.excuses(name):
                if not (self._device.is_heard and known.errors):
                    known.become("ok")
            elif unheard:
                known.become("stale", f"nothing was heard for more than {self._patience_s:g} s")
            elif known.last_good is None:
                known.become("absent", NEVER)
            else:
                known.become("stale", f"no value for more than {self._patience_s:g} s")
        self._follow()

    @property
    def problems(self) -> dict[str, str]:
        """The measures that are a fault, each with the reason."""
        return {name: known.why or known.health for name, known in self._known.items() if known.bad}

    @property
    def all_failing(self) -> bool:
        """Whether every measure fails, which means that the device does."""
        return all(known.errors for known in self._known.values())

    @property
    def fingerprint(self) -> list[tuple[object, ...]]:
        """The facts whose change is worth publishing."""
        return [(known.since, known.health, known.why, known.errors) for known in self._known.values()]

    @property
    def facts(self) -> dict[str, dict[str, object]]:
        """The payload of `status/health`."""
        return {
            name: {
                "health": known.health,
                "since": known.since,
                "why": known.why,
                "errors": known.errors,
                "last_good": known.last_good,
            }
            for name, known in self._known.items()
        }


def described(problems: Mapping[str, str]) -> str:
    """Return problems as text, such as `pressed, held: the line is gone; clicks: 0 1 is not within 1 to inf`."""
    names: dict[str, list[str]] = {}
    for name, why in problems.items():
        names.setdefault(why, []).append(name)
    return "; ".join(f"{', '.join(alike)}: {why}" for why, alike in names.items())
