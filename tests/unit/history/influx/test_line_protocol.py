"""Lines of the line protocol, as they are written."""

import pytest

from bootstrap.errors import Refused
from bootstrap.history.influx.line_protocol import line
from bootstrap.history.points import Point


def test_a_line() -> None:
    point = Point("our house/the, attic", 7, "r1", 1, {"a=b": 21.0, "word": 'say "\\"'}, kind="mine.Rain")
    assert line(point) == (
        'reading,group=our\\ house,kind=mine.Rain,sensor=the\\,\\ attic a\\=b=21.0,word="say \\"\\\\\\"" 7'
    )


@pytest.mark.parametrize(
    "fields", [{}, {"": 1.0}, {"time": 1.0}, {"kind": 1.0}, {"x" * 70_000: 1.0}, {"a\\": 1.0}, {"a": "b\nc"}]
)
def test_what_no_line_can_say(fields: dict[str, float | str]) -> None:
    with pytest.raises(Refused):
        line(Point("cm/attic", 1, "r1", 1, fields))


def test_names_too_long_for_a_series() -> None:
    with pytest.raises(Refused):
        line(Point(f"cm/{'ä' * 40_000}", 1, "r1", 1, {"level": 1.0}))
