"""Charts in a terminal: what is drawn of a series, and by which times and numbers."""

import math
import time
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.history.reader import DAY_S, Summary
from penates.commands.history import filled
from penates.history import terminal_chart
from penates.history.series import Drawn, Series, name_units
from support.paths import SUPPORT

NOON_S = 1_763_636_400  # 2025-11-20 12:00 in Berlin


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def wave(gap: range = range(0)) -> Series:
    series = Series("temperature", "°C")
    for number in range(24 * 12):
        if number not in gap:
            value = round(20 + 3 * math.sin(number / 30), 3)
            series.add(NOON_S - DAY_S / 2 + number * 300, Summary(1, value, value, value))
    return series


def golden(drawn: Drawn) -> str:
    span = (NOON_S - DAY_S / 2, NOON_S + DAY_S / 2)
    lines = "\n".join(terminal_chart.text(drawn, span, (56, 12), colour=False)).splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def drawn_day() -> Drawn:
    door = Series("open", truth=True)
    for hour, value in ((-9, 0.0), (-2, 1.0), (3, 0.0), (6, 0.0)):
        door.add(NOON_S + 3600 * hour, Summary(1, value, value, value))
    words: list[tuple[float, str]] = [(NOON_S, "dry"), (NOON_S + 7200, "wet\x1b[2J")]
    return Drawn("cm/cellar", 0, {"temperature": wave(range(40, 60)), "open": door}, {"mood": words})


@pytest.mark.usefixtures("berlin")
def test_a_day_is_drawn_so() -> None:
    assert golden(drawn_day()) == (SUPPORT / "chart.txt").read_text()


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("since", "hours", "most", "expected"),
    [
        ("2025-11-20T00:00", 24, 4, "00:00 06:00 12:00 18:00 00:00"),
        ("2025-11-20T09:50", 1, 4, "10:00 10:15 10:30 10:45"),
        ("2025-11-20T23:59:55", 0.01, 4, "00:00:00 00:00:10 00:00:20 00:00:30"),
        ("2025-03-29T12:00", 48, 4, "12:00 00:00 12:00 00:00 12:00"),  # summer time begins
        ("2025-10-25T12:00", 49, 5, "12:00 00:00 12:00 00:00 12:00"),
        ("2025-11-01T12:00", 24 * 60, 5, "2025-11-15 2025-11-29 2025-12-13 2025-12-27"),
    ],
)
def test_the_times_below_are_round_by_the_clock_on_the_wall(since: str, hours: float, most: int, expected: str) -> None:
    begin = datetime.fromisoformat(since).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    assert " ".join(terminal_chart.ticks(begin, begin + 3600 * hours, most).values()) == expected


@pytest.mark.parametrize(
    ("ends", "now", "span"),
    [
        ((100, 160), 161, (100, 161)),  # it goes on
        ((100, 160), 220, (100, 220)),  # it is silent, which is to be seen
        ((100, 160), 221, (100, 160)),  # it was long ago
        ((100, 100), 900, (100, 900)),  # one value has no length
        ((100, 160), 150, (100, 160)),  # its clock is ahead
    ],
)
def test_a_picture_without_since_is_not_mostly_empty(
    ends: tuple[float, float], now: float, span: tuple[float, float]
) -> None:
    assert filled(ends, now) == span


@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9), st.integers(1, 8))
def test_the_numbers_beside_are_between_the_ends_and_not_too_many(low: float, size: float, most: int) -> None:
    found = terminal_chart.levels(low, low + size, most)
    assert len(found) <= most + 1
    assert all(low - size * 1e-6 <= number <= low + size * 1.000001 for number in found)
    assert found == sorted(set(found))


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0], [0.5, 1e308, -1e308], [1e-9, 2e-9], [0.0]])
def test_whatever_the_values_there_is_a_chart(values: list[float]) -> None:
    series = Series("level")
    for number, value in enumerate(values):
        series.add(NOON_S + number, Summary(1, value, value, value))
    assert "level" in terminal_chart.chart(series, "level", (NOON_S, NOON_S + 60), (60, 12), colour=True)
    assert f"{len(values)} reading{'s' * (len(values) != 1)}, " in terminal_chart.below(series)


def test_what_nothing_is_known_of_is_a_gap_and_a_door_stays_as_it_was() -> None:
    series = wave(range(40, 60))
    assert [(piece.start, piece.stop) for piece in series.pieces()] == [(0, 40), (40, 268)]
    series.truth = True
    assert [(piece.start, piece.stop) for piece in series.pieces()] == [(0, 268)]


def test_what_is_only_ever_0_or_1_is_a_truth_value_unless_a_unit_is_known() -> None:
    for units, truth in (({}, True), ({"open": "bool"}, True), ({"open": "%"}, False)):
        series = Series("open")
        series.add(0, Summary(2, 0.5, 0.0, 1.0))
        name_units([series], units)
        assert series.truth is truth
