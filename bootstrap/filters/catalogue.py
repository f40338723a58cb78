"""All filters, by the name that a file gives them."""

from collections.abc import Mapping

from bootstrap.filters.filter import Filter
from bootstrap.filters.holding import Deadband, Throttle
from bootstrap.filters.limits_below import HighLimit, LowLimit, StepLimit
from bootstrap.filters.linear import Calibrate, Unit
from bootstrap.filters.simple import Clamp, Invert, Round
from bootstrap.filters.windows import Exponential, Mean, Median, Quantile

FILTERS: Mapping[str, type[Filter]] = {
    "calibrate": Calibrate,
    "clamp": Clamp,
    "deadband": Deadband,
    "exponential": Exponential,
    "high": HighLimit,
    "invert": Invert,
    "low": LowLimit,
    "mean": Mean,
    "median": Median,
    "quantile": Quantile,
    "round": Round,
    "step": StepLimit,
    "throttle": Throttle,
    "unit": Unit,
}
