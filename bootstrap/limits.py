"""Bounds of the numbers that a setting or a command may hold."""

import math
from dataclasses import dataclass
from typing import Any

YEAR_S = 366 * 24 * 3600  # longest duration in a setting or a command, in seconds


@dataclass(frozen=True, slots=True)
class Limits:
    """Accept the numbers from `low` to `high`, ends included: `Annotated[float, Limits(low=0)]`.

    Any other callable may take its place if it raises ValueError with what the value must be. `what` explains a
    setting to people if its device does not.
    """

    low: float = -math.inf
    high: float = math.inf
    what: str = ""

    def __call__(self, value: Any) -> None:  # noqa: ANN401 - any number
        """Raise ValueError, saying what is allowed, if `value` is out of bounds."""
        if not self.low <= value <= self.high:
            up_to = "" if self.high == math.inf else f" and at most {self.high:g}"
            raise ValueError(f"at least {self.low:g}{up_to}")
