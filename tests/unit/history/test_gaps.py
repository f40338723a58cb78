"""Readings that never arrive are counted, those that come late or again are not."""

import pytest

from bootstrap.history import gaps as module
from bootstrap.history.gaps import Gaps
from bootstrap.history.points import FOREIGN, Point


def counted(*seqs: int, run: str = "r1", gaps: Gaps | None = None) -> int:
    gaps = gaps or Gaps()
    gaps.note(Point("cm/attic", 1, run, seq, {}) for seq in seqs)
    return gaps.missing


@pytest.mark.parametrize(
    ("seqs", "missing"),
    [
        ((1, 2, 3), 0),
        ((7, 8, 9), 0),  # what came before the recorder's start is not its business
        ((1, 4), 2),
        ((1, 4, 1, 4, 5, 9), 5),
        ((1, 4, 2), 1),
        ((1, 4, 3, 2, 3, 2), 0),
        ((3, 1, 2), 0),
        ((1, 100_000), 99_998),
        ((1, 100_000, 99_999, 5), 99_997),
    ],
)
def test_what_is_missing_in_a_run(seqs: tuple[int, ...], missing: int) -> None:
    assert counted(*seqs) == missing


def test_each_run_is_counted_by_itself_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    gaps = Gaps()
    counted(1, 2, gaps=gaps)
    counted(1, 3, 5, run="r2", gaps=gaps)
    assert counted(3, gaps=gaps) == 2
    assert counted(1, 9, run=f"{FOREIGN}x", gaps=gaps) == 2
    assert caplog.text.count("readings are missing") == 1


def test_runs_without_end_take_no_memory_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RUNS", 2)
    gaps = Gaps()
    for run in ("r1", "r2", "r3"):
        counted(1, run=run, gaps=gaps)
    assert counted(9, run="r1", gaps=gaps) == 0
    assert counted(9, run="r3", gaps=gaps) == 7
