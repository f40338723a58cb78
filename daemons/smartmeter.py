"""A smart meter of electricity, and the meters of gas and water that it reads."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from bootstrap import Reading
from bootstrap.proof import WRITTEN_LINES
from bootstrap.serial_frames.smart_meter import BY_STANDARD, MeterDevice


@dataclass(kw_only=True)
class SmartMeter(MeterDevice):
    """A smart meter: of DSMR 2.2 to 5 by its port P1 (Netherlands, Belgium, Luxembourg), or of SML (Germany).

    Power is below 0 while more is delivered than drawn. Gas and water have the time at which their meters were read.

    Wiring: a P1 cable with USB; or an infrared head with USB on the optical port, and for all values the meter's PIN.
    """

    standard: Literal["dsmr5", "dsmr4", "dsmr3", "dsmr2", "sml"] = "dsmr5"  # what it sends: a version of DSMR, or SML

    parts: ClassVar = dict.fromkeys(("DSMR P1", "SML", "eHZ"), WRITTEN_LINES)

    def read(self) -> Reading:
        """Return what the next telegram says; the meter's own counters go on over our restarts."""
        return BY_STANDARD[self.standard].read(self.port)
