"""Roll-ups and the end of old readings: whatever comes when, how often and in which order, the sums are right."""

import math
import random
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.history.points import Point
from bootstrap.history.reader import DAY_S, FIVE_MINUTES_S, MICRO, Average, Summary
from bootstrap.history.sqlite.reader import SqliteReader
from bootstrap.history.sqlite.store import Pace, SqliteStore

START_S = 1_700_006_400  # a midnight
SENSOR = "cm/attic"
LONG_AGO = -(2**62)
EAGER = Pace(step_s=60, share=1, look_s=0)  # at every commit all that is to be done


def made(seq: int, at_s: float, sensor: str = SENSOR, run: str = "r1", **fields: float | str) -> Point:
    return Point(sensor, START_S * MICRO + round(at_s * MICRO), run, seq, fields)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


@pytest.fixture
def store(file: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(file, keep_days=1, pace=EAGER)) as store:
        yield store


@pytest.fixture
def past(store: SqliteStore, file: Path) -> Iterator[SqliteReader]:  # noqa: ARG001 - it makes the file
    with closing(SqliteReader(file)) as past:
        yield past


def plainly(points: Iterable[Point], step_s: int) -> dict[tuple[int, str], list[float]]:
    """The values of each measure and stretch of time, each reading once."""
    found = defaultdict(list)
    for point in {(point.sensor, point.run, point.seq): point for point in points}.values():
        for name, value in point.fields.items():
            if not isinstance(value, str):
                found[point.time_us // MICRO // step_s * step_s, name].append(value)
    return found


def check(found: Iterable[Average], points: Iterable[Point], step_s: int) -> None:
    expected = plainly(points, step_s)
    found = [*found]
    assert [(one.start_s, one.measure) for one in found] == sorted(expected)
    for one in found:
        values = expected[one.start_s, one.measure]
        assert (one.summary.count, one.summary.low, one.summary.high) == (len(values), min(values), max(values))
        # Values that cancel each other leave an error that is small beside them, not beside their mean.
        largest = max(map(abs, values))
        assert one.summary.mean == pytest.approx(math.fsum(value / len(values) for value in values), abs=1e-9 * largest)


def raw(file: Path) -> int:
    with closing(sqlite3.connect(file)) as database:
        (count,) = database.execute("SELECT count(*) FROM reading").fetchone()
        return int(count)


Event: TypeAlias = tuple[int, float, dict[str, float]]  # seq, seconds, fields
numbers = st.floats(allow_nan=False, allow_infinity=False)
events = st.lists(
    st.tuples(st.integers(0, 200), st.floats(0, 5 * DAY_S), st.dictionaries(st.sampled_from("ab"), numbers)),
    unique_by=lambda event: event[0],
)


@settings(max_examples=100, deadline=None)
@given(events, st.randoms(use_true_random=False), st.floats(1, 6), st.integers(1, 20))
def test_any_order_and_any_repeats_come_to_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    given_: list[Event],
    chance: random.Random,
    keep_days: float,
    size: int,
) -> None:
    points = [made(seq, at_s, SENSOR, "r1", **fields) for seq, at_s, fields in given_]
    told = points + chance.sample(points, len(points) // 2)
    chance.shuffle(told)
    file = tmp_path_factory.mktemp("any") / "history.sqlite"
    with closing(SqliteStore(file, keep_days, pace=EAGER)) as store:
        for number in range(0, len(told), size):
            store.put(told[number : number + size])
            with closing(SqliteReader(file)) as past:
                for step_s in (FIVE_MINUTES_S, DAY_S):
                    check(past.averages(SENSOR, LONG_AGO, step_s), told[: number + size], step_s)
        assert store.new == len(points)


def test_what_is_too_old_remains_as_averages(store: SqliteStore, past: SqliteReader, file: Path) -> None:
    points = [made(seq, seq * 600, level=seq % 7, word="dry") for seq in range(3 * 144)]
    store.put(points)
    assert raw(file) < 144 + 2
    newest = points[-1].time_us
    assert newest - past.whole_since_us(SENSOR) <= (DAY_S + FIVE_MINUTES_S) * MICRO
    assert [row.time_us for row in past.rows(SENSOR, LONG_AGO)] == [
        point.time_us for point in points if point.time_us >= past.whole_since_us(SENSOR)
    ]
    check(past.averages(SENSOR, LONG_AGO, DAY_S), points, DAY_S)


def test_what_was_deleted_is_not_counted_again_and_what_was_missing_is(
    store: SqliteStore, past: SqliteReader, file: Path
) -> None:
    points = [made(seq, seq * 60, level=seq) for seq in range(2000)]
    late, others = points[7:1500:3], [point for number, point in enumerate(points) if point not in points[7:1500:3]]
    store.put(others)
    remaining = raw(file)
    store.put([made(4000, 2 * DAY_S)])
    store.put(late + others)
    assert store.new == len(points) + 1
    assert raw(file) < remaining + 10
    check(past.averages(SENSOR, LONG_AGO, FIVE_MINUTES_S), points, FIVE_MINUTES_S)
    with closing(sqlite3.connect(file)) as database:
        ranges = database.execute("SELECT count(*) FROM gone").fetchone()[0]
    assert ranges < len(late) * 2 + 10


def test_a_run_without_gaps_that_is_gone_is_one_row(store: SqliteStore, file: Path) -> None:
    store.put([made(seq, seq * 60, level=seq) for seq in range(3000)])
    with closing(sqlite3.connect(file)) as database:
        (row,) = database.execute("SELECT run, first, last FROM gone").fetchall()
    assert row == ("r1", 0, 3000 - raw(file) - 1)


def test_what_was_deleted_makes_room(store: SqliteStore, file: Path) -> None:
    sizes = []
    for day in range(12):
        store.put([made(day * 1440 + minute, day * DAY_S + minute * 60, level=minute) for minute in range(1440)])
        with closing(sqlite3.connect(file)) as other:
            sizes.append(other.execute("PRAGMA page_count").fetchone()[0])
    per_day = (sizes[-1] - sizes[5]) / 6
    assert per_day < sizes[0] / 4  # of a day, only its roll-ups remain


@pytest.fixture
def hurried(file: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(file, keep_days=1, pace=replace(EAGER, step_s=-1))) as store:
        yield store


def test_a_step_at_a_time(hurried: SqliteStore, past: SqliteReader, file: Path) -> None:
    """With no time for it, each commit still does one step, and the answers are right all the while."""
    points = [made(seq, seq * 300, level=seq) for seq in range(40)]
    hurried.put(points)
    for seq in range(40, 60):
        points.append(made(seq, 3 * DAY_S, level=seq))
        hurried.put(points[-1:])
        with closing(sqlite3.connect(file)) as database:
            assert database.execute("SELECT count(*) FROM dirty").fetchone()[0] == 79 - seq
        for step_s in (FIVE_MINUTES_S, DAY_S):
            check(past.averages(SENSOR, LONG_AGO, step_s), points, step_s)


@pytest.mark.parametrize(("wall_s", "reading_s"), [(1e9, 60), (100, 1e9)])
def test_neither_clock_alone_ends_a_history(
    store: SqliteStore, file: Path, monkeypatch: pytest.MonkeyPatch, wall_s: float, reading_s: float
) -> None:
    monkeypatch.setattr(time, "time", lambda: START_S + wall_s)
    store.put([made(1, 0, level=1)])
    store.put([made(2, reading_s, level=1)])
    assert raw(file) == 2


def test_only_what_has_ended_since_then_is_asked_for(store: SqliteStore, past: SqliteReader) -> None:
    store.put([made(seq, seq * 300, level=seq) for seq in range(4)])
    found = past.averages(SENSOR, (START_S + 600) * MICRO, FIVE_MINUTES_S)
    assert [one.summary.mean for one in found] == [2, 3]
    assert not [*past.averages("cm/nobody", LONG_AGO, DAY_S)]


@given(st.lists(numbers, min_size=1))
def test_a_mean_lies_between_the_lowest_and_the_highest(values: list[float]) -> None:
    found = Summary.of(values)
    assert found.low <= found.mean <= found.high


def test_what_is_not_finite_is_stored_and_not_averaged(store: SqliteStore, past: SqliteReader) -> None:
    store.put([made(1, 0, level=float("nan"), other=float("inf")), made(2, 1, level=5.0)])
    assert [one.measure for one in past.averages(SENSOR, LONG_AGO, DAY_S)] == ["level"]
    assert len([*past.rows(SENSOR, LONG_AGO)]) == 2
