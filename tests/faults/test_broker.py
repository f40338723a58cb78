"""The broker ends, dies, freezes; and comes back."""

import signal
from collections.abc import Callable

import pytest

from support.faults.scene import Scene


@pytest.mark.fault("The broker is stopped (SIGTERM) for 1 s.", promise="Nothing lost, in order, state right.")
def test_stopped(scene: Scene) -> None:
    running = scene.run()
    scene.broker.stop()
    scene.reads(10)
    scene.broker.start()
    scene.well()
    scene.finish(running)


@pytest.mark.fault(
    "The broker is killed (SIGKILL) for 1 s, three times.",
    promise="Nothing lost that a broker which saves at once had acknowledged, in order, state right.",
)
def test_killed(scene: Scene) -> None:
    running = scene.run()
    for _ in range(3):
        scene.broker.stop(signal.SIGKILL)
        scene.reads(10)
        reconnects = len(running.logged("connected ("))
        scene.broker.start()
        scene.well()
        running.wait_log("connected (", count=reconnects + 1)
    scene.finish(running)


@pytest.mark.fault("The broker freezes for 3 s.", promise="Nothing lost, in order, state right; no reconnect.")
def test_frozen(scene: Scene) -> None:
    running = scene.run()
    scene.broker.send(signal.SIGSTOP)
    scene.reads(30)
    scene.broker.send(signal.SIGCONT)
    scene.well()
    scene.finish(running)
    assert not running.logged("no broker")


@pytest.mark.long
@pytest.mark.fault("The broker freezes for 20 s.", promise="Nothing lost, in order, state right.")
def test_frozen_for_long(scene: Scene) -> None:
    running = scene.run()
    scene.broker.send(signal.SIGSTOP)
    running.wait_log("no acknowledgement in 15 s", limit_s=30)
    scene.reads(40)
    scene.broker.send(signal.SIGCONT)
    scene.well()
    scene.finish(running)


@pytest.mark.fault(
    "There is no broker at the start, and for 2 s.", promise="Read all the same; nothing lost, in order, state right."
)
def test_absent_at_the_start(scene: Scene) -> None:
    scene.broker.stop()
    running = scene.run(readings=0)
    scene.reads(20)
    scene.broker.start()
    scene.well()
    scene.finish(running)


@pytest.mark.fault(
    "The broker is killed and forgets everything, the recorder's session too; `recorder = true`.",
    promise="Nothing lost, in order, state right: what was acknowledged in the last minute is sent again.",
)
def test_forgetful(new_scene: Callable[..., Scene]) -> None:
    scene = new_scene(forgetful=True)
    scene.configure(history="recorder = true")
    running = scene.run()
    for _ in range(2):
        scene.broker.stop(signal.SIGKILL)
        scene.reads(10)
        scene.broker.start()
        scene.reads(10)
    scene.well()
    scene.finish(running)
