"""The base class of rain gauges, which count how often a bucket tips."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from bootstrap.contact import CountingContact
from bootstrap.device import Measure, Reading, Seconds
from bootstrap.limits import Limits
from bootstrap.pins.edge import Edge

PARTS = 3  # of what is kept of the scale


@dataclass(kw_only=True)
class TippingBucket(CountingContact):
    """A contact that closes for a moment at each tip. The rain survives a restart, also one with another `mm_per_tip`.

    What has fallen was measured by the setting of its time; a new one counts for what falls from then on.
    """

    bounce_s: Seconds = 0.02
    mm_per_tip: Annotated[float, Limits(0.01, 10)] = 0.2794  # millimetres of rain at which it tips, such as 0.2

    write_s: ClassVar = 1.0  # tips are so few that an SD card does not mind: a power cut costs none

    rain = Measure("mm", low=0, counter=True)  # since it is there

    def setup(self) -> None:
        """Go on with the rain of the last run."""
        super().setup()
        # Millimetres at a tip, the tips that were counted when that was set, and the rain until then.
        self.scale = self.keep("scale", list[float]())
        if not self._has_scale and self.count.value:
            self.scale.value = [self.mm_per_tip, 0, 0.0]
        elif self._has_scale and self.scale.value[0] != self.mm_per_tip:
            self.scale.value = [self.mm_per_tip, self.count.value, self.fallen_mm]

    @property
    def _has_scale(self) -> bool:
        return len(self.scale.value) == PARTS

    @property
    def fallen_mm(self) -> float:
        """All the rain so far."""
        mm_per_tip, counted, before_mm = self.scale.value if self._has_scale else (self.mm_per_tip, 0, 0.0)
        return round(before_mm + (self.count.value - counted) * mm_per_tip, 4)

    def on_edge(self, edge: Edge) -> Reading | None:
        """Count when the contact closes; the first tip is written to the disk together with what it means."""
        if edge.active and not self._has_scale:
            self.scale.value = [self.mm_per_tip, 0, 0.0]
        return super().on_edge(edge)

    def read(self) -> Reading:
        """Return all the rain so far."""
        return {"rain": self.fallen_mm}
