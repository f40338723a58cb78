"""`penates new` at a terminal, and `penates kinds` without a house."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from support.gauges import device
from support.world import House


def test_on_a_terminal_it_asks(rainy: House) -> None:
    command = [sys.executable, "-m", "penates", "new", "door", "it", "--config", str(rainy.folder)]
    ours, theirs = pty.openpty()
    asking = subprocess.Popen(command, env=rainy.env(), stdin=theirs, stdout=subprocess.PIPE, text=True)
    os.close(theirs)
    os.write(ours, b"28\nseven\n4\n")
    said, _ = asking.communicate(timeout=120)
    os.close(ours)
    assert said.count("pin (GPIO line: its BCM number, ") == 3
    assert "it must be at least 0 and at most 27\n" in said
    assert "it must be a BCM number up to 27, a line (" in said
    assert device(rainy, "it")["pin"] == 4


def test_kinds_needs_no_house(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "penates", "kinds", "door"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert shown.startswith("door: A reed contact")
