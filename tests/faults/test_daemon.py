"""The daemon dies; it, or the whole machine, starts again."""

import signal
import time

import pytest
from scene import Scene


@pytest.mark.fault(
    "The daemon is killed (SIGKILL) while all is well, and started again.",
    promise="At most what was unacknowledged is lost, less than 2 s of readings; in order, state right.",
    lost=20,
)
def test_killed_while_well(scene: Scene) -> None:
    running = scene.run()
    scene.kill(running)
    scene.well()
    again = scene.run()
    scene.finish(again)


@pytest.mark.fault(
    "The daemon is frozen (SIGSTOP) for 3 s and goes on.", promise="Nothing lost, in order, state right."
)
def test_frozen(scene: Scene) -> None:
    running = scene.run()
    running.send(signal.SIGSTOP)
    time.sleep(3)
    running.send(signal.SIGCONT)
    scene.well()
    scene.finish(running)


@pytest.mark.fault(
    "The daemon is stopped in order and started again, three times.", promise="Nothing lost, in order, state right."
)
def test_stopped(scene: Scene) -> None:
    for _ in range(3):
        assert scene.run().stop() == 0
    scene.well()
    scene.finish(scene.run())
