"""Temperature, humidity and air pressure."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Measure
from bootstrap.kernel_sensors.chip import Chip
from bootstrap.kernel_sensors.kernel_sensor import KernelSensor
from bootstrap.proof import DRIVER_NOT_RUN, KERNEL_DRIVER


@dataclass(kw_only=True)
class Climate(KernelSensor):
    """A chip that measures temperature and, as far as it can, humidity and air pressure.

    Wiring: On I2C: VIN to 3V3, GND to GND, SDA to GPIO 2, SCL to GPIO 3. DHT11, DHT22, AM2302: + to 3V3, - to GND, data
    to GPIO 4, unless `chip` names another line, and 10 kohm from data to 3V3, unless its board has them.
    """

    chip: Chip = Chip("BME280")
    parts: ClassVar = {
        **dict.fromkeys(("BME280", "BMP280", "SHT30", "SHT31", "SHT35", "SHT40", "SHT41", "SHT45"), KERNEL_DRIVER),
        **dict.fromkeys(("SHT21", "SHTC3", "AHT10", "HTU21D", "SI7021", "HDC1080"), KERNEL_DRIVER),
        **dict.fromkeys(("LM75", "TMP102", "MCP9808", "ADT7410"), KERNEL_DRIVER),
        **dict.fromkeys(("AHT20", "HTS221", "HDC3020", "DHT11", "DHT22", "AM2302"), DRIVER_NOT_RUN),
    }

    temperature = Measure("°C", low=-55, high=150)
    humidity = Measure("%", low=0, high=100)
    pressure = Measure("hPa", low=300, high=1100)
