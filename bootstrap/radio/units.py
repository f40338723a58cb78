"""What the fields of a transmission mean: their names end with a unit, such as `wind_avg_km_h`, which becomes ours.

What has no such end, and stands in no table here, is kept as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bootstrap.device import Measure
from bootstrap.quantities import NUMBERED, quantity

DIGITS = 3  # decimals that a conversion keeps
INCH_MM, MILE_M, FOOT_M, KNOT_M_S = 25.4, 1609.344, 0.3048, 1852 / 3600


@dataclass(frozen=True)
class Conversion:
    """How numbers of a unit become numbers of ours: `unit` = (theirs + `plus`) * `times`."""

    unit: str
    times: float = 1.0
    plus: float = 0.0

    def of(self, number: float) -> float:
        """Return a number in our unit; one that needs no conversion is what it was."""
        return number if (self.times, self.plus) == (1.0, 0.0) else round((number + self.plus) * self.times, DIGITS)


ENDS: Mapping[str, Conversion] = {  # of a field's name; of two that fit, the longer one counts
    "C": Conversion("°C"),
    "F": Conversion("°C", 5 / 9, -32),
    "pct": Conversion("%"),
    "hPa": Conversion("hPa"),
    "kPa": Conversion("hPa", 10),
    "PSI": Conversion("hPa", 68.947573),
    "inHg": Conversion("hPa", 33.863887),
    "m_s": Conversion("m/s"),
    "km_h": Conversion("m/s", 1 / 3.6),
    "kmh": Conversion("m/s", 1 / 3.6),
    "kph": Conversion("m/s", 1 / 3.6),
    "mi_h": Conversion("m/s", MILE_M / 3600),
    "mph": Conversion("m/s", MILE_M / 3600),
    "kn": Conversion("m/s", KNOT_M_S),
    "mm": Conversion("mm"),
    "in": Conversion("mm", INCH_MM),
    "inch": Conversion("mm", INCH_MM),
    "mm_h": Conversion("mm/h"),
    "in_h": Conversion("mm/h", INCH_MM),
    "deg": Conversion("°"),
    "lux": Conversion("lx"),
    "klux": Conversion("lx", 1000),
    "wm2": Conversion("W/m²"),
    "w_m2": Conversion("W/m²"),
    "cm": Conversion("m", 0.01),
    "m": Conversion("m"),
    "km": Conversion("m", 1000),
    "mi": Conversion("m", MILE_M),
    "ft": Conversion("m", FOOT_M),
    "mV": Conversion("V", 0.001),
    "V": Conversion("V"),
    "A": Conversion("A"),
    "W": Conversion("W"),
    "kW": Conversion("W", 1000),
    "Wh": Conversion("kWh", 0.001),
    "kWh": Conversion("kWh"),
    "ppm": Conversion("ppm"),
    "ug_m3": Conversion("µg/m³"),
    "g_m3": Conversion("g/m³"),
    "dB": Conversion("dB"),
    "dBm": Conversion("dBm"),
    "Hz": Conversion("Hz"),
    "s": Conversion("s"),
    "ms": Conversion("s", 0.001),
}
WITHOUT_END: Mapping[str, str] = {"humidity": "%", "moisture": "%", "uv": "1", "uvi": "1", "strike_count": "1"}

NAMES: Mapping[str, str] = {  # where the field is not called what it is
    "battery": "battery_voltage",  # in V or mV
    "rain_total": "rain",
    "rainfall": "rain",
    "rainfall_accumulation": "rain",
    "wind_speed": "wind_avg",
    "wind_gust": "wind_max",
    "gust_speed": "wind_max",
    "wind_direction": "wind_dir",
}


@dataclass(frozen=True)
class Field:
    """What a field is to us: the name and the declaration of a measure, and how to convert its numbers."""

    name: str
    measure: Measure
    conversion: Conversion


def field_of(name: str) -> Field | None:
    """Return what the numbers of a field are, or None if nobody knows."""
    if unit := WITHOUT_END.get(NUMBERED.sub("", name)):
        return Field(name, quantity(name, unit), Conversion(unit))
    words = name.split("_")
    for first in range(1, len(words)):
        if conversion := ENDS.get("_".join(words[first:])):
            ours = "_".join(words[:first])
            ours = NAMES.get(ours, ours)
            return Field(ours, quantity(ours, conversion.unit), conversion)
    return None
