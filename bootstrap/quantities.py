"""Quantities that many things measure, by the usual names: their units, and what they can truly be."""

import re
from collections.abc import Mapping
from dataclasses import replace

from bootstrap.device import Measure

NUMBERED = re.compile(r"_\d+$")
MOST_PROBES = 4  # of one transmitter

# What such a quantity can truly be, and by how much it changes from one transmission to the next.
QUANTITIES: Mapping[str, Measure] = {
    "temperature": Measure("°C", low=-60, high=100, step=10),
    "humidity": Measure("%", low=0, high=100, step=50),
    "moisture": Measure("%", low=0, high=100, step=50),
    "pressure": Measure("hPa", low=300, high=1100, step=20),
    "wind_avg": Measure("m/s", low=0, high=80, step=40),
    "wind_max": Measure("m/s", low=0, high=110, step=60),
    "wind_dir": Measure("°", low=0, high=360),
    "rain": Measure("mm", low=0, high=100_000, step=100, counter=True),
    "rain_rate": Measure("mm/h", low=0, high=2000),
    "light": Measure("lx", low=0, high=250_000),
    "uv": Measure("1", low=0, high=25),
    "uvi": Measure("1", low=0, high=25),
    "strike_count": Measure("1", low=0, counter=True),
    "energy": Measure("kWh", low=0, counter=True),
    "power": Measure("W"),
    "depth": Measure("m", low=0, high=100),
    "battery_voltage": Measure("V", low=0, high=50),
}
PROBE = Measure("°C", low=-60, high=400, step=50)  # one of several, such as those for a roast


def quantity(name: str, unit: str) -> Measure:
    """Return the declaration of a measure with this name and unit."""
    base = NUMBERED.sub("", name)
    found = QUANTITIES.get(base)
    if found is None or found.unit != unit:
        return Measure(unit)
    return PROBE if base != name and base == "temperature" else replace(found)


def known() -> dict[str, Measure]:
    """Return the measures that a transmitter may have, as far as somebody may want to set limits of them."""
    probes = [f"{name}_{number}" for name in ("temperature", "humidity") for number in range(1, MOST_PROBES + 1)]
    return {**QUANTITIES, **{name: quantity(name, str(QUANTITIES[name.rsplit("_", 1)[0]].unit)) for name in probes}}
