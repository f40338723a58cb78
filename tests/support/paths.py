"""Where the tests, and what they start as programs of their own, are."""

from pathlib import Path

SUPPORT = Path(__file__).resolve().parent
TESTS = SUPPORT.parent
ROOT = TESTS.parent
COVERAGE = ROOT / ".coverage_cache"
WHEN_COVERED = SUPPORT / "when_covered"
WARM_PROCESS = SUPPORT / "warm_process.py"
SHIPPED = ROOT / "mosquitto" / "penates.conf"

# `penates` with something changed: the program of House.run.
FULL_DISK = str(SUPPORT / "full_disk.py")
INJECT = str(SUPPORT / "inject.py")
OTHER_CLOCK = str(SUPPORT / "other_clock.py")
QUICK = [str(SUPPORT / "quick.py")]
SEVERAL = str(SUPPORT / "several.py")
STUCK = str(SUPPORT / "stuck.py")
