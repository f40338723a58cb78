"""What the demo says of its readings: also if some are lost, or their times are in another order."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bootstrap.history.points import Point
from bootstrap.history.sqlite.store import SqliteStore
from penates.demo.tally import Tally

RECORDER = "cm/recorder"
LOGGED = """
import sys
from bootstrap.logs import log
for sensor in ("cm/cellar", "cm/recorder"):
    log.start(sensor, "debug", "text")
    for seq in range(1, 6):
        log.debug("read", seq=seq, reading={"temperature": 14.5, "note": "read (seq=7"})
    log.info("stopping", seq=9)
"""


@pytest.fixture
def logged(tmp_path: Path) -> Path:
    """The log of two sensors that have made five readings each."""
    file = tmp_path / "supervisor.log"
    with file.open("w") as log:
        subprocess.run([sys.executable, "-c", LOGGED], stderr=log, check=True)
    return file


def stored(file: Path, times: list[int]) -> None:
    with closing(SqliteStore(file, 36_500, owner=True)) as store:
        points = [Point("cm/cellar", time, "r1", seq, {"temperature": 14.5}) for seq, time in enumerate(times, 1)]
        store.put([*points, Point(RECORDER, times[0], "r1", 1, {"recorded": 3.0})])


@pytest.mark.parametrize(
    ("seconds", "line", "whole"),
    [
        ([0, 1, 2, 3, 4], "readings made 5, recorded 5, lost 0, out of order 0", True),
        ([0, 1, 2, 2, 2], "readings made 5, recorded 5, lost 0, out of order 0", True),
        ([0, 1, 2], "readings made 5, recorded 3, lost 2, out of order 0", False),
        ([0, 3, 1, 2, 4], "readings made 5, recorded 5, lost 0, out of order 1", False),
        ([0, 1, 2, 3, 4, 5], "readings made 6, recorded 6, lost 0, out of order 0", True),
    ],
)
def test_a_loss_and_a_disorder_are_counted(
    logged: Path, tmp_path: Path, seconds: list[int], line: str, *, whole: bool
) -> None:
    history = tmp_path / "history.sqlite"
    stored(history, [1_795_206_667_000_000 + second * 1_000_000 for second in seconds])
    account = Tally(logged, history, RECORDER).account()
    assert (str(account), account.whole) == (line, whole)


def test_what_is_not_recorded_yet_is_counted_as_it_is_read(logged: Path, tmp_path: Path) -> None:
    text = logged.read_text()
    logged.write_text(text[: text.index("\n") + 30])  # in the middle of a line
    tally = Tally(logged, tmp_path / "none.sqlite", RECORDER)
    tally.update()
    before = tally.made.total()
    logged.write_text(text)
    tally.update()
    assert (before, tally.made, tally.recorded.total()) == (1, {"cm/cellar": 5}, 0)
    assert str(tally.account()) == "readings made 5, recorded 0, lost 5, out of order 0"
