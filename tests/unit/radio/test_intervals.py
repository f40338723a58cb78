"""How often a station sends, and what its decoder cannot tell."""

import pytest

from bootstrap.radio.gaps import hidden
from bootstrap.radio.intervals import ENOUGH, LEAST_S, Intervals


def send(intervals: Intervals, model: str, *at: float) -> list[bool]:
    return [intervals.note(model, one) for one in at]


def test_the_median_of_the_last_gaps_is_learnt_once_there_are_enough() -> None:
    intervals = Intervals(600.0)
    assert send(intervals, "T", 0, 47, 94) == [False] * 3
    assert intervals.period_s == 600
    assert intervals.note("T", 141)
    assert intervals.period_s == 50  # stations of a similar interval are looked at together
    assert send(intervals, "T", 188, 282, 329, 376) == [False] * 4  # one was not heard


def test_an_interval_that_changes_is_learnt_anew() -> None:
    intervals = Intervals(600.0)
    send(intervals, "T", *(30.0 * number for number in range(10)))
    assert intervals.period_s == 30
    send(intervals, "T", *(270 + 60.0 * number for number in range(1, 10)))
    assert intervals.period_s == 60


def test_the_rarest_message_of_a_station_counts() -> None:
    intervals = Intervals(600.0)
    send(intervals, "rain", 0)
    send(intervals, "wind", *(10.0 * number for number in range(20)))
    assert intervals.period_s == 600  # how often it tells of the rain is not known yet
    send(intervals, "rain", 183, 366, 549)
    assert intervals.period_s == 185


def test_what_was_learnt_is_believed_after_a_restart() -> None:
    intervals = Intervals(600.0, 50.0)
    assert intervals.period_s == 50
    assert send(intervals, "T", 0, 47, 94, 141) == [False] * 4


def test_it_is_never_nothing() -> None:
    intervals = Intervals(600.0)
    send(intervals, "T", *(0.001 * number for number in range(ENOUGH + 2)))
    assert intervals.period_s == LEAST_S


@pytest.mark.parametrize(
    ("model", "name", "temperature", "is_hidden"),
    [
        ("AlectoV1", "temperature", 19.2, True),
        ("AlectoV1", "humidity", 19.0, True),
        ("AlectoV1", "temperature", -1.7, True),
        ("AlectoV1", "temperature", 20.0, False),
        ("AlectoV1", "rain", 19.2, False),
        ("Nexus-TH", "temperature", 19.2, False),
        ("AlectoV1", "temperature", None, False),
    ],
)
def test_an_alecto_is_not_heard_near_each_multiple_of_1_6(
    model: str, name: str, temperature: float | None, is_hidden: bool
) -> None:
    assert hidden(model, name, {"temperature": temperature}) is is_hidden
