"""Read all probes of a 1-Wire bus in one go, in a worker thread."""

import errno
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.one_wire.bus_master import ALONE, MASTERS, BusMaster, fresh
from bootstrap.sysfs import millis, missing

ENOUGH_S = 10.0  # time after which no further probe is converted by itself, well before a watchdog takes it for a hang


@dataclass(frozen=True)
class ProbeValue:
    """What a probe has answered: its temperature in °C or why there is none, and when, in seconds since 1970."""

    temperature: float | OSError | ValueError
    at: float


@dataclass
class BusRound:
    """What one round over the bus has brought.

    Attributes:
        values: the answers, by serial number.
        serials: all probes that the kernel lists, answered or not.
        why_each: by the name of a master with probes: why each of them was converted by itself; empty if all were
            converted at once.
        problem: why there is no bus; empty if there is one.
    """

    values: dict[str, ProbeValue] = field(default_factory=dict)
    serials: set[str] = field(default_factory=set)
    why_each: dict[str, str] = field(default_factory=dict)
    problem: OSError | None = None

    @property
    def conversion(self) -> str:
        """How the probes were converted, in one word."""
        ways = {"each" if why else "bulk" for why in self.why_each.values()}
        return "both" if len(ways) > 1 else next(iter(ways), "none")

    @property
    def answered(self) -> int:
        """How many probes have told a temperature."""
        return sum(isinstance(one.temperature, float) for one in self.values.values())


class BusReader:
    """Reads one bus, again and again."""

    def __init__(self, bus: Path, enough_s: float = ENOUGH_S) -> None:
        """Read the probes below this folder, such as `/sys/bus/w1/devices`."""
        self._bus, self._enough_s = bus, enough_s
        self._last = dict[str, float]()  # when each probe was read (monotonic)

    def read(self) -> BusRound:
        """Convert and read every probe, also those that nobody has adopted.

        Otherwise the kernel would keep what was converted in them, and hand it out as new to whoever reads them later.
        Where each is converted by itself, those that do not fit into `enough_s` come first the next time.
        """
        found, until = BusRound(), time.monotonic() + self._enough_s
        try:
            masters = [BusMaster(folder) for folder in sorted(self._bus.glob(MASTERS))]
            listed = [(master, master.probes()) for master in masters]
        except OSError as error:
            found.problem = error
            return found
        if not listed:
            why = f"{self._bus} has no {MASTERS}" if self._bus.is_dir() else missing(self._bus)
            found.problem = OSError(errno.ENODEV, why)
        for master, probes in sorted(listed, key=lambda one: self._longest_unread(one[1])):
            found.serials |= {probe.name for probe in probes}
            if probes:
                self._read_master(found, master, probes, until)
        self._last = {serial: at for serial, at in self._last.items() if serial in found.serials}
        return found

    def _longest_unread(self, probes: Iterable[Path]) -> float:
        return min((self._last.get(probe.name, 0.0) for probe in probes), default=0.0)

    def _read_master(self, found: BusRound, master: BusMaster, probes: list[Path], until: float) -> None:
        together = [probe for probe in probes if not probe.name.startswith(ALONE)]
        why = master.convert(together) if together else "the kernel converts no DS28EA00 together with others"
        found.why_each[master.folder.name] = why
        converted = [] if why else together
        at = time.time()
        for probe in converted:
            found.values[probe.name] = ProbeValue(_value(probe, fast=True), at)
            self._last[probe.name] = time.monotonic()
        others = {*probes} - {*converted}
        for probe in sorted(others, key=lambda one: (self._last.get(one.name, 0.0), one.name)):
            value = _value(probe, fast=False)
            found.values[probe.name] = ProbeValue(value, time.time())
            self._last[probe.name] = time.monotonic()
            if self._last[probe.name] >= until:
                break


def _value(probe: Path, *, fast: bool) -> float | OSError | ValueError:
    """Return the temperature that was converted before, or that is converted now; or why there is none."""
    try:
        return millis(probe / "temperature") if fast else fresh(probe)
    except (OSError, ValueError) as error:
        return error
