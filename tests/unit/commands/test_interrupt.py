"""Ctrl-C, at whatever moment, ends a command without a traceback."""

import os
import select
import signal
import subprocess
import sys

import pytest

from support.history import RecordedHouse
from support.world import House

INTERRUPTED = 130
PROGRAM = """import os, signal, sys
from penates.__main__ import main
interrupt = lambda *_: signal.raise_signal(signal.SIGINT)
sys.argv = ['penates', 'kinds']
"""


@pytest.mark.parametrize("moment", ["a module is loaded", "it works", "it is over"])
def test_ctrl_c_at_any_moment(house: House, moment: str) -> None:
    """The program interrupts itself there, as no clock of ours could."""
    begin = {
        "a module is loaded": "class Finder:\n  def find_spec(self, name, *_):\n"
        "    if name in ('penates.cli', 'penates.commands.kinds'): interrupt()\nsys.meta_path.insert(0, Finder())",
        "it works": "import penates.commands.kinds as it; it.main = interrupt",
        "it is over": "import atexit; atexit.register(interrupt)",
    }[moment]
    program = f"{PROGRAM}\n{begin}\nsys.exit(main())"
    done = subprocess.run([sys.executable, "-c", program], env=house.env(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (INTERRUPTED, "")


def test_ctrl_c_while_it_waits_for_input(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(house.folder / "state"))
    RecordedHouse(house, capsys)
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "penates", "import", "-", "--sensor", "cm/a", "--config", str(house.folder)]
    with os.fdopen(reader, "rb") as ours, os.fdopen(writer, "wb") as theirs:
        running = subprocess.Popen(command, env=house.env(), stdin=ours, stderr=subprocess.PIPE, text=True)
        theirs.write(b"time,a\n" + b"1767225600,1\n" * 20_000)  # more than a pipe holds: once it is through, it is read
        theirs.flush()
        select.select([], [theirs], [], 60)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert (running.returncode, said) == (INTERRUPTED, "")
