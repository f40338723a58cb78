"""The base class of what must not stay on: a line that is on for a limited time, however often it is asked for."""

import time
from dataclasses import dataclass
from typing import Annotated, ClassVar

from gpiozero import DigitalOutputDevice

from bootstrap.contract.commands import only, seconds
from bootstrap.contract.payload import Json
from bootstrap.device import Device, Measure, Reading
from bootstrap.errors import Refused
from bootstrap.limits import Limits
from bootstrap.logs import log
from bootstrap.needs import Output

BACK, LIMIT, RESTED = "back", "limit", "rested"  # names of timers


@dataclass(kw_only=True)
class LimitedLine(Device):
    """A GPIO line that is on for at most `longest_s` between two rests. It is off at the start and at every end.

    Only a rest of `rest_s` without a break gives it its time again: neither a repeated command nor a restart does. What
    is kept is the worst, until the sensor ends in order, so it rests first after a crash, a kill and a power cut, and
    if what was kept is damaged.
    """

    pin: Output
    active_high: bool = True  # false for relay boards that switch on at 0
    longest_s: Annotated[float, Limits(1, 86_400)]  # seconds that it may be on between two rests, such as 1800
    rest_s: Annotated[float, Limits(1, 86_400)] = 60.0  # seconds that it must be off to have its whole time again

    must_end: ClassVar[bool] = True

    resting = Measure(bool)  # it was on for its whole time, and rests

    def setup(self) -> None:
        """Own the line, which is off from the first moment."""
        self.relay = self.own(DigitalOutputDevice(self.pin, active_high=self.active_high))
        self.kept = self.keep("used_s", 0.0)
        self.used_s, self.kept.value = self._kept_s(), self.longest_s
        self.powered, self.since = False, time.monotonic()  # whether it is on, and since when
        if self.left_s <= 0:
            self.after(self.rest_s, self.read, name=RESTED)

    def _kept_s(self) -> float:
        """Return for how long it was on before; all of its time if nobody knows."""
        if self.kept.lost:
            log.warning("nobody knows for how long it was on before, so it rests first", rest_s=self.rest_s)
            return self.longest_s
        return max(0.0, self.kept.value)

    def shows(self, *, on: bool) -> Reading:
        """Return what being on means: `{"on": on}`."""
        raise NotImplementedError(f"{type(self).__name__} has no shows(self, *, on)")

    def command(self, value: Json, on: str) -> Reading:
        """Carry out a command: the word `on`, perhaps with `for_s`, or else off."""
        for_s = seconds(value.pop("for_s", None)) if isinstance(value, dict) else None
        to = only(value, "state") == on
        if for_s and not to:
            raise Refused(f"'for_s' is for {on!r}: nothing goes on by itself")
        if for_s and for_s > self.longest_s:
            raise Refused(f"'for_s' must be at most {self.longest_s:g}, as its file says")
        return self.switch_on(for_s) if to else self.switch_off()

    @property
    def left_s(self) -> float:
        """Seconds that it may still be on."""
        passed_s = time.monotonic() - self.since
        if self.powered:
            return self.longest_s - self.used_s - passed_s
        return self.longest_s if passed_s >= self.rest_s else self.longest_s - self.used_s

    def switch_on(self, for_s: float | None) -> Reading:
        """Switch it on, or leave it on, which gives it no more time."""
        left_s = self.left_s
        if left_s <= 0:
            rests_s = self.rest_s - (time.monotonic() - self.since)
            raise Refused(f"it rests for another {max(0.0, rests_s):.0f} s, after {self.longest_s:g} s or a bad end")
        if not self.powered:
            self.used_s, self.since, self.powered = self.longest_s - left_s, time.monotonic(), True
            self.after(left_s, self.switch_off, name=LIMIT)
            self.relay.on()
        self.cancel(BACK)
        if for_s:
            self.after(for_s, self.switch_off, name=BACK)
        return self.read()

    def switch_off(self) -> Reading:
        """Switch it off, and count for how long it was on."""
        self.rest()
        if self.left_s <= 0 and not self.waits_for(RESTED):
            self.after(self.rest_s, self.read, name=RESTED)
        return self.read()

    def rest(self) -> None:
        """Switch it off. It counts as on until its line has taken that."""
        self.relay.off()
        if self.powered:
            self.used_s, self.since, self.powered = self.longest_s - self.left_s, time.monotonic(), False
        self.cancel(BACK)
        self.cancel(LIMIT)

    def read(self) -> Reading:
        """Return whether it is on, and whether it rests."""
        on = bool(self.relay.is_active)
        if self.powered and not on:  # it was made safe after its line could not be set
            return self.switch_off()
        return {**self.shows(on=on), "resting": not on and self.left_s <= 0}

    def teardown(self) -> None:
        """Switch it off, and keep for how long it was on."""
        if hasattr(self, "since"):
            self.rest()
            self.kept.value = self.longest_s - self.left_s
