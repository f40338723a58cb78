"""What is promised of a fault, and what was measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """What was measured. None: not measured, since nothing is promised of it."""

    lost: int | None
    duplicated: int | None
    disordered: int | None
    wrong: int | None
    recovered_s: float | None


@dataclass(frozen=True)
class Promise:
    """What a test's marker says: at most so many of each. None: not promised, or no such thing."""

    fault: str
    promise: str
    lost: int | None = 0
    disordered: int | None = 0
    wrong: int | None = 0
    within_s: float | None = 10.0
    timed: bool = False  # whether the time is judged, too: only where it is measured for the page, on a quiet machine

    def hold(self, measured: Verdict, facts: str) -> None:
        """Against what was measured; it must have been measured where something is promised, and there alone."""
        for name, number, most in (
            ("lost", measured.lost, self.lost),
            ("out of order", measured.disordered, self.disordered),
            ("wrong state", measured.wrong, self.wrong),
            ("seconds to recover", measured.recovered_s, self.within_s),
        ):
            assert (number is None) == (most is None), f"{name}: measured {number}, promised {most}"
            judged = self.timed or most is not self.within_s
            assert number is None or most is None or not judged or number <= most, f"{name}: {number}; {facts}"
