"""Lines of the line protocol, as they are written."""

import pytest

from bootstrap.errors import Refused
from bootstrap.history.influx.line_protocol import DAY_US, lines
from bootstrap.history.points import NO_TEXT, STATE, LeftOut, Point


def test_the_lines_of_a_point() -> None:
    """A word is in a measurement of its own: a field has one type for all sensors."""
    point = Point("our house/the, attic", 7, "r1", 1, {"a=b": 21.0, "word": 'say "\\"', "c": 1.0}, kind="mine.Rain")
    tags = ",group=our\\ house,kind=mine.Rain,sensor=the\\,\\ attic"
    assert lines(point) == [f"reading{tags} a\\=b=21.0,c=1.0 7", f'text{tags} word="say \\"\\\\\\"" 7']


def test_a_number_whose_field_is_taken_that_day_goes_elsewhere() -> None:
    points = [Point("cm/attic", day * DAY_US, "r1", 1, {"a": 1.0, "b": 2.0}) for day in (3, 4)]
    assert [line for point in points for line in lines(point, taken={("b", 3)})] == [
        f"reading,group=cm,sensor=attic a=1.0 {3 * DAY_US}",
        f"number,group=cm,sensor=attic b=2.0 {3 * DAY_US}",
        f"reading,group=cm,sensor=attic a=1.0,b=2.0 {4 * DAY_US}",
    ]


BAD: dict[str, float | str] = {"a\\": 1.0, "b": "1\n2", "time": 1.0, "": 2.0, "x" * 70_000: 3.0}


def test_a_value_that_no_line_can_hold_costs_no_other() -> None:
    left_out: list[LeftOut] = []
    point = Point("cm/attic", 7, "r1", 1, {**BAD, "good": 1.0})
    assert lines(point, on_left_out=left_out.append) == ["reading,group=cm,sensor=attic good=1.0 7"]
    assert [one.measure for one in left_out] == [*BAD]


def test_what_a_store_without_text_gets() -> None:
    """It would store 0 for a word, and take the quote in a name for the beginning of one."""
    left_out: list[LeftOut] = []
    point = Point("cm/attic", 7, "r1", 1, {"before": 1.5, 'x"y': 3.0, "word": "w", "rest": 4.0})
    assert lines(point, lambda: False, left_out.append) == ["reading,group=cm,sensor=attic before=1.5,rest=4.0 7"]
    assert [(one.measure, one.why == NO_TEXT) for one in left_out] == [('x"y', False), ("word", True)]
    state = Point("cm/attic", 7, "", 0, {"state": "lost", "online": 0.0}, measurement=STATE)
    assert lines(state, lambda: False) == ["state,group=cm,sensor=attic online=0.0 7"]
    with pytest.raises(Refused, match=NO_TEXT):
        lines(point._replace(fields={"word": "w"}), lambda: False)


@pytest.mark.parametrize(
    "fields", [{}, {"": 1.0}, {"time": 1.0}, {"kind": 1.0}, {"x" * 70_000: 1.0}, {"a\\": 1.0}, {"a": "b\nc"}]
)
def test_what_no_line_can_say(fields: dict[str, float | str]) -> None:
    with pytest.raises(Refused):
        lines(Point("cm/attic", 1, "r1", 1, fields))


def test_names_too_long_for_a_series() -> None:
    with pytest.raises(Refused):
        lines(Point(f"cm/{'ä' * 40_000}", 1, "r1", 1, {"level": 1.0}))
