"""When a device is read: in step, and again soon after a failure."""

import errno
import json
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import zmq

from bootstrap.device import Device
from bootstrap.eventloop.loop import Loop
from bootstrap.runtime import sampler
from bootstrap.runtime.reporter import Reporter
from support.odd_devices import Failing, Late, Told

GOOD = {"level": 5, "depth": 1.5, "word": "open"}


@pytest.fixture
def sampled(reporter: Reporter, tmp_path: Path, monkeypatch: Any) -> Callable[[Any], Loop]:
    """A loop in which a device reads this, once an hour if nothing makes haste."""
    monkeypatch.setattr(sampler, "FIRST_RETRY_S", 0.01)

    def start(reading: Any) -> Loop:
        loop, file = Loop(), tmp_path / "told.json"
        file.write_text(json.dumps(reading))
        sampler.Sampler(loop, Told(file=file), reporter, lambda: None).start()
        return loop

    return start


@pytest.mark.parametrize("reading", [{"level": 11}, {**GOOD, "level": 11}, errno.EIO])
def test_a_failed_read_is_tried_again_soon(
    sampled: Callable[[Any], Loop], reporter: Reporter, reading: dict[str, Any] | int
) -> None:
    assert sampled(reading).run(lambda: reporter.reads == 5, 15)
    assert reporter.state == "fault"


def test_a_trouble_makes_no_haste(sampled: Callable[[Any], Loop], reporter: Reporter) -> None:
    reporter.set_problem("the clock", "it is unsure")
    assert not sampled(GOOD).run(lambda: reporter.reads > 1, 0.3)
    assert (reporter.state, reporter.reads) == ("fault", 1)


class Waiting:
    """A machine where time passes only while somebody waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "sleep", self.pass_by)
        monkeypatch.setattr(zmq.Poller, "poll", lambda _self, patience_ms: self.pass_by(patience_ms / 1000))

    def pass_by(self, seconds: float) -> list[Any]:
        self.now += seconds
        return []


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Waiting:
    return Waiting(monkeypatch)


def steps_of(waiting: Waiting, reporter: Reporter, device: Device, count: int, phase: float) -> list[float]:
    """When so many reads had ended, in periods."""
    loop, steps = Loop(), list[float]()
    began = waiting.now
    reporter.use_device(device)
    note = lambda: steps.append((waiting.now - began) / device.every_s)  # noqa: E731
    sampler.Sampler(loop, device, reporter, note, phase).start()
    loop.run(lambda: len(steps) == count)
    return steps


def test_a_late_read_keeps_step_and_makes_nothing_up(reporter: Reporter, waiting: Waiting) -> None:
    steps = steps_of(waiting, reporter, Late(), 8, phase=0)
    assert steps == pytest.approx([0, 1, 5.5, 6, 7, 8, 9, 10], abs=0.02)


@pytest.mark.parametrize(
    ("phase", "expected"), [(0.25, [0, 1.25, 2.25]), (0.5, [0, 0.5, 1.5]), (0.75, [0, 0.75, 1.75]), (0.99, [0, 0.99])]
)
def test_the_first_read_is_at_once_and_the_others_are_at_a_time_of_its_own(
    reporter: Reporter, waiting: Waiting, phase: float, expected: list[float]
) -> None:
    device = Failing(every_s=10, failures=0)
    assert steps_of(waiting, reporter, device, len(expected), phase) == pytest.approx(expected, abs=0.001)


def test_after_a_failure_it_is_back_in_step(reporter: Reporter, waiting: Waiting) -> None:
    """Else all that failed together would read together from then on."""
    steps = steps_of(waiting, reporter, Failing(every_s=60), 6, phase=0.75)
    assert steps[0] == 0
    assert steps[1] * 60 <= 1.01
    assert steps[2:] == pytest.approx([0.75, 1.75, 2.75, 3.75], abs=0.001)


def test_sensors_of_one_house_spread_over_the_period() -> None:
    phases = sorted(sampler.phase_of(f"cm/t{number:02}") for number in range(20))
    assert all(0 <= phase < 1 for phase in phases)
    assert max(after - before for before, after in pairwise([*phases, phases[0] + 1])) < 0.4
    assert sampler.phase_of("cm/cellar") == sampler.phase_of("cm/cellar")
