from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counting import Count, count
from picture import IMPOSSIBLE, Found, Row, draw

OPEN, CLOSED = True, False


@pytest.mark.parametrize(
    ("produced", "delivered", "expected"),
    [
        ([], [], Count(0, 0, 0)),
        ([1, 2, 3], [1, 2, 3], Count(0, 0, 0)),
        ([1, 2, 3], [], Count(3, 0, 0)),
        ([1, 2, 3], [1, 3], Count(1, 0, 0)),
        ([1, 2, 3], [1, 2, 2, 3, 3], Count(0, 2, 0)),
        ([1, 2, 3, 4], [1, 4, 2, 3], Count(0, 0, 1)),
        ([1, 2, 3, 4], [4, 3, 2, 1], Count(0, 0, 3)),
        ([1, 2, 3, 4, 5], [1, 4, 3, 3], Count(2, 1, 1)),
        ([CLOSED, OPEN, CLOSED], [CLOSED, OPEN, CLOSED], Count(0, 0, 0)),
        ([CLOSED, OPEN, CLOSED], [CLOSED, CLOSED], Count(1, 0, 0)),
        ([CLOSED, OPEN, CLOSED], [CLOSED, CLOSED, OPEN], Count(0, 0, 1)),
        ([CLOSED, OPEN, CLOSED], [CLOSED, OPEN, OPEN, CLOSED], Count(0, 1, 0)),
    ],
)
def test_what_became_of_values(produced: list[int], delivered: list[int], expected: Count) -> None:
    assert count(produced, delivered) == expected


@given(st.lists(st.integers(), unique=True, min_size=1), st.data())
def test_each_mishap_is_counted_alone(produced: list[int], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(produced) - 1))
    before, value, after = produced[:place], produced[place], produced[place + 1 :]
    assert count(produced, before + after) == Count(1, 0, 0)
    assert count(produced, [*before, value, value, *after]) == Count(0, 1, 0)
    assert count(produced, [*before, *after, value]) == Count(0, 0, int(bool(after)))


def test_the_picture_shows_every_number() -> None:
    rows = {"penates": Row(11, 22, 33, 44, 55, 66, 77), "other <1>": Row(11, 0, 1, 2, 3, 4, 5)}
    found: Found = {"An outage": {**rows}, "Two sites": {"penates": Row(), "other <1>": None}}
    picture = ET.fromstring(draw(found))
    shown = [text.text or "" for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    numbers = [str(number) for row in (*rows.values(), Row()) for number in row.cells()[1:]]
    assert [words for words in shown if words.isdecimal()] == numbers
    assert {"An outage", "11 values", "Two sites", IMPOSSIBLE, *rows} <= set(shown)


def test_rows_add_up() -> None:
    assert sum([Row(1, 2, 3, 4, 5, 6, 7), Row(1, 1, 1, 1, 1, 1, 1)], Row()) == Row(2, 3, 4, 5, 6, 7, 8)
