"""A change of an input."""

import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Edge:
    """An input has changed.

    Attributes:
        source: the gpiozero device, as `watch` returned it.
        active: its value after the edge, in its own sense (a pressed button, a closed contact).
        time_ns: when, in nanoseconds since 1970; by the kernel, where it tells.
    """

    source: Any
    active: bool
    time_ns: int


def wall_ns(monotonic_ns: int) -> int:
    """Return a time of the monotonic clock as one of the wall clock, by how long ago it was, in nanoseconds."""
    return time.time_ns() - (time.monotonic_ns() - monotonic_ns)
