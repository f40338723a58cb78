"""What follows from the temperature and the relative humidity of air."""

import math

FREEZING_K = 273.15
VAPOUR_CONSTANT = 461.5  # specific gas constant of water vapour, in J/(kg·K)
DRIEST = 0.1  # per cent; drier air has no dew point that the formula could tell
WARM_F = 80.0  # heat index, in °F, from which the regression holds

# Magnus formula over water: D. Sonntag, "Important new values of the physical constants of 1986, vapour pressure
# formulations based on the ITS-90, and psychrometer formulae", Zeitschrift für Meteorologie 40 (1990), 340-344.
# The same coefficients are in the WMO's "Guide to Meteorological Instruments" (No. 8), annex 4.B: -45 to 60 °C.
MAGNUS_HPA, MAGNUS_FACTOR, MAGNUS_C = 6.112, 17.62, 243.12
COLDEST_C, WARMEST_C = -45, 60

# Coefficients of L. P. Rothfusz, "The Heat Index Equation", National Weather Service SR 90-23 (1990): of 1, T, R, T R,
# T², R², T² R, T R², T² R², with T in °F and R in per cent.
ROTHFUSZ = (-42.379, 2.04901523, 10.14333127, -0.22475541, -6.83783e-3, -5.481717e-2, 1.22874e-3, 8.5282e-4, -1.99e-6)


def vapour_pressure(celsius: float, humidity: float) -> float:
    """Return the pressure of the water vapour in air, in hPa, by the Magnus formula (Sonntag 1990).

    Raises:
        ValueError: the formula does not hold at this temperature.
    """
    if not COLDEST_C <= celsius <= WARMEST_C:
        raise ValueError(f"the formula holds from {COLDEST_C} to {WARMEST_C} °C, and not at {celsius:g} °C")
    return humidity / 100 * MAGNUS_HPA * math.exp(MAGNUS_FACTOR * celsius / (MAGNUS_C + celsius))


def dew_point(celsius: float, humidity: float) -> float:
    """Return the temperature, in °C, to which air must cool for dew: the Magnus formula (Sonntag 1990), solved for it.

    Raises:
        ValueError: the air is too dry to have one, or the formula does not hold at this temperature.
    """
    if humidity < DRIEST:
        raise ValueError(f"air of {humidity:g} % has no dew point")
    magnus = math.log(vapour_pressure(celsius, humidity) / MAGNUS_HPA)
    return MAGNUS_C * magnus / (MAGNUS_FACTOR - magnus)


def absolute_humidity(celsius: float, humidity: float) -> float:
    """Return how much water is in air, in g/m³: the law of ideal gases, with the vapour pressure of Magnus."""
    pascal = 100 * vapour_pressure(celsius, humidity)
    return 1000 * pascal / (VAPOUR_CONSTANT * (FREEZING_K + celsius))


def heat_index(celsius: float, humidity: float) -> float:
    """Return how warm air feels, in °C, as the US National Weather Service computes it.

    The mean of the temperature and of Steadman's simple formula, and from 80 °F on the regression of Rothfusz (1990),
    with that service's adjustments for dry and damp air: https://www.wpc.ncep.noaa.gov/html/heatindex_equation.shtml
    """
    warm = celsius * 9 / 5 + 32
    simple = 0.5 * (warm + 61.0 + (warm - 68.0) * 1.2 + humidity * 0.094)
    felt = (simple + warm) / 2
    if felt >= WARM_F:
        felt = _rothfusz(warm, humidity) + _adjustment(warm, humidity)
    return (felt - 32) * 5 / 9


def _rothfusz(warm: float, humidity: float) -> float:
    t, r = warm, humidity
    terms = (1, t, r, t * r, t * t, r * r, t * t * r, t * r * r, t * t * r * r)
    return sum(factor * term for factor, term in zip(ROTHFUSZ, terms, strict=True))


def _adjustment(warm: float, humidity: float) -> float:
    """Return what is added to the regression, in °F: below 13 % of humidity, and above 85 %."""
    if humidity < 13 and 80 <= warm <= 112:  # noqa: PLR2004 - as that service states them
        return -(13 - humidity) / 4 * math.sqrt((17 - abs(warm - 95)) / 17)
    if humidity > 85 and 80 <= warm <= 87:  # noqa: PLR2004 - as above
        return (humidity - 85) / 10 * (87 - warm) / 5
    return 0.0
