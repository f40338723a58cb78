"""Voltage, current, power and energy of a battery, a solar panel or a device."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from bootstrap import Limits, Measure
from bootstrap.kernel_sensors.chip import Chip
from bootstrap.kernel_sensors.power_sensor import PowerSensor
from bootstrap.proof import KERNEL_DRIVER


@dataclass(kw_only=True)
class Power(PowerSensor):
    """A power monitor on I2C, which measures the voltage over a shunt. Energy counts what flows from VIN+ to VIN-.

    Wiring: VCC to 3V3, GND to GND and to the load's, SDA to GPIO 2, SCL to GPIO 3, VIN+ to the supply, VIN- to the
    load.
    """

    chip: Chip = Chip("INA219")
    shunt: Annotated[float, Limits(1e-6, 10)] = 0.1  # resistance of the shunt in ohms: R100 is 0.1, R010 is 0.01
    channel: Annotated[int, Limits(1, 3)] = 1  # number of the input of an INA3221

    parts: ClassVar = dict.fromkeys(("INA219", "INA226", "INA238", "INA3221"), KERNEL_DRIVER)

    voltage = Measure("V", low=0, high=85)
    current = Measure("A")
    power = Measure("W")
    energy = Measure("Wh", low=0, counter=True)  # since the sensor was new
