"""`penates`, by a clock that is off by as many seconds as stand in a file: other_clock.py FILE COMMAND …"""

import sys
import time
from pathlib import Path

from bootstrap.contract import timestamps
from penates.__main__ import main

TRUE_NS = time.time_ns
off_s = [0]  # what stood in the file last
YEAR_NS = 365 * 86_400 * 1_000_000_000


def time_ns() -> int:
    """The clock, which may have jumped since the last look; what only counts seconds (monotonic) has not."""
    if text := Path(sys.argv[1]).read_text():  # it is empty for a moment while it is being written
        off_s[0] = int(text)
    return TRUE_NS() + off_s[0] * 1_000_000_000


if __name__ == "__main__":
    time.time_ns, time.time = time_ns, lambda: time_ns() / 1e9
    # The kernel's word, which differs between the machines that run tests: it has been set unless it is years off.
    timestamps.synchronised = lambda: abs(time_ns() - TRUE_NS()) < YEAR_NS
    sys.exit(main(sys.argv[2:]))
