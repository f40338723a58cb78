"""The device fails, lies and hangs."""

import pytest

from support.faults.scene import STATE, Scene
from support.paths import QUICK


@pytest.mark.fault(
    "`read` raises OSError for a second.", promise="State `fault` meanwhile; all before and after recorded, in order."
)
def test_read_raises(scene: Scene) -> None:
    running = scene.run()
    scene.feel("raises")
    scene.recorder.eyes.wait_value(STATE, "fault")
    running.wait_log('cannot read the device (error="count, even, word: no answer")')
    scene.feel("")
    scene.well()
    scene.finish(running)


@pytest.mark.fault(
    "`read` gives a number that cannot be, while the broker is away.",
    promise="No lie is recorded or retained; state `fault` meanwhile; all before and after recorded, in order.",
)
def test_read_lies(scene: Scene) -> None:
    running = scene.run()
    scene.broker.stop()
    scene.feel("lies")
    running.wait_log('a measure has a problem (measure=count, reason="2000000.0 1 is not within 0 to 1e+06")')
    scene.broker.start()
    scene.recorder.eyes.wait_value(STATE, "fault")
    scene.feel("")
    scene.well()
    scene.finish(running)


@pytest.mark.fault(
    "`read` hangs for ever.",
    promise="The supervisor replaces the process once it has made no progress for `watchdog_s`, with all stacks in the"
    " log; all that was read is recorded, in order.",
)
def test_read_hangs(scene: Scene) -> None:
    scene.configure(log='level = "debug"\n[supervisor]\nwatchdog_s = 1.0')
    parent = scene.house.supervise(program=QUICK)
    scene.reads(10)
    scene.feel("hangs")
    parent.wait_log("hangs; its stacks follow (sensor=cellar")
    scene.feel("")
    scene.well()
    scene.finish(parent)
    assert parent.logged("in read")
    assert len(parent.logged("info cm/cellar: starting (")) == 2
