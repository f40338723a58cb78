"""The base class of meters that pulse: their total survives a restart, and their pace falls when pulses stay away."""

import math
import time
from dataclasses import dataclass, replace
from typing import Annotated, Literal, NamedTuple

from bootstrap.contract.commands import number
from bootstrap.contract.payload import Json
from bootstrap.device import Device, Reading
from bootstrap.errors import Refused
from bootstrap.limits import Limits
from bootstrap.logs import log
from bootstrap.needs import Input
from bootstrap.pins.edge_times import SECOND_NS, EdgeBatch
from bootstrap.plain_lines.meter_record import MeterRecord
from bootstrap.plain_lines.pulse_pace import PulsePace
from bootstrap.plain_lines.pulse_sieve import PulseSieve

REPORT_S = 10.0  # least time between two reports of pulses
FIRST_S = 1.0  # in which what was counted is written to the disk, before it is reported
KEEP_S = 1.0  # least time between two changes of what is kept, each of which is written to /run at once
WARN_S = 3600.0  # least time between two warnings of implausible pulses
HIGHEST_FIGURE = 1_000_000_000
REPORT, KEEP, SETTLE = "report", "keep", "settle"  # names of timers
JUMP = (
    "Home Assistant books this jump as used now; correct that there, in Developer tools, Statistics, 'Adjust sum' of "
    "this total"
)


class Counted(NamedTuple):
    """What follows from what a meter counts.

    Attributes:
        pace: the name of the measure that tells how much it is now.
        factor: that measure, for one unit a second.
        digits: of that measure.
        highest: what no meter in a house exceeds, in that measure's unit.
    """

    pace: str
    factor: float
    digits: int
    highest: float


FLOW = Counted("flow", 60_000, 3, 167)  # L/min; 10 m³/h is what the largest meters of a house are for
POWER = Counted("power", 3_600_000, 1, math.inf)
COUNTED = {"energy_in": POWER, "energy_out": POWER, "gas": FLOW, "water": FLOW}


@dataclass(kw_only=True)
class PulseMeter(Device):
    """A contact between a line and GND that closes for each part of a kWh or m³. A subclass declares the measures."""

    pin: Input
    counts: Literal["energy_in", "energy_out", "gas", "water"] = "energy_in"  # used; "energy_out" is what is produced
    pulses_per_unit: Annotated[float, Limits(0.001, 1_000_000)]  # pulses for 1 kWh or 1 m³, by its plate, such as 1000
    initial: Annotated[float, Limits(0, HIGHEST_FIGURE)] = 0.0  # the figure on its dial at the first start
    highest: Annotated[float, Limits(0.001)] | None = None  # W, or L/min, such as 14000: more cannot be true
    bounce_s: Annotated[float, Limits(0, 1)] = 0.005  # seconds for which it is closed at least, and open before
    zero_s: Annotated[float, Limits(1, 86_400)] = 600.0  # seconds without a pulse after which power or flow is 0
    write_s: Annotated[float, Limits(1, 60)] = 60.0  # seconds between writes to disk: a power cut costs their pulses

    def __post_init__(self) -> None:
        """Measure what is set."""
        self.counted = COUNTED[self.counts]
        left_out = {*COUNTED, *(one.pace for one in COUNTED.values())} - {self.counts, self.counted.pace}
        self.measures = {name: one for name, one in type(self).measures.items() if name not in left_out}  # type: ignore[misc]

    def setup(self) -> None:
        """Go on counting where the last run has stopped."""
        self.kept = self.keep("meter", dict[str, Json](), self.write_s)
        self.record = self._resumed()
        self.highest_pace = self.highest or self.counted.highest
        self.sieve = PulseSieve(self.bounce_s, self.counted.factor / (self.pulses_per_unit * self.highest_pace))
        self.pace = PulsePace(self.zero_s, time.monotonic_ns())
        self.kept_at = self.reported_at = self.warned_at = -math.inf
        self.warned, self.report_due = 0, math.inf
        self.edges = self.context.edges(self.pin, self.on_edges, pull_up=True)

    def _resumed(self) -> MeterRecord:
        """Return the record of the last run, brought up to date with the settings."""
        self.begun = begun = MeterRecord.begin(self.counts, self.initial, self.pulses_per_unit)
        found = MeterRecord.of(self.kept.value)
        if found is None or found.counts != self.counts:
            if self.kept.value:
                log.warning("what was kept is of another meter: it begins with 'initial'", kept=self.kept.value)
            return begun
        resumed = self._with_initial(self._after_its_end(found))
        if resumed.per_unit != self.pulses_per_unit:
            resumed = resumed.with_per_unit(self.pulses_per_unit)
        if resumed != found:
            self.kept.value = resumed.kept
        return resumed

    def _after_its_end(self, found: MeterRecord) -> MeterRecord:
        """Return a record with one gap more if the last run was cut off."""
        if not found.running:
            return found
        lost = f"at most those of {self.write_s:g} s before, and those until now"
        log.warning("the last run was killed or lost power, so pulses may be missing", missing=lost)
        return replace(found, running=False, gaps=found.gaps + 1)

    def _with_initial(self, found: MeterRecord) -> MeterRecord:
        """Return a record that began with the figure in the settings, unless it was set by hand since."""
        if found.initial == self.initial:
            return found
        if found.changes:
            log.warning("'initial' changes nothing any more, because action/set has set the total since")
            return replace(found, initial=self.initial)
        by = self.initial - found.initial
        log.warning(f"'initial' has changed, and the total with it: {JUMP}", jump=by)
        return replace(found, initial=self.initial, base=found.base + by)

    # Pulses.

    def on_edges(self, batch: EdgeBatch) -> None:
        """Count what the edges mean; when the line rests, judge the last one."""
        if batch.lost:
            log.error("edges were lost, because they were read too slowly: pulses are missing", lost=batch.lost)
            self.record = replace(self.record, gaps=self.record.gaps + 1)
        if batch.times_ns:
            self._count(self.sieve.feed(batch))
        else:
            self._settle()

    def _settle(self) -> None:
        """Judge the last edge, unless another one has followed it by now."""
        until_ns = time.monotonic_ns()
        self.edges.catch_up()
        self._count(self.sieve.settle(until_ns))
        if self.sieve.waits:
            self.after(self.bounce_s, self._settle, name=SETTLE)

    def _count(self, times_ns: list[int]) -> None:
        self._warn()
        if times_ns:
            self.record = replace(self.record, count=self.record.count + len(times_ns), running=True)
            self.pace.add(times_ns)
            if not self.waits_for(KEEP):
                self.after(max(0.0, self.kept_at + KEEP_S - time.monotonic()), self._keep, name=KEEP)
            self._report_by(max(self.reported_at + REPORT_S, time.monotonic() + FIRST_S))

    def _keep(self) -> None:
        self.kept_at = time.monotonic()
        self.kept.value = self.record.kept

    def _warn(self) -> None:
        """Say that pulses are implausible, unless that was said within the hour."""
        if self.sieve.implausible > self.warned and time.monotonic() - self.warned_at >= WARN_S:
            self.warned_at = time.monotonic()
            log.warning("pulses came sooner than 'highest' allows, and are not counted", highest=self.highest_pace)
        self.warned = self.sieve.implausible

    # What is told.

    @property
    def total(self) -> float:
        """The figure as it is on the disk, so that after a power cut none is lower than what was told before."""
        saved, now = MeterRecord.of(self.kept.saved) or self.begun, self.record
        same = (saved.counts, saved.changes, saved.initial) == (now.counts, now.changes, now.initial)
        return (saved if same else now).total

    def read(self) -> Reading:
        """Return the figure on the dial, and how much it is now; then look when that may have halved."""
        now_ns = time.monotonic_ns() - round(self.bounce_s * SECOND_NS)  # what has closed since is no pulse yet
        self.edges.catch_up()
        self.reported_at, self.report_due = time.monotonic(), math.inf
        self.cancel(REPORT)
        pace = self.pace.per_second(now_ns)
        if pace:
            self._report_by(self.reported_at + self.pace.look_again_s(now_ns, pace, REPORT_S))
        if (total := self.total) != self.record.total:
            self._report_by(self.reported_at + self.write_s + FIRST_S)
        flow = {} if pace is None else {self.counted.pace: self._in_units(pace)}
        sorts = {"bounces": self.sieve.bounces, "implausible": self.sieve.implausible, "gaps": self.record.gaps}
        return {self.counts: total, **flow, **sorts}

    def _in_units(self, per_second: float) -> float:
        return round(per_second / self.pulses_per_unit * self.counted.factor, self.counted.digits)

    def _report_by(self, due: float) -> None:
        """Report at this time of the monotonic clock, in seconds, unless that is to happen sooner."""
        if due < self.report_due:
            self.report_due = due
            self.after(max(0.0, due - time.monotonic()), self.read, name=REPORT)

    def act_set(self, value: Json) -> Reading:
        """Set the total to the figure on the dial, such as `1234.5`. The log says how to make up for the jump."""
        figure = number(value, "total")
        if not 0 <= figure <= HIGHEST_FIGURE:
            raise Refused(f"send the figure on the dial: a number from 0 to {HIGHEST_FIGURE}")
        jump = round(figure - self.record.total, 6)
        self.record = self.record.set_to(figure)
        self._keep()
        log.warning(f"the total was set: {JUMP}", total=figure, jump=jump)
        return {self.counts: figure}

    def teardown(self) -> None:
        """Count what has come until now, and note that nothing is lost."""
        self._settle()
        self.record = replace(self.record, running=False)
        if self.kept.value != self.record.kept:
            self._keep()
