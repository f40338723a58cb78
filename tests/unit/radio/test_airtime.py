"""How much of an hour a transmitter may send."""

from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.errors import Refused
from bootstrap.radio.airtime import Airtime, share_in_europe


class Clock:
    """The time since the machine was started, in seconds."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def airtime(kept: Any, clock: Clock, boot: str = "one", share: float = 0.01) -> Airtime:
    return Airtime(kept, share, boot, clock)


def send(one: Airtime, seconds: float) -> None:
    one.reserve(seconds)
    one.count(seconds, seconds)


@pytest.fixture
def kept() -> SimpleNamespace:
    return SimpleNamespace(value={})


def test_an_hour_later_it_may_be_sent_again(kept: SimpleNamespace) -> None:
    clock = Clock()
    one = airtime(kept, clock)
    for _ in range(36):
        send(one, 1.0)
    with pytest.raises(Refused, match=r"36.0 of 36.0 s .*in 3[56]\d\d s$"):
        one.reserve(0.5)
    clock.now += 3599
    with pytest.raises(Refused):
        one.reserve(0.5)
    clock.now += 61
    send(one, 0.5)
    assert one.used_s == 0.5


def test_what_waits_counts_too(kept: SimpleNamespace) -> None:
    one = airtime(kept, Clock())
    one.reserve(30.0)
    with pytest.raises(Refused, match=r"0.0 of 36.0 s"):
        one.reserve(7.0)
    one.count(30.0, 31.0)  # some repeats were sent again
    assert (one.used_s, one.reserved_s) == (31.0, 0.0)


def test_a_restart_forgets_nothing(kept: SimpleNamespace) -> None:
    clock = Clock()
    send(airtime(kept, clock), 20.0)
    clock.now += 600
    assert airtime(kept, clock).used_s == 20.0
    clock.now += 3100
    assert airtime(kept, clock).used_s == 0


def test_after_another_start_of_the_machine_all_of_it_counts_as_new(kept: SimpleNamespace) -> None:
    send(airtime(kept, Clock(50_000.0)), 20.0)
    clock = Clock(5.0)
    one = airtime(kept, clock, boot="another")
    assert one.used_s == 20.0
    clock.now += 3500
    assert one.used_s == 20.0
    clock.now += 200
    assert one.used_s == 0


def test_europe_has_a_limit_for_each_band() -> None:
    assert [share_in_europe(mhz) for mhz in (433.92, 868.35, 869.0, 869.5)] == [0.10, 0.01, 0.001, 0.10]
    for mhz in (315.0, 434.8, 868.65):
        with pytest.raises(ValueError, match=r"within 433.05-434.79, 868-868.6, "):
            share_in_europe(mhz)
