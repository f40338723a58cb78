"""Weight on a load cell."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure
from bootstrap.kernel_sensors.chip import Chip
from bootstrap.kernel_sensors.weight_sensor import WeightSensor
from bootstrap.proof import DRIVER_NOT_RUN


@dataclass(kw_only=True)
class Weight(WeightSensor):
    """A scale: a load cell at an HX711. To set it up, read `raw` without and with a known weight.

    Wiring: VCC to 3V3, GND to GND, DT to GPIO 5, SCK to GPIO 6, unless `chip` names other lines; the cell's red to E+,
    black to E-, white to A-, green to A+.
    """

    chip: Chip = Chip("HX711")
    tare: float = 8_388_608.0  # raw number without a weight, until the action `tare` has set another one
    scale: float = 1000.0  # by how much the raw number grows for each unit; negative if it falls
    unit: str = "g"  # of the weight

    parts: ClassVar = {"HX711": DRIVER_NOT_RUN}

    weight = Measure("g")
    raw = Measure("1", low=0, high=16_777_215)
