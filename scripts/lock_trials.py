"""Trials of door locks, as many as you like: see `scripts/safety`, which runs this."""

import argparse
import json
import random
import sys
from functools import partial

from safety.run import HOUSES, SANDBOX, each, run
from safety.trials import FAULTS, Tally
from safety_table import SEEN, measured


def record(mode: str, tally: Tally) -> None:
    """Write down what was measured, for docs/SAFETY.md."""
    found = measured()
    wrong = {fault: sum(f" {fault}:" in one for one in tally.wrong) for fault in FAULTS}
    found[f"lock, {mode}"] = {
        fault: [tally.right[fault], tally.right[fault] + wrong[fault], round(tally.longest[fault], 1)]
        for fault in FAULTS
    }
    SEEN.write_text(json.dumps(found, indent=1) + "\n")


def main() -> int:
    """Run the trials, and print what became of them; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=[*HOUSES, *SANDBOX])
    parser.add_argument("trials", type=int, nargs="?", default=500)
    parser.add_argument("--locks", type=int, default=10, help="at once; the header has lines for 13")
    parser.add_argument("--fail", choices=("secure", "safe"), default="secure", help="what they are without power")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--record", action="store_true", help="write what was measured into docs/safety.json")
    given = parser.parse_args()
    print(f"seed {given.seed}")
    faults = each(-(-given.trials // given.locks))
    tally = run(given.mode, given.locks, faults, given.seed, partial(print, flush=True), fail=given.fail)
    print(tally.summary())
    if given.record:
        record(given.mode if given.fail == "secure" else f"{given.mode}, safe", tally)
    return bool(tally.wrong)


if __name__ == "__main__":
    sys.exit(main())
