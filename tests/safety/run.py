"""Trials of locks under one of the two supervisors, in a folder that is gone afterwards."""

import random
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from safety.houses import HardenedHouse, SupervisorHouse, SystemdHouse
from safety.trials import FAULTS, Tally, Trials

HOUSES: dict[str, type[SupervisorHouse] | type[SystemdHouse]] = {"supervisor": SupervisorHouse, "systemd": SystemdHouse}
SANDBOX = {"systemd in the sandbox": HardenedHouse}  # wants a Python that the user `daemon` may run
SHARED = "/dev/shm"  # a systemd of our own sees it, too; it has its own /tmp


def run(  # noqa: PLR0913 - the last two have defaults
    mode: str,
    count: int,
    faults: Sequence[str],
    seed: int,
    tell: Callable[[str], None] = lambda _text: None,
    *,
    fail: str = "secure",
) -> Tally:
    """Return what became of a round of each of these faults, with so many locks at once."""
    make = {**HOUSES, **SANDBOX}[mode]
    with tempfile.TemporaryDirectory(dir=SHARED) as place, closing(make(Path(place), count, fail)) as house:
        house.start()
        with closing(Trials(house, random.Random(seed))) as trials:
            for number, fault in enumerate(faults, 1):
                trials.round(fault)
                tell(f"{mode}, round {number} of {len(faults)}, {fault}: {len(trials.tally.wrong)} wrong")
        tell(f"the longest time between two looks at the lines: {house.world.longest_look_s:.2f} s")
    return trials.tally


def each(rounds: int) -> list[str]:
    """Return so many faults, of each kind as many."""
    return [[*FAULTS][number % len(FAULTS)] for number in range(rounds)]
