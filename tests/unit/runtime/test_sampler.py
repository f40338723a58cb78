"""When a device is read: in step, and again soon after a failure."""

import errno
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zmq

from bootstrap.eventloop.loop import Loop
from bootstrap.runtime import sampler
from bootstrap.runtime.reporter import Reporter
from support.odd_devices import Late, Told

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


def test_a_late_read_keeps_step_and_makes_nothing_up(reporter: Reporter, monkeypatch: Any) -> None:
    """On a machine where time passes only while somebody waits."""
    now, steps = [1000.0], []

    def pass_by(seconds: float) -> list[Any]:
        now[0] += seconds
        return []

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", pass_by)
    monkeypatch.setattr(zmq.Poller, "poll", lambda _self, patience_ms: pass_by(patience_ms / 1000))
    loop, device = Loop(), Late()
    reporter.use_device(device)
    sampler.Sampler(loop, device, reporter, lambda: steps.append((now[0] - 1000) / device.every_s)).start()
    loop.run(lambda: len(steps) == 8)
    assert steps == pytest.approx([0, 1, 5.5, 6, 7, 8, 9, 10], abs=0.02)
