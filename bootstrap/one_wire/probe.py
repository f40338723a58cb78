"""A probe on a 1-Wire bus, as a sensor of its own that its gateway reads."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from bootstrap.device import Measure
from bootstrap.gateway import Adopted
from bootstrap.needs import OneWireDevice
from bootstrap.one_wire.bus_master import PROBE


def a_probe(text: str) -> None:
    """Raise ValueError, saying what is allowed, if `text` cannot be the serial number of a probe."""
    if not PROBE.fullmatch(text):
        families = "10, 22, 28, 3b or 42, a hyphen and 12 hexadecimal digits in lower case"
        raise ValueError(f"a thermometer's serial number: {families}, such as 28-0316a2795fff")


@dataclass(kw_only=True)
class OneWireProbe(Adopted):
    """A DS18B20, DS18S20, DS1822, DS1825 or DS28EA00. Its gateway reads it, every `every_s` of the gateway.

    Wiring: red to 3V3, black to GND, yellow to the bus.
    """

    serial: Annotated[OneWireDevice, a_probe]  # of the probe, such as 28-0316a2795fff
    every_s: float = field(default=60.0, init=False, repr=False)  # the gateway's counts: see `period_s`

    identity: ClassVar[Sequence[str]] = ("serial",)

    # 85 °C is what the chip holds until its first conversion (DS18B20 data sheet, "Memory").
    temperature = Measure("°C", low=-55, high=125, step=10, power_on=85)

    @property
    def period_s(self) -> float:
        """The gateway's period."""
        return float(self.gateway.every_s) if hasattr(self, "adoption") else self.every_s
