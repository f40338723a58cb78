"""How each measure is: what of it is refused, what fails, what has fallen silent, and since when."""

import errno
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from bootstrap.contract import timestamps
from bootstrap.contract.liveness import MISSED
from bootstrap.device import Device, Measure, Reading, Value

HealthWord: TypeAlias = Literal["ok", "stale", "failing", "absent"]

AGREE = 3  # values in a row that agree on a jump, after which it is believed
GONE = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO})  # the device is not there
NEVER = "this device has not measured it so far"
SHOWN = 200  # characters of a device's words


def reason(error: Exception) -> str:
    """What an exception says, as it can go on the wire."""
    return str(error)[:SHOWN].encode(errors="replace").decode() or type(error).__name__


@dataclass(slots=True)
class _Known:
    """What is known of one measure. Moments called `_at` are of the monotonic clock."""

    measure: Measure
    good_at: float  # the last good value; at first the start
    heard_at: float  # the last value, good or refused
    since: str
    health: HealthWord = "ok"
    why: str | None = None
    errors: int = 0  # in a row
    last_good: str | None = None
    number: float | None = None  # the last good one
    leaps: list[float] = field(default_factory=list)  # refused since, because they are too far from it

    def become(self, health: HealthWord, why: str | None = None, errors: int = 0) -> None:
        if health != self.health:
            self.health, self.since = health, timestamps.now()
        self.why, self.errors = why, errors

    @property
    def bad(self) -> bool:
        """What was never measured and raises no error is no fault: the device has not got it."""
        return self.health == "stale" or self.errors > 0


class MeasureHealth:
    """The health of a device's measures. `now` is always `time.monotonic()`, in seconds."""

    def __init__(self, device: Device, now: float, invalid: int = 0) -> None:
        """Begin with all measures well. `invalid` is how many values were refused before."""
        self._device = device
        self._patience_s = MISSED * device.every_s
        since = timestamps.now()
        self._known = {name: _Known(measure, now, now, since) for name, measure in device.measures.items()}
        self.invalid = invalid

    def validate(self, reading: Reading, now: float) -> dict[str, str]:
        """Count and name the values of a reading that must not be published, each with the reason.

        Raises:
            TypeError: a measure that was never declared: a bug.
        """
        refused = self._device.check(reading)
        for name, value in reading.items():
            known = self._known[name]
            if name not in refused and (why := self._leap(known, value, now)):
                refused[name] = why
            known.heard_at = now
        self.invalid += len(refused)
        return refused

    def _leap(self, known: _Known, value: Value, now: float) -> str | None:
        """Why a number is too far from the last good one. After a long silence anything is possible."""
        last, step = known.number, known.measure.step
        if last is None or isinstance(value, str) or now - known.heard_at >= self._patience_s:
            return None
        if abs(value - last) <= step:
            return None
        if known.leaps and abs(value - known.leaps[-1]) > step:
            known.leaps.clear()
        known.leaps.append(value)
        if len(known.leaps) >= AGREE:
            return None
        return f"{value:g} {known.measure.unit} is more than {step:g} away from {last:g}, the value before"

    def record_good(self, reading: Reading, time: str, now: float) -> None:
        """These values were published, with this time."""
        for name, value in reading.items():
            known = self._known[name]
            known.good_at, known.last_good = now, time
            known.number = None if isinstance(value, str) else value
            known.leaps.clear()
            known.become("ok")

    def record_invalid(self, invalid: Mapping[str, str]) -> None:
        """These values were not."""
        for name, why in invalid.items():
            known = self._known[name]
            known.become("failing", why, known.errors + 1)

    def record_failure(self, why: str, *, absent: bool) -> None:
        """Nothing could be measured, or the device is not there at all."""
        for known in self._known.values():
            known.become("absent" if absent else "failing", why, known.errors + 1)

    def passed_over(self, named: Collection[str], now: float) -> None:
        """A read without an error gave no value but of these: the others are well for a while. Events may be rare."""
        for name, known in self._known.items():
            if name in named:
                continue
            if known.measure.event or now - known.good_at < self._patience_s:
                known.become("ok")
            elif known.last_good is None:
                known.become("absent", NEVER)
            else:
                known.become("stale", f"no value for more than {self._patience_s:g} s")

    @property
    def problems(self) -> dict[str, str]:
        """What is not well, and why."""
        return {name: known.why or known.health for name, known in self._known.items() if known.bad}

    @property
    def all_failing(self) -> bool:
        """Whether every measure fails: it is the device, then."""
        return all(known.errors for known in self._known.values())

    @property
    def fingerprint(self) -> list[tuple[object, ...]]:
        """All that is news when it changes."""
        return [(known.since, known.health, known.why, known.errors) for known in self._known.values()]

    @property
    def facts(self) -> dict[str, dict[str, object]]:
        """As `status/health` says it."""
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
    """For people: `pressed, held: the line is gone; clicks: 0 1 is not within 1 to inf`."""
    names: dict[str, list[str]] = {}
    for name, why in problems.items():
        names.setdefault(why, []).append(name)
    return "; ".join(f"{', '.join(alike)}: {why}" for why, alike in names.items())
