"""What a smart meter may measure, and the OBIS codes by which both of its languages name that (IEC 62056-61)."""

from collections.abc import Mapping

from bootstrap.device import Measure

COUNTED = {"1.8": "energy_in", "2.8": "energy_out"}
TARIFFS = {"0": "", "1": "_1", "2": "_2"}  # the first is the sum of all

# In kWh, V, A and Hz.
BY_OBIS: Mapping[str, str] = {
    **{f"{code}.{tariff}": name + end for code, name in COUNTED.items() for tariff, end in TARIFFS.items()},
    **{f"{20 * phase + 12}.7.0": f"voltage_l{phase}" for phase in (1, 2, 3)},
    **{f"{20 * phase + 11}.7.0": f"current_l{phase}" for phase in (1, 2, 3)},
    "14.7.0": "frequency",
}
# In W: what is drawn, what is delivered, and the difference of both.
POWERS: Mapping[str, tuple[str, str, str]] = {
    "power": ("1.7.0", "2.7.0", "16.7.0"),
    "power_l1": ("21.7.0", "22.7.0", "36.7.0"),
    "power_l2": ("41.7.0", "42.7.0", "56.7.0"),
    "power_l3": ("61.7.0", "62.7.0", "76.7.0"),
}

ENERGY = Measure("kWh", low=0, counter=True)
VOLUME = Measure("m³", low=0, counter=True)
MEASURES: Mapping[str, Measure] = {
    **{name: ENERGY for code, name in BY_OBIS.items() if code[1:3] == ".8"},
    **{name: Measure("W") for name in POWERS},  # above 0 where power is drawn from the grid
    **{f"voltage_l{phase}": Measure("V", low=0, high=999.9) for phase in (1, 2, 3)},
    **{f"current_l{phase}": Measure("A") for phase in (1, 2, 3)},
    "frequency": Measure("Hz", low=0, high=100),
    "tariff": Measure("1", low=0, high=9999),
    "gas": VOLUME,
    "gas_time": Measure(str),  # when the gas meter was read, which it is every 5 or 60 minutes
    "water": VOLUME,
    "water_time": Measure(str),
}


def net_powers(found: Mapping[str, float]) -> dict[str, float]:
    """Return the powers by measure, from those by OBIS code in W: what is drawn less what is delivered."""
    powers = dict[str, float]()
    for name, (drawn, delivered, both) in POWERS.items():
        if both in found:
            powers[name] = found[both]
        elif drawn in found:
            powers[name] = round(found[drawn] - found.get(delivered, 0.0), 3)
    return powers
