"""A rain gauge."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap.plain_lines.tipping_bucket import TippingBucket
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class RainGauge(TippingBucket):
    """A tipping bucket, whose magnet closes a reed contact for a moment at each tip. Its count survives a restart.

    Wiring: one wire to `pin`, the other to GND. The Pi's own pull-up does the rest.
    """

    parts: ClassVar = dict.fromkeys(("WH-SP-RG", "SEN-15901", "Davis 6464", "Davis 6466"), DRIVEN_LINES)
