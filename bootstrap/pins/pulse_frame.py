"""Pulses: one frame as a transmitter sends it, and as text.

A frame is made of durations in microseconds, in turn with the carrier on and off; it begins with on and ends with off,
the gap before its repeat.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SHORTEST_US, LONGEST_US = 50, 200_000
MOST = 1022  # durations of a frame; the kernel's transmitter takes no more
MOST_US = 450_000  # of a frame: the kernel's transmitter stops at half a second
REPEATS, MOST_REPEATS = 8, 50
CODE = re.compile(r"c:(?P<code>[0-9]+);p:(?P<lengths>\d+(?:,\d+){0,9})(?:;r:(?P<repeats>\d{1,2}))?")
WHAT = (
    'pulses such as "c:0001…02;p:350,1050,10850;r:8": the digits choose from the lengths in microseconds, on and off in'
    " turn, the gap before the repeat last"
)


@dataclass(frozen=True)
class Frame:
    """What is sent, and how many times in a row."""

    durations: tuple[int, ...]
    repeats: int = REPEATS

    def __post_init__(self) -> None:
        if not 0 < len(self.durations) <= MOST or len(self.durations) % 2:
            raise ValueError(f"an even number of durations, at most {MOST}")
        if not all(SHORTEST_US <= one <= LONGEST_US for one in self.durations):
            raise ValueError(f"durations from {SHORTEST_US} to {LONGEST_US} µs")
        if self.on_air_us > MOST_US:
            raise ValueError(f"at most {MOST_US} µs in all")
        if not 0 < self.repeats <= MOST_REPEATS:
            raise ValueError(f"sent 1 to {MOST_REPEATS} times")

    @property
    def on_air_us(self) -> int:
        """How long one of its repeats occupies the air: all of it but the gap."""
        return sum(self.durations[:-1])

    @property
    def lasts_s(self) -> float:
        """How long it takes to send with its repeats and the gaps between, in seconds."""
        return self.repeats * sum(self.durations) / 1_000_000

    @property
    def shortest_us(self) -> int:
        """Its shortest duration, against which errors count."""
        return min(self.durations)

    @classmethod
    def parse(cls, text: str) -> "Frame":
        """Return the frame that a text stands for, in the form that pilight uses.

        Raises:
            ValueError: with what the text must be.
        """
        if not (found := CODE.fullmatch(text)):
            raise ValueError(WHAT)
        lengths = [int(length) for length in found["lengths"].split(",")]
        digits = [int(digit) for digit in found["code"]]
        if max(digits) >= len(lengths):
            raise ValueError(f"pulses whose digits are below {len(lengths)}, as there are as many lengths")
        return cls(tuple(lengths[digit] for digit in digits), int(found["repeats"] or REPEATS))

    def __str__(self) -> str:
        lengths = sorted({*self.durations})
        code = "".join(str(lengths.index(one)) for one in self.durations)
        return f"c:{code};p:{','.join(map(str, lengths))};r:{self.repeats}"


def pairs(frame: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield each pulse of durations with the gap behind it."""
    each = iter(frame)
    return zip(each, each, strict=True)
