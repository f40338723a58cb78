"""A 1-Wire bus with many thermometers."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bootstrap import Gateway, Measure, OneWireBulk, Reading
from bootstrap.one_wire.bus_reader import BusReader
from bootstrap.one_wire.probe import OneWireProbe
from bootstrap.one_wire.probe_rounds import WAYS, ProbeRounds
from bootstrap.proof import DRIVER_NOT_RUN


@dataclass(kw_only=True)
class OneWire(Gateway):
    """A 1-Wire bus with many DS18B20 probes, which are converted all at once, in 0.75 s.

    Wiring: red to 3V3, black to GND, yellow to GPIO 4, and once for all probes 4.7 kohm from yellow to red.
    """

    # Whoever asks for a DS18B20 gets the kind of a single one, `thermometer`.
    parts: ClassVar = dict.fromkeys(("DS18S20", "DS1822", "DS1825", "DS28EA00"), DRIVER_NOT_RUN)

    bus: OneWireBulk = Path("/sys/bus/w1/devices")  # where the kernel lists its 1-Wire devices

    adopts: ClassVar = OneWireProbe
    blocks = True  # the conversion takes 0.75 s, and 0.06 s of each probe follow

    probes = Measure("1", low=0)  # that answer, adopted or not
    conversion = Measure(str, words=WAYS)  # all at once (bulk), or each by itself, which takes 0.8 s each

    def setup(self) -> None:
        """Know who is on the bus."""
        self.rounds = ProbeRounds(self, BusReader(self.bus))

    def read(self) -> Reading:
        """Return how many probes answer, and how they are converted."""
        return self.rounds.read()

    def complete(self, reading: Reading) -> Reading:
        """Publish the temperatures."""
        return self.rounds.complete(reading)
