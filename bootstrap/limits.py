"""Bounds of the numbers that a setting or a command may hold."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

EXPLAINED = "explained"  # in the metadata of a setting without default: what to consider if it is missing
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
            bounds = (("at least", self.low), ("at most", self.high))
            raise ValueError(" and ".join(f"{word} {shown(limit)}" for word, limit in bounds if math.isfinite(limit)))


@dataclass(frozen=True, slots=True)
class FromText:
    """Accept text in place of a value: `call` returns the value, or raises ValueError with what it must be.

    It is applied where settings are read: `Annotated[int, FromText(line_number)]`.
    """

    call: Callable[[str], Any]


def shown(limit: float) -> str:
    """Return a limit for people: in full, and with its meaning where it has one."""
    return "31622400 (a year)" if limit == YEAR_S else f"{limit:.12g}"


def a_duration(value: object) -> None:
    """Raise ValueError, saying what is allowed, if `value` is a number of seconds beyond a year."""
    if isinstance(value, int | float) and value > YEAR_S:
        raise ValueError(f"at most {shown(YEAR_S)}")
