"""The pace of pulses: exact while they come, an upper bound while they stay away, and 0 in the end."""

import pytest

from bootstrap.plain_lines.pulse_pace import PulsePace

SECOND = 1_000_000_000


def at(*seconds: float) -> list[int]:
    return [round(one * SECOND) for one in seconds]


def test_nothing_is_known_before_the_second_pulse_unless_none_comes() -> None:
    pace = PulsePace(600, 0)
    assert pace.per_second(SECOND) is None
    pace.add(at(2))
    assert pace.per_second(3 * SECOND) is None
    pace.add(at(4))
    assert pace.per_second(4 * SECOND) == 0.5
    assert PulsePace(600, 0).per_second(600 * SECOND) == 0


def test_it_is_the_mean_since_the_last_look_and_exact() -> None:
    pace = PulsePace(600, 0)
    pace.add(at(*(n / 50 for n in range(501))))
    assert pace.per_second(10 * SECOND) == pytest.approx(50)
    pace.add(at(10.5, 11, 11.5))
    assert pace.per_second(12 * SECOND) == 2
    assert pace.per_second(12 * SECOND) == 2


def test_it_falls_while_no_pulse_comes_and_is_0_after_the_time_that_was_set() -> None:
    pace = PulsePace(600, 0)
    pace.add(at(0, 1, 2))
    assert [pace.per_second(now) for now in at(2.5, 3, 4, 12, 102)] == [1, 1, 0.5, 0.1, 0.01]
    assert pace.per_second(602 * SECOND) == 0
    assert pace.per_second(9999 * SECOND) == 0


def test_the_time_of_a_long_rest_is_no_time_between_pulses() -> None:
    pace = PulsePace(600, 0)
    pace.add(at(0, 1))
    assert pace.per_second(700 * SECOND) == 0
    pace.add(at(5000))
    assert pace.per_second(5001 * SECOND) == 0
    pace.add(at(5002))
    assert pace.per_second(5002 * SECOND) == 0.5


def test_it_is_looked_at_ever_more_seldom() -> None:
    pace, now, looks = PulsePace(600, 0), 1.0, list[float]()
    pace.add(at(0, 1))
    while shown := pace.per_second(round(now * SECOND)):
        looks.append(shown)
        now += pace.look_again_s(round(now * SECOND), shown, 10)
    assert now == pytest.approx(601)
    assert len(looks) < 10
    assert looks == sorted(looks, reverse=True)
