"""A device with measures of many sorts, for their filters. `kind = "support.filtered_devices.Weather"`."""

from dataclasses import dataclass

from bootstrap.device import Measure
from support.odd_devices import Told


@dataclass(kw_only=True)
class Weather(Told):
    """Wiring: none. It reads what a file of JSON says, as `Told` does."""

    temperature = Measure("°C", low=-55, high=125, step=50, power_on=85)
    humidity = Measure("%", low=0, high=100)
    pressure = Measure("hPa", low=300, high=1100)
    wind = Measure("m/s", low=0)
    light = Measure("lx", low=0)
    power = Measure("W")
    rain = Measure("mm", low=0, counter=True)
    open = Measure(bool)
    gust = Measure("m/s")
    noise = Measure("dB")
    soil = Measure("%")
    dust = Measure("µg/m³")
