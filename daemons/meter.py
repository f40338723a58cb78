"""A meter of electricity, gas or water, by its pulses."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure
from bootstrap.plain_lines.pulse_meter import PulseMeter
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Meter(PulseMeter):
    """A meter of electricity, gas or water that pulses: its total, which survives a power cut, and what flows now.

    Wiring: S0: + to `pin`, - to GND, and 1 kohm from `pin` to 3V3. A reed contact: one wire to `pin`, the other to
    GND. A sensor of its lamp: VCC to 3V3, GND to GND, DO to `pin`.
    """

    parts: ClassVar = dict.fromkeys(("S0", "DDS238", "Elster A100C", "IN-Z61", "BK-G4", "TCRT5000"), DRIVEN_LINES)
    shown_as: ClassVar = {"bounces": "mdi:pulse", "implausible": "mdi:pulse", "gaps": "mdi:pulse"}

    energy_in = Measure("kWh", low=0, counter=True)  # the figure on the dial, as the next three
    energy_out = Measure("kWh", low=0, counter=True)
    gas = Measure("m³", low=0, counter=True)
    water = Measure("m³", low=0, counter=True)
    power = Measure("W", low=0)  # now
    flow = Measure("L/min", low=0)  # now, of gas or water
    bounces = Measure("1", low=0, counter=True)  # closings that were too short
    implausible = Measure("1", low=0, counter=True)  # closings that came too soon
    gaps = Measure("1", low=0, counter=True)  # times at which pulses may have been lost
