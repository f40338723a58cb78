"""Door locks on simulated lines, each with a bolt that follows its strike, and the commands to unlock them."""

import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from bootstrap.pins.simulated_lines import SimulatedLine

LOOK_S = 0.01
BOLT_S = 0.05  # that a bolt needs
UNLOCKED_S = 1.0  # for which a command unlocks
WATCHDOG_S = 1.0
MARGIN_S = 5.0  # what is promised beyond the time of the command and that of the watchdog
FIRST_LINE = 2


def device(number: int, fail: str) -> str:
    """Return the file of a lock: a strike or magnet that is locked (`secure`) or not without power, and its bolt."""
    line, bolt = lines(number)
    return f'kind = "lock"\npin = {line}\nbolt = {bolt}\nfail = "{fail}"\nmove_s = 0.3\nbounce_s = 0\n'


def lines(number: int) -> tuple[int, int]:
    """Return the lines of a lock: its strike's and its bolt's."""
    return FIRST_LINE + 2 * number, FIRST_LINE + 2 * number + 1


def command(for_s: float = UNLOCKED_S, ahead_s: float = 30.0) -> dict[str, object]:
    """Return a command to unlock that may be carried out once, until so many seconds from now."""
    before = datetime.now(UTC) + timedelta(seconds=ahead_s)
    return {"state": "unlocked", "for_s": for_s, "by": "trial", "id": uuid4().hex, "before": before.isoformat()}


@dataclass
class Door:
    """A lock as the world sees it: with a resistor to its fail state, and a bolt that follows."""

    number: int
    folder: Path
    fail: str
    unlocked: list[tuple[float, bool]] = field(default_factory=list)  # each change, and whether it then is unlocked

    def __post_init__(self) -> None:
        line, bolt = lines(self.number)
        self.strike, self.bolt = SimulatedLine(line, self.folder), SimulatedLine(bolt, self.folder)
        self._bolt_at = 0.0
        self.bolt.drive(False)

    @property
    def is_unlocked(self) -> bool:
        return bool(self.unlocked) and self.unlocked[-1][1]

    def look(self, now: float) -> None:
        """Note what the strike's line does, and let the bolt follow; a line that nobody holds is at its resistor."""
        found = bool(self.strike.level()) == (self.fail == "secure")
        if found != self.is_unlocked:
            self.unlocked.append((now, found))
            self._bolt_at = now + BOLT_S
        if self._bolt_at and now >= self._bolt_at:
            self._bolt_at = 0.0
            with suppress(OSError):  # one that hangs takes note of nothing
                self.bolt.drive(self.is_unlocked)

    def locked_since(self, when: float) -> float | None:
        """Return since when it has been locked for good, `when` if it was by then; None if it is not."""
        if self.is_unlocked:
            return None
        return max(when, self.unlocked[-1][0]) if self.unlocked else when


class World:
    """Looks at all doors, in a thread of its own."""

    def __init__(self, folder: Path, count: int, fail: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.doors = [Door(number, folder, fail) for number in range(count)]
        self._ends = threading.Event()
        self.longest_look_s = 0.0
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        before = time.monotonic()
        while not self._ends.wait(LOOK_S):
            now = time.monotonic()
            self.longest_look_s, before = max(self.longest_look_s, now - before), now
            for door in self.doors:
                door.look(now)

    def close(self) -> None:
        self._ends.set()
        self._thread.join()


def payload(one: dict[str, object]) -> str:
    return json.dumps(one)
