"""The base class of a gateway whose sensors are the probes on a 1-Wire bus."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bootstrap.device import Reading
from bootstrap.gateway import Gateway
from bootstrap.needs import OneWireBulk
from bootstrap.one_wire.bus_reader import BusReader
from bootstrap.one_wire.probe import OneWireProbe
from bootstrap.one_wire.probe_rounds import ProbeRounds


@dataclass(kw_only=True)
class ProbeGateway(Gateway):
    """Reads all probes on a bus in a worker thread. A subclass declares the measures `probes` and `conversion`."""

    bus: OneWireBulk = Path("/sys/bus/w1/devices")  # where the kernel lists its 1-Wire devices

    adopts: ClassVar = OneWireProbe
    blocks: ClassVar = True

    def setup(self) -> None:
        """Know who is on the bus."""
        self.rounds = ProbeRounds(self, BusReader(self.bus))

    def read(self) -> Reading:
        """Return how many probes answer, and how they are converted."""
        return self.rounds.read()

    def complete(self, reading: Reading) -> Reading:
        """Publish the temperatures."""
        return self.rounds.complete(reading)
