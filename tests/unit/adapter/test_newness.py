"""Which of what a device says is new."""

import pytest

from bootstrap.adapter.newness import Newness, SaidValue, Verdict
from bootstrap.device import Measure, Value

STATE, EVENT = Measure(bool), Measure(str, event=True)
LIVE: list[tuple[SaidValue, Verdict]] = [
    (SaidValue(True, 100.0, 0.0), "new"),
    (SaidValue(True, 100.0, 50.0), "dropped"),  # the same message again
    (SaidValue(False, 99.0, 51.0), "dropped"),  # late
    (SaidValue(True, 100.1, 51.0), "new"),  # said anew
    (SaidValue(True, 100.2, 51.5), "dropped"),  # a moment later, on another topic
    (SaidValue(False, 100.15, 51.55), "dropped"),  # older than what was dropped as a copy
    (SaidValue(False, 100.2, 51.6), "new"),
    (SaidValue(False, None, 60.0), "new"),
    (SaidValue(True, None, 60.1), "new"),
    (SaidValue(True, None, 60.2), "dropped"),
]
CACHED: list[tuple[SaidValue, Verdict]] = [
    (SaidValue(20.5, None, 0.0), "known"),
    (SaidValue(20.5, None, 500.0), "known"),
    (SaidValue(20.6, None, 501.0), "new"),
    (SaidValue(20.5, None, 501.1), "new"),
    (SaidValue(20.5, None, 501.2), "dropped"),
]


@pytest.mark.parametrize(("cached", "said"), [(False, LIVE), (True, CACHED)], ids=["live", "cached"])
def test_what_is_new(cached: bool, said: list[tuple[SaidValue, Verdict]]) -> None:
    newness = Newness()
    assert [newness.judge("x", one, STATE, cached=cached) for one, _ in said] == [verdict for _, verdict in said]


def test_equal_events_that_follow_closely_are_as_many() -> None:
    newness = Newness()
    found = [newness.judge("action", SaidValue("single", None, at), EVENT, cached=True) for at in (0.0, 0.1, 0.2)]
    assert found == ["new"] * 3
    dated: list[tuple[Value, float]] = [("single", 5.0), ("single", 5.0), ("single", 5.5)]
    newness = Newness()
    verdicts = [newness.judge("action", SaidValue(word, time, 0.0), EVENT, cached=False) for word, time in dated]
    assert verdicts == ["new", "dropped", "new"]


def test_a_message_with_the_number_of_the_last_one_is_its_copy_however_late() -> None:
    newness = Newness()
    said = [("single", 7), ("single", 7), ("single", 8), ("long", 8), ("long", None), ("long", None)]
    found = [
        newness.judge("action", SaidValue(word, None, 100.0 * at, number), EVENT, cached=False)
        for at, (word, number) in enumerate(said)
    ]
    assert found == ["new", "dropped", "new", "new", "new", "new"]
