"""A voltage, and what it stands for."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure
from bootstrap.kernel_sensors.adc_sensor import CONVERTERS
from bootstrap.kernel_sensors.level_sensor import LevelSensor
from bootstrap.proof import DRIVER_NOT_RUN, KERNEL_DRIVER


@dataclass(kw_only=True)
class Adc(LevelSensor):
    """An input of a converter from voltages to numbers: volts, per cent, and what a table makes of them.

    Wiring: ADS1115, ADS1015, MCP3422, MCP3424, ADS7830: VDD to 3V3, GND to GND, SDA to GPIO 2, SCL to GPIO 3. MCP3008,
    MCP3202: VDD and VREF to 3V3, AGND and DGND to GND, CLK to GPIO 11, DOUT to GPIO 9, DIN to GPIO 10, CS to GPIO 8.
    An LDR is between 3V3 and the input, with 10 kohm between the input and ground.
    """

    zero_v: float = 0.0  # volts that are 0 %
    full_v: float = 3.3  # volts that are 100 %
    table: list[list[float]] | None = None  # pairs of volts and the value there, such as [[0.5, 0], [4.5, 10]]
    unit: str = "1"  # of the values in the table

    parts: ClassVar = dict.fromkeys([*CONVERTERS, "LDR"], KERNEL_DRIVER) | dict.fromkeys(
        ("MCP3008", "MCP3202"), DRIVER_NOT_RUN
    )

    voltage = Measure("V", low=-6.144, high=6.144)
    level = Measure("%", low=0, high=100)
    value = Measure("1")  # by the table
