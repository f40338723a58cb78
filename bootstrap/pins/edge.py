"""A change of an input."""

import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Edge:
    """A change of an input, with its time.

    Attributes:
        source: the gpiozero device, as `watch` returned it.
        active: whether the input is active after the edge (a pressed button, a closed contact).
        time_ns: when it occurred, in nanoseconds since 1970; the kernel's time where it provides one.
    """

    source: Any
    active: bool
    time_ns: int


def wall_ns(monotonic_ns: int) -> int:
    """Convert a time of the monotonic clock to the wall clock, by how long ago it was, in nanoseconds."""
    return time.time_ns() - (time.monotonic_ns() - monotonic_ns)
