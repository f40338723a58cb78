"""Changing a history in SQLite: afterwards it is as if what is gone had never been recorded."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bootstrap.history.points import Point
from bootstrap.history.reader import DAY_S, FIVE_MINUTES_S, MICRO
from bootstrap.history.sqlite.editor import ALWAYS_US, AT, Chosen, HistoryEditor
from bootstrap.history.sqlite.reader import SqliteReader
from bootstrap.history.sqlite.store import SqliteStore

START_S = 1_763_596_800  # a midnight in November 2025
EVERY_S = 97
POINTS = [
    Point("cm/a", (START_S + number * EVERY_S) * MICRO, "r1", number, {"t": float(number % 37), "h": 40.0 + number % 5})
    for number in range(2 * DAY_S // EVERY_S)
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


def recorded(file: Path, points: list[Point], keep_days: float = 36_500) -> None:
    with closing(SqliteStore(file, keep_days)) as store:
        store.put(points)
        store.settle()


@pytest.fixture
def editor(file: Path) -> Iterator[HistoryEditor]:
    recorded(file, POINTS)
    recorded(file, [point._replace(sensor="cm/b") for point in POINTS[:100]])
    with closing(HistoryEditor(file)) as editor:
        yield editor


def seen(file: Path, sensor: str = "cm/a") -> list[object]:
    """All that a reader sees."""
    with closing(SqliteReader(file)) as reader:
        rows = [(row.time_us, row.fields) for row in reader.rows(sensor, ALWAYS_US[0])]
        return [rows, *([*reader.averages(sensor, ALWAYS_US[0], step_s)] for step_s in (FIVE_MINUTES_S, DAY_S))]


def without(points: list[Point], chosen: Chosen) -> list[Point]:
    left = []
    for point in points:
        fields = dict(point.fields)
        if chosen.from_us <= point.time_us < chosen.to_us:
            fields = {name: value for name, value in fields.items() if chosen.measure not in (None, name)}
        if fields:
            left.append(point._replace(fields=fields))
    return left


@pytest.mark.parametrize("measure", [None, "t"])
@pytest.mark.parametrize("span_s", [(3600, 7200), (80_000, 90_001), (1, 2 * DAY_S), (100_000, 10**9)])
def test_what_is_left_is_as_if_nothing_else_had_been_recorded(
    editor: HistoryEditor, file: Path, tmp_path: Path, span_s: tuple[int, int], measure: str | None
) -> None:
    from_us, to_us = ((START_S + seconds) * MICRO for seconds in span_s)
    chosen = Chosen("cm/a", measure, from_us, to_us)
    extent = editor.extent(chosen)
    assert extent is not None
    others = seen(file, "cm/b")
    assert sum(editor.delete(chosen)) == extent.readings
    left = without(POINTS, chosen)
    recorded(tmp_path / "other.sqlite", left)
    assert seen(file) == seen(tmp_path / "other.sqlite")
    assert seen(file, "cm/b") == others
    recorded(file, [POINTS[0]._replace(seq=10**6, time_us=(START_S + 3 * DAY_S) * MICRO)])  # the recorder goes on
    recorded(tmp_path / "other.sqlite", [POINTS[0]._replace(seq=10**6, time_us=(START_S + 3 * DAY_S) * MICRO)])
    assert seen(file) == seen(tmp_path / "other.sqlite")


def test_a_sensor_is_forgotten_and_may_begin_anew(editor: HistoryEditor, file: Path) -> None:
    assert sum(editor.delete(Chosen("cm/a"))) == len(POINTS)
    assert editor.extent(Chosen("cm/a")) is None
    with closing(sqlite3.connect(file)) as database:
        for table in ("reading", "rollup", "dirty", "gone"):
            query = f"SELECT count(*) FROM {table} WHERE sensor NOT IN (SELECT id FROM sensor)"
            assert database.execute(query).fetchone() == (0,)
    with closing(SqliteReader(file)) as reader:
        assert reader.sensors() == ["cm/b"]
    recorded(file, POINTS[:3])
    assert [time_us for time_us, _ in seen(file)[0]] == [point.time_us for point in POINTS[:3]]  # type: ignore[attr-defined]


def test_an_average_of_readings_that_are_gone_is_deleted_as_a_whole(file: Path) -> None:
    store = SqliteStore(file, 1)
    with closing(store):
        store.put(POINTS)
    with closing(SqliteStore(file, 1)) as store:  # what is older than a day before the newest expires
        while seen(file)[0][0][0] < (START_S + DAY_S - 2 * FIVE_MINUTES_S) * MICRO:  # type: ignore[index]
            store._tidy_at = store._look_at = 0.0  # noqa: SLF001 - at once
            store.put([POINTS[-1]])
    before = seen(file)[1]
    with closing(HistoryEditor(file)) as editor:
        from_us, to_us = (START_S + 3700) * MICRO, (START_S + 7000) * MICRO
        assert [*editor.delete(Chosen("cm/a", "t", from_us, to_us))] == [0]
    whole = range(START_S + 3900, START_S + 6900, FIVE_MINUTES_S)
    assert seen(file)[1] == [one for one in before if one.measure == "h" or one.start_s not in whole]  # type: ignore[attr-defined]


def test_a_new_name_takes_all(editor: HistoryEditor, file: Path) -> None:
    before = seen(file)
    editor.rename("cm/a", "home/a")
    assert seen(file, "home/a") == before
    with pytest.raises(ValueError, match="both have values from the same time"):
        editor.rename("cm/b", "home/a")
    assert seen(file, "home/a") == before


@pytest.mark.parametrize("cut", [900, DAY_S // EVERY_S, 1200])
@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize("backwards", [True, False])
def test_two_that_follow_each_other_become_one(
    file: Path, tmp_path: Path, cut: int, settled: bool, backwards: bool
) -> None:
    """As if all of it had been recorded under the new name, even if the change was within five minutes or a day."""
    recorded(file, POINTS[:cut])
    later = [point._replace(sensor="cm/b", run="r2") for point in POINTS[cut:]]
    if settled:
        recorded(file, later)
    else:
        with closing(SqliteStore(file, 36_500)) as store:
            store.put(later)
    old, new = ("cm/b", "cm/a") if backwards else ("cm/a", "cm/b")
    with closing(HistoryEditor(file)) as editor:
        editor.rename(old, new)
    recorded(tmp_path / "other.sqlite", POINTS)
    assert seen(file, new) == seen(tmp_path / "other.sqlite")
    recorded(file, [POINTS[0]._replace(sensor=new, run="r3", time_us=(START_S + 3 * DAY_S) * MICRO)])
    recorded(tmp_path / "other.sqlite", [POINTS[0]._replace(run="r3", time_us=(START_S + 3 * DAY_S) * MICRO)])
    assert seen(file, new) == seen(tmp_path / "other.sqlite")
    with closing(SqliteReader(file)) as reader:
        assert reader.sensors() == [new]


def test_the_recorder_goes_on_meanwhile(editor: HistoryEditor, file: Path) -> None:
    """It has the file open, knows its sensors by number, and meets a deletion and a new name between two batches."""
    with closing(SqliteStore(file, 36_500)) as store:
        later = [point._replace(seq=10**6 + point.seq, time_us=point.time_us + 3 * DAY_S * MICRO) for point in POINTS]
        store.put(later[:10])
        for _ in editor.delete(Chosen("cm/a")):
            store.put([later[10]])
        editor.rename("cm/b", "cm/c")
        store.put([later[11], later[12]._replace(sensor="cm/b")])
    assert [time_us for time_us, _ in seen(file)[0]][-1] == later[11].time_us  # type: ignore[attr-defined]
    assert len(seen(file, "cm/b")[0]) == 1  # type: ignore[arg-type]
    assert len(seen(file, "cm/c")[0]) == 100  # type: ignore[arg-type]


def test_a_value_is_found_by_its_time_and_not_among_all_of_its_sensor(editor: HistoryEditor, file: Path) -> None:
    assert editor.values([POINTS[7]._replace(fields={"t": 0.0}), POINTS[8]._replace(fields={"x": 0.0})]) == {0: 7.0}
    with closing(sqlite3.connect(file)) as database:
        (plan,) = database.execute(f"EXPLAIN QUERY PLAN {AT}", (1, 1)).fetchall()
    assert "reading_time (sensor=? AND time=?)" in plan[-1]


def test_what_is_not_there_is_said(tmp_path: Path, editor: HistoryEditor) -> None:
    with pytest.raises(FileNotFoundError):
        HistoryEditor(tmp_path / "none.sqlite")
    (tmp_path / "odd.sqlite").write_bytes(random.Random(1).randbytes(5000))
    with pytest.raises(OSError, match="not a database"):
        HistoryEditor(tmp_path / "odd.sqlite")
    assert editor.extent(Chosen("cm/x")) is None
    assert editor.extent(Chosen("cm/a", "x")) is None
    assert editor.extent(Chosen("cm/a", to_us=START_S * MICRO)) is None


def test_what_was_changed_in_a_file_that_was_replaced_is_not_taken_for_done(
    editor: HistoryEditor, file: Path, tmp_path: Path
) -> None:
    recorded(file, [Point("cm/a", 1_000_000, "r1", 1, {"level": 1.0})])
    recorded(tmp_path / "other.sqlite", [Point("cm/a", 1_000_000, "r1", 1, {"level": 1.0})])
    (tmp_path / "other.sqlite").rename(file)
    with pytest.raises(OSError, match="was removed or replaced meanwhile"):
        sum(editor.delete(Chosen("cm/a")))
