"""The base class of alarm loops: contacts with resistors at the end of a line, by which a cut and a short show."""

import math
import time
from dataclasses import dataclass, field
from typing import Annotated, Literal

from bootstrap.alarm_loops.loop_bands import ALARM, STATES, TAMPERED, UNKNOWN, LoopBands, LoopJudge
from bootstrap.config.toml_file import Wrong
from bootstrap.contact import TruthClass
from bootstrap.device import Failure, Measure, Reading, Seconds
from bootstrap.kernel_sensors.adc_sensor import NOISE, DividerSensor
from bootstrap.kernel_sensors.kernel_sensor import named
from bootstrap.limits import Limits

LOOK, OVERDUE = "look", "overdue"  # names of timers
SECOND_RESISTOR = (7050.0, 11_750.0)  # ohms of two resistors of 4.7 kilohm in a row, and 25 % less or more
OVERDUE_S = 5.0  # without a sample, after which nobody knows the state


@dataclass(kw_only=True)
class LoopSensor(DividerSensor):
    """A loop from the input of a converter to GND, and a resistor from there to 3V3."""

    resistor: Annotated[float, Limits(1)] = 4700.0  # from the input to 3V3, in ohms
    supply_v: Annotated[float, Limits(0.1)] = 3.3  # volts at the resistor's other end
    normal_ohm: list[float] = field(default_factory=lambda: [3760.0, 5640.0])  # the loop at rest: from, and to
    # in an alarm: from, and to; unless set [7050, 11750], or no such band if a short or a cut means "alarm"
    alarm_ohm: list[float] | None = None
    short_below_ohm: Annotated[float, Limits(0)] = 1000.0  # below which the line is shorted
    open_above_ohm: Annotated[float, Limits(0)] = 50_000.0  # above which the line is cut
    short_means: Literal["short", "alarm"] = "short"  # "alarm" for a contact that closes across a single resistor
    open_means: Literal["open", "alarm"] = "open"  # "alarm" for a contact that opens, in series with a single resistor
    sample_s: Annotated[float, Limits(0.05, 60)] = 0.25  # seconds between two looks at the loop
    agree: Annotated[int, Limits(1, 100)] = 3  # looks that must agree; an alarm counts at once
    # seconds without the slightest change, after which the converter counts as stuck, such as 600: one of 16 bits
    # shows a little noise; 0 for never
    stuck_s: Seconds = 0.0
    device_class: TruthClass = "safety"  # of `alarm` in Home Assistant, such as "door" or "motion"

    blocks = False  # each look is in a worker thread, and `read` tells what is known

    state = Measure(str, words=STATES)
    alarm = Measure(bool)
    tamper = Measure(bool)  # short, open or tamper
    voltage = Measure("V")

    def __post_init__(self) -> None:
        """Check the bands, and take over the converter's range."""
        self.bands = LoopBands(
            normal=self.normal_ohm,
            alarm=self.alarm_ohm or ([] if ALARM in (self.short_means, self.open_means) else SECOND_RESISTOR),
            short_below=self.short_below_ohm,
            open_above=self.open_above_ohm,
            short=self.short_means,
            open=self.open_means,
        )
        if wrong := dict(self.bands.problems()):
            raise Wrong(wrong)
        super().__post_init__()
        self.shown_as = {"alarm": self.device_class, "tamper": "tamper"}  # type: ignore[misc]

    def setup(self) -> None:
        """Begin to look."""
        self.judge = LoopJudge(self.agree)
        self.seen: float | OSError | ValueError | None = None  # by the last look
        self.newest = math.nan  # volts
        self.changed_at = time.monotonic()
        self.after(0, self.look, name=LOOK)

    def look(self) -> None:
        """Look at the loop; the next time once that has ended."""
        self.after(OVERDUE_S, self.overdue, name=OVERDUE)
        self.ask(self.volts, self.on_volts, self.on_failure, bus=self.bus)

    def on_volts(self, volts: float) -> Reading | None:
        """Judge a voltage."""
        if volts != self.newest:
            self.newest, self.changed_at = volts, time.monotonic()
        elif self.stuck_s and time.monotonic() - self.changed_at > self.stuck_s:
            return self.noted(UNKNOWN, OSError(f"exactly {volts:g} V for {self.stuck_s:g} s: the converter is stuck"))
        return self.noted(self.bands.word(self.ohms(volts)), volts)

    def on_failure(self, failure: OSError | ValueError) -> Reading | None:
        """Take note that there is no voltage."""
        return self.noted(UNKNOWN, named(self.chip, failure))

    def noted(self, word: str, seen: float | OSError | ValueError) -> Reading | None:
        """Return what has become of the state, if it has changed."""
        before, self.seen = self.judge.state, seen
        self.cancel(OVERDUE)
        self.after(self.sample_s, self.look, name=LOOK)
        return self.shown() if self.judge.take(word) != before else None

    def overdue(self) -> Reading:
        """Report that nobody knows the state any more: a look has not ended."""
        self.judge = LoopJudge(self.agree)
        self.seen = OSError(f"the converter has not answered for {OVERDUE_S:g} s")
        return self.shown()

    def ohms(self, volts: float) -> float:
        """Return the resistance of the loop, which is none for a voltage that only comes from somewhere else.

        The divider says V = supply * loop / (loop + resistor).
        """
        part = volts / self.supply_v
        if not -NOISE <= part <= 1 + NOISE:
            return math.nan
        return self.resistor * max(part, 0.0) / (1 - part) if part < 1 else math.inf

    def shown(self) -> Reading:
        """Return what is known."""
        state = self.judge.state
        if state != UNKNOWN:
            voltage = {} if self.seen is None else {"voltage": self.seen}
            return {"state": state, "alarm": state == ALARM, "tamper": state in TAMPERED, **voltage}
        if not isinstance(self.seen, Failure):
            return {"state": UNKNOWN}
        return {"state": UNKNOWN, **dict.fromkeys(("alarm", "tamper", "voltage"), self.seen)}

    def read(self) -> Reading:
        """Return what is known; the voltage is that of the last look."""
        return self.shown()
