"""Pulse-width modulation on a line that remembers what was written to it."""

import time
from itertools import pairwise

import pytest

from bootstrap.pins import software_pwm
from bootstrap.pins.software_pwm import SoftwarePwm
from support.world import eventually


class Output:
    def __init__(self) -> None:
        self.written: list[tuple[float, bool]] = []

    def write(self, level: bool) -> None:
        self.written.append((time.monotonic(), level))

    @property
    def levels(self) -> list[bool]:
        return [level for _, level in self.written]


def test_on_for_its_share_of_the_time() -> None:
    output = Output()
    pwm = SoftwarePwm(output.write, 25)
    pwm.set(0.8)
    eventually(lambda: len(output.written) > 40, "twenty periods")
    pwm.close()
    spans = [(after - before, level) for (before, level), (after, _) in pairwise(output.written[2:-1])]
    # The shortest of twenty, because a busy machine makes some of them longer.
    on, off = (min(span for span, level in spans if level is wanted) for wanted in (True, False))
    assert 0.7 < on / (on + off) < 0.9


@pytest.mark.parametrize("duty", [0, 1])
def test_all_or_nothing_does_not_switch(duty: float) -> None:
    output = Output()
    pwm = SoftwarePwm(output.write, 1000)
    pwm.set(duty)
    eventually(lambda: output.levels[-1:] == [bool(duty)], "the level")
    time.sleep(0.05)
    assert output.levels in ([bool(duty)], [False, bool(duty)])
    pwm.close()


def test_it_begins_as_the_line_is() -> None:
    """A line that rests high must not flash low when its device is set up."""
    output = Output()
    pwm = SoftwarePwm(output.write, 1000, duty=1.0)
    eventually(lambda: output.levels, "the first level")
    pwm.set(1.0)
    pwm.close()
    assert set(output.levels) == {True}


def test_off_and_closed_at_once_is_off() -> None:
    for _ in range(200):
        output = Output()
        pwm = SoftwarePwm(output.write, 1000)
        pwm.set(0.9)
        pwm.set(0)
        pwm.close()
        assert output.levels[-1] is False


def test_a_line_that_takes_no_level_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software_pwm, "RETRY_S", 0.01)
    output, failing, asked = Output(), [False], [0]

    def write(level: bool) -> None:
        asked[0] += 1
        if failing[0]:
            raise OSError(5, "an error of the line")
        output.write(level)

    pwm = SoftwarePwm(write, 1000, duty=1.0)
    eventually(lambda: output.levels == [True], "it is on")
    failing[0] = True
    pwm.set(0)
    eventually(lambda: asked[0] > 3, "it is tried again")
    with pytest.raises(OSError, match="an error of the line"):
        pwm.set(0)
    failing[0] = False
    eventually(lambda: output.levels == [True, False], "it is off")
    pwm.set(0)
    pwm.close()
