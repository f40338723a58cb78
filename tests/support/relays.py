"""What two relays of one motor have done: whether both were ever on, and how long both were off in between."""

from collections.abc import Sequence
from pathlib import Path

from bootstrap.pins.simulated_lines import SimulatedLine


class RelayHistory:
    """All levels that were set on some lines of a folder, from now on."""

    def __init__(
        self, lines: Sequence[int], folder: Path | None = None, *, on: bool = True, resting: bool = False
    ) -> None:
        """`on` is the level at which a relay is on; `resting` means that they rest already, and do so long enough."""
        self._on, self._resting = on, resting
        self._lines = [SimulatedLine(line, folder) for line in lines]
        for line in self._lines:
            line.history.touch()

    def levels(self) -> list[tuple[int, int, bool]]:
        """Each level that was set, in order: when, in nanoseconds, on which line, and whether that is on."""
        found = []
        for line in self._lines:
            for row in line.history.read_text().splitlines():
                at, level = row.split()
                found.append((int(at), line.number, (float(level) > 0) == self._on))
        return sorted(found)

    @property
    def switched_on(self) -> list[int]:
        """The lines that were switched on, in order."""
        return [line for _at, line, on in self.levels() if on]

    def check(self, dead_s: float) -> None:
        """Both were never on at once, and from each moment at which one was not yet off for certain, dead time passed.

        A line that a process takes over is set to off at that moment: its motor may have turned until then.
        """
        on = {line.number: False for line in self._lines} if self._resting else {}
        changed: dict[int, int] = {}
        for at, line, is_on in self.levels():
            others = [other for other in changed if other != line]
            if is_on and not on.get(line):
                assert not any(on[other] for other in others), f"both on: {self.levels()}"
                for other in others:
                    assert at - changed[other] >= dead_s * 1e9, f"no dead time: {self.levels()}"
            if is_on or on.get(line, True):
                changed[line] = at
            on[line] = is_on
