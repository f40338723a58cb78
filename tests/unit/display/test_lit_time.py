"""The hours in which a display is lit."""

from datetime import datetime

import pytest

from bootstrap.display.lit_time import LitTime


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-29T{text}")


@pytest.mark.parametrize(
    ("hours", "lit", "dark"),
    [
        ("07:00-22:30", ("07:00:00", "12:00", "22:29:59.999999"), ("06:59:59.999999", "22:30", "00:00", "23:59")),
        ("22:00-06:00", ("22:00", "23:59:59", "00:00", "05:59:59"), ("06:00", "21:59:59")),
        ("00:00-00:01", ("00:00:30",), ("00:01", "23:59")),
    ],
)
def test_it_is_lit_within_them(hours: str, lit: tuple[str, ...], dark: tuple[str, ...]) -> None:
    found = LitTime(hours)
    assert all(found.covers(at(moment)) for moment in lit)
    assert not any(found.covers(at(moment)) for moment in dark)
    for moment in (*lit, *dark):
        change = found.next_change(at(moment))
        assert change > at(moment)
        assert found.covers(change) != found.covers(at(moment))


@pytest.mark.parametrize(
    "text", ["7-22", "07:00", "07:00-24:00", "07:00-07:00", "07:00 - 22:00", "\u0660\u0667:00-22:00"]
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match='two different times of day, such as "07:00-22:30"'):
        LitTime(text)
