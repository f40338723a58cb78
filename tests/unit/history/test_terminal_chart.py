"""Charts in a terminal: what is drawn of a series, and by which times and numbers."""

import math
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.history.reader import DAY_S, Summary
from penates.commands.history import filled, long_enough
from penates.history import terminal_chart
from penates.history.series import Drawn, KnownMeasure, Series, describe
from support.paths import SUPPORT

NOON_S = 1_763_636_400  # 2025-11-20 12:00 in Berlin


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


def states(*parts: tuple[int, float]) -> Series:
    """A door that is read each minute: for so many minutes, with this value, or for none."""
    series, minute = Series("open", truth=True), 0
    for minutes, value in parts:
        for number in range(minute, minute + minutes):
            if not math.isnan(value):
                series.add(NOON_S + 60 * number, Summary(1, value, value, value))
        minute += minutes
    return series


def test_what_nothing_is_known_of_is_a_gap_for_states_too() -> None:
    series = wave(range(40, 60))
    assert [(piece.start, piece.stop) for piece in series.pieces()] == [(0, 40), (40, 268)]
    series.truth = True
    assert [(piece.start, piece.stop) for piece in series.pieces()] == [(0, 40), (40, 268)]
    door = states((61, 1.0), (180, math.nan), (5, 0.0))
    assert [(piece.start, piece.stop) for piece in door.pieces()] == [(0, 61), (61, 66)]
    assert "66 readings, true for 94% of 64 min, last false at" in terminal_chart.below(door)
    lines = terminal_chart.chart(door, "open", (NOON_S, NOON_S + 250 * 60), (60, 10), colour=False).splitlines()
    assert not {*lines[2][25:50]} - {" "}, "nothing is drawn in the gap"


def test_a_state_that_is_told_only_when_it_changes_lasts_unless_its_period_is_known() -> None:
    series = Series("motion", truth=True)
    for minute, value in ((0, 1.0), (1, 0.0), (30, 1.0), (32, 0.0), (200, 1.0), (201, 0.0)):
        series.add(NOON_S + 60 * minute, Summary(1, value, value, value))
    assert [*series.pieces()] == [slice(0, 6)]
    assert series.true_s() == (240, 201 * 60)
    series.every_s = 60.0
    assert len([*series.pieces()]) == 3


def test_a_share_is_of_time_not_of_readings() -> None:
    door = Series("open", truth=True, every_s=3600)
    for minute, value in ((0, 0.0), (30, 1.0), (31, 1.0), (32, 1.0), (33, 0.0), (60, 0.0)):
        door.add(NOON_S + 60 * minute, Summary(1, value, value, value))
    assert "6 readings, true for 5% of 60 min, last false at" in terminal_chart.below(door)


def test_of_a_counter_it_is_told_by_how_much_it_has_grown() -> None:
    series = Series("energy")
    describe([series], {"energy": KnownMeasure("kWh", counter=True)})
    for minute, value in enumerate((12345.678, 12346, 12347.5, 2, 3.25)):
        series.add(NOON_S + 60 * minute, Summary(1, value, value, value))
    assert terminal_chart.below(series).startswith("5 readings, grew by 5.072, last 3.25 at")
    days = Series("energy", counter=True)
    for day, (low, high) in enumerate(((100, 103.5), (103.5, 110.123), (110.123, 111.123456))):
        days.add(NOON_S + 86400 * day, Summary(1440, (low + high) / 2, low, high))
    assert terminal_chart.below(days).startswith("4320 readings, grew by 11.1235, last 111.123456 at")


def test_events_are_marks() -> None:
    bell = Series("pressed", truth=True, event=True)
    for minute in (0, 7, 9, 50):
        bell.add(NOON_S + 60 * minute, Summary(1, 1.0, 1.0, 1.0))
    drawing = terminal_chart.chart(bell, "pressed", (NOON_S - 600, NOON_S + 3600), (60, 10), colour=False)
    assert drawing.count(terminal_chart.MARK) == 4
    assert not [
        letter for letter in drawing if "\N{BRAILLE PATTERN BLANK}" < letter <= "\N{BRAILLE PATTERN DOTS-12345678}"
    ]
    assert terminal_chart.below(bell).startswith("4 events, last true at")


def test_a_text_that_stops_is_listed_so() -> None:
    heard = [NOON_S + 60.0 * number for number in (*range(10), *range(100, 110))]
    lines = [*terminal_chart.listed("mood", [(heard[0], "dry")], heard)]
    assert [line.split("  ")[-1][:13] for line in lines[1:]] == ["dry", "nothing until"]


def test_the_background_is_the_terminals_own() -> None:
    text = terminal_chart.chart(wave(), "t", (NOON_S - DAY_S / 2, NOON_S + DAY_S / 2), (60, 12), colour=True)
    codes = {*re.findall(r"\x1b\[([0-9;]*)m", text)}
    assert codes - {"0"}
    assert not [code for code in codes if code.startswith(("4", "10", "38;5;0", "38;5;15"))]


@pytest.mark.parametrize("moment", [-62e9, -1.0, 0.0, 4e9, 2.5e11])
def test_a_value_of_any_time_is_drawn(moment: float) -> None:
    series = Series("level")
    series.add(moment, Summary(1, 5.0, 5.0, 5.0))
    drawing = Drawn("cm/a", 0, {"level": series}, {"mood": [(moment, "dry")]})
    text = "\n".join(terminal_chart.text(drawing, long_enough((moment, moment)), (60, 12), colour=False))
    assert "1 reading, lowest 5" in text


def test_what_has_been_both_0_and_1_and_nothing_else_is_a_truth_value_unless_a_unit_is_known() -> None:
    for unit, truth in (("", True), ("bool", True), ("%", False)):
        series = Series("open")
        series.add(0, Summary(2, 0.5, 0.0, 1.0))
        describe([series], {"open": KnownMeasure(unit)})
        assert series.truth is truth
    rain = Series("rain")
    rain.add(0, Summary(2, 0.0, 0.0, 0.0))
    describe([rain], {})
    assert not rain.truth
