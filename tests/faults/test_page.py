"""The page says what the suite measures, and the suite would notice."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.faults.promises import Promise, Verdict
from support.faults.recorder import Comparison, History, Record, compare, wrong_state
from support.faults.reliability import PAGE, Row, declared, read_rows, stale
from support.truth import LINE

READ_AT = 1795206667  # 2026-11-20T20:31:07Z


def test_the_page_has_a_row_for_each_fault_and_no_other(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--reliability", default=None):
        return  # it is being written
    rows = [(row.fault, row.promise) for row in read_rows(PAGE)]
    assert rows == [(one.fault, one.promise) for one in declared()], "run scripts/reliability"


def compared(tmp_path: Path, *heard: int, made: int = 3, off_us: int = 0) -> Comparison:
    """Readings 1 to `made` were read, these were heard; all of one run, made a microsecond after another."""
    lines = (LINE.format(count=one, at=READ_AT + one / 1e6, waited=0.0) for one in range(1, made + 1))
    (tmp_path / "diary").write_text("".join(lines))
    history = History()
    for count in heard:
        history.add(Record("a run", count, count, f"2026-11-20T20:31:07.{count + off_us:06d}Z", at=0.0))
    return compare(tmp_path / "diary", history)


def test_a_loss_would_be_noticed(tmp_path: Path) -> None:
    assert compared(tmp_path, 1, 2, 3).lost == []
    assert compared(tmp_path, 1, 3).lost == [2]


def test_what_was_never_read_would_be_noticed(tmp_path: Path) -> None:
    assert compared(tmp_path, 1, 2, 3, 4).invented == [4]


def test_a_duplicate_would_be_noticed(tmp_path: Path) -> None:
    assert [compared(tmp_path, *heard).duplicated for heard in ((1, 2, 3), (1, 2, 2, 3, 1))] == [0, 2]


def test_a_wrong_order_would_be_noticed(tmp_path: Path) -> None:
    assert [compared(tmp_path, *heard).disordered for heard in ((1, 2, 3, 1), (2, 3, 1), (3, 2, 1))] == [0, 1, 2]


def test_a_wrong_time_would_be_noticed(tmp_path: Path) -> None:
    assert compared(tmp_path, 1, 2, 3).late_s[-1] < 1e-6
    assert compared(tmp_path, 1, 2, 3, off_us=20_000).late_s[-1] == pytest.approx(0.02)


def test_a_wrong_state_would_be_noticed() -> None:
    assert wrong_state({"a": 1, "b": 2, "c": 9}, {"a": 1, "b": 3, "d": 4}) == ["b", "d"]


PROMISE = Promise("The roof leaks.", "Nothing gets wet.", lost=0, disordered=None)
AT_MOST_5 = Promise("It rains.", "At most five get wet.", lost=5, timed=True)


def test_a_stale_page_would_be_noticed() -> None:
    row = Row.of(PROMISE, Verdict(lost=0, duplicated=3, disordered=None, wrong=0, recovered_s=1.0))
    assert not stale(row, PROMISE, [row._replace(duplicated="0", recovered_s="2.0")])
    assert stale(row, PROMISE, [])
    assert stale(row, PROMISE, [row._replace(lost="1")])
    assert stale(row, PROMISE, [row._replace(promise="Nothing gets very wet.")])
    assert stale(row, PROMISE, [row._replace(disordered="0")])


def test_a_loss_that_is_promised_may_differ_but_not_exceed() -> None:
    row = Row.of(AT_MOST_5, Verdict(lost=2, duplicated=0, disordered=0, wrong=0, recovered_s=1.0))
    assert not stale(row, AT_MOST_5, [row._replace(lost="5")])
    assert stale(row, AT_MOST_5, [row._replace(lost="6")])


@pytest.mark.parametrize(
    "worse", [{"lost": 6}, {"disordered": 1}, {"wrong": 1}, {"recovered_s": 11.0}, {"wrong": None}]
)
def test_a_broken_promise_would_be_noticed(worse: dict[str, Any]) -> None:
    kept = Verdict(lost=5, duplicated=9, disordered=0, wrong=0, recovered_s=9.0)
    AT_MOST_5.hold(kept, "")
    with pytest.raises(AssertionError):
        AT_MOST_5.hold(replace(kept, **worse), "")


def test_a_busy_machine_breaks_no_promise() -> None:
    slow = Verdict(lost=5, duplicated=9, disordered=0, wrong=0, recovered_s=70.0)
    replace(AT_MOST_5, timed=False).hold(slow, "")
