"""A device's calls for later: those with a name replace one another."""

import pytest

from bootstrap.device import Reading
from bootstrap.eventloop.loop import Loop
from bootstrap.runtime.named_timers import NamedTimers


class Told:
    """What the timers of a device have published."""

    def __init__(self) -> None:
        self.loop, self.readings = Loop(), list[Reading | None]()
        self.timers = NamedTimers(self.loop, lambda call: self.readings.append(call()))

    def after(self, seconds: float, value: int, name: str = "") -> None:
        self.timers.after(seconds, lambda: {"level": value}, name)

    def until(self, count: int) -> list[Reading | None]:
        assert self.loop.run(lambda: len(self.readings) >= count, 10)
        return self.readings


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_name_has_one_call_at_a_time(told: Told) -> None:
    told.after(0, 1, "hold")
    told.after(0.01, 2, "hold")
    told.after(0, 3, "other")
    told.after(0.02, 4)
    told.after(0.02, 5)
    assert told.until(4) == [{"level": 3}, {"level": 2}, {"level": 4}, {"level": 5}]


def test_what_is_cancelled_is_not_called(told: Told) -> None:
    told.after(0, 1, "hold")
    assert (told.timers.waits_for("hold"), told.timers.waits_for("other")) == (True, False)
    assert (told.timers.cancel("hold"), told.timers.cancel("hold"), told.timers.cancel("other")) == (True, False, False)
    told.after(0.01, 2)
    assert told.until(1) == [{"level": 2}]


def test_a_call_that_is_made_no_longer_waits_and_may_make_the_next(told: Told) -> None:
    waited: list[bool] = []

    def again() -> Reading:
        waited.append(told.timers.waits_for("again"))
        if len(waited) < 3:
            told.timers.after(0, again, "again")
        return {"level": len(waited)}

    told.timers.after(0, again, "again")
    assert told.until(3) == [{"level": 1}, {"level": 2}, {"level": 3}]
    assert waited == [False, False, False]


def test_a_timer_cancels_itself(told: Told) -> None:
    told.timers.after(0, lambda: {"level": 1}, "hold").cancel()
    assert not told.timers.waits_for("hold")
