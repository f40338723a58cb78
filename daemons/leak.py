"""A water sensor."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Contact, Measure, Reading, Seconds
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Leak(Contact):
    """A plate or a probe with a comparator, which pulls its digital output low while it is wet.

    Wiring: DO to `pin`, VCC to 3V3, GND to GND; AO stays free. Turn its screw until its lamp is just out when it is
    dry. Under current a wet plate corrodes: look at it once a year.
    """

    bounce_s: Seconds = 0.5

    parts: ClassVar = dict.fromkeys(("YL-83", "FC-37", "MH-RD", "YL-69", "FC-28"), DRIVEN_LINES)

    wet = Measure(bool)

    def shows(self, *, closed: bool) -> Reading:
        """Report a wet plate while the module pulls its line low."""
        return {"wet": closed}
