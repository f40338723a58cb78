"""Runs trials of locks, and prints what became of them: see `scripts/safety`."""

import argparse
import random
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from safety.houses import SupervisorHouse, SystemdHouse
from safety.trials import FAULTS, Tally, Trials

HOUSES = {"supervisor": SupervisorHouse, "systemd": SystemdHouse}
SHARED = "/dev/shm"  # seen by a systemd of our own, too, which has its own /tmp  # noqa: S108


def run(mode: str, count: int, rounds: int, seed: int) -> Tally:
    """Return what became of so many rounds over all faults, with so many locks."""
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory(dir=SHARED) as place, closing(HOUSES[mode](Path(place), count)) as house:
        house.start()
        trials = Trials(house, dice)
        try:
            for number in range(rounds):
                fault = [*FAULTS][number % len(FAULTS)]
                trials.round(fault)
                print(f"{mode}, round {number + 1} of {rounds}, {fault}: {len(trials.tally.wrong)} wrong", flush=True)
        finally:
            trials.eyes.close()
        print(f"the longest time between two looks at the lines: {house.world.longest_look_s:.2f} s", flush=True)
    return trials.tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=[*HOUSES])
    parser.add_argument("trials", type=int, nargs="?", default=500)
    parser.add_argument("--locks", type=int, default=10, help="at once; the header has lines for 13")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    given = parser.parse_args()
    print(f"seed {given.seed}")
    tally = run(given.mode, given.locks, -(-given.trials // given.locks), given.seed)
    print(tally.summary())
    return bool(tally.wrong)


if __name__ == "__main__":
    sys.exit(main())
