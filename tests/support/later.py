"""`penates`, for which so many seconds more have passed as stand in a file: later.py FILE COMMAND …"""

import sys
import time
from pathlib import Path

from penates.__main__ import main

MONOTONIC = time.monotonic


def monotonic() -> float:
    """The seconds that have passed; the clock on the wall has not jumped."""
    return MONOTONIC() + float(Path(sys.argv[1]).read_text())


if __name__ == "__main__":
    time.monotonic = monotonic
    sys.exit(main(sys.argv[2:]))
