"""The daemon dies; it, or the whole machine, starts again."""

import shutil
import signal
import time
from pathlib import Path

import pytest

from support.faults.scene import Scene
from support.truth import made
from support.world import eventually


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


@pytest.mark.fault(
    "The daemon is killed while the broker is away, twice, and started again.",
    promise="Nothing lost, in order, state right.",
)
def test_killed_while_spooling(scene: Scene) -> None:
    running = scene.run()
    scene.broker.stop()
    for _ in range(2):
        scene.reads(30)
        scene.kill(running)
        assert scene.spills()
        running = scene.run(readings=0)
    scene.reads(5)
    scene.broker.start()
    scene.well()
    scene.finish(running)
    eventually(lambda: not scene.spills(), "nothing is left on disk")


@pytest.mark.long
@pytest.mark.fault(
    "The daemon is killed while it delivers what an outage has left, and started again.",
    promise="Nothing lost, in order, state right.",
)
def test_killed_while_draining(scene: Scene) -> None:
    scene.configure(every_s=0.02, history="rate = 50.0")
    running = scene.run()
    scene.broker.stop()
    scene.reads(200)
    scene.broker.start()
    scene.recorder.wait(made(scene.diary) - 80, 30)
    scene.kill(running)
    scene.configure(history="rate = 50.0")
    again = scene.run(readings=0)
    scene.well()
    scene.finish(again)


@pytest.mark.fault(
    "The daemon is stopped in order while the broker is away, and started again.",
    promise="Nothing lost, in order, state right.",
)
def test_stopped_while_the_broker_is_away(scene: Scene) -> None:
    running = scene.run()
    scene.broker.stop()
    scene.reads(5)
    assert running.stop() == 0
    again = scene.run(readings=0)
    scene.reads(5)
    scene.broker.start()
    scene.well()
    scene.finish(again)


@pytest.mark.fault(
    "The power fails during an outage: daemon and broker die, the runtime folder is gone.",
    promise="Nothing lost, in order, state right.",
)
def test_reboot(scene: Scene, tmp_path: Path) -> None:
    runtime = tmp_path / "runtime"
    running = scene.run(RUNTIME_DIRECTORY=str(runtime))
    scene.broker.stop(signal.SIGKILL)
    scene.reads(30)
    scene.kill(running)
    shutil.rmtree(runtime)
    again = scene.run(readings=0, RUNTIME_DIRECTORY=str(runtime))
    scene.broker.start()
    scene.well()
    scene.finish(again)


@pytest.mark.soak
@pytest.mark.fault(
    "The broker is killed for 25 s under a counter of 1 s, the daemon in the middle of it.",
    promise="Every reading recorded, in order, each within 10 ms of its own time.",
)
def test_outage_of_25_s(scene: Scene) -> None:
    scene.configure(every_s=1)
    running = scene.run()
    scene.broker.stop(signal.SIGKILL)
    scene.reads(12)
    scene.kill(running)
    running = scene.run(readings=0)
    scene.reads(13)
    scene.broker.start()
    scene.well()
    scene.finish(running)


def outage(scene: Scene, readings: int) -> None:
    """Ten times faster than a fast sensor, into memory that must not grow with it."""
    scene.configure(every_s=0.01, history="rate = 400.0")
    running = scene.run()
    scene.broker.stop()
    before = scene.heartbeats()[-1]["rss_mb"]
    scene.reads(readings, limit_s=readings / 50)
    scene.broker.start()
    scene.well()
    scene.finish(running)
    assert max(one["rss_mb"] for one in scene.heartbeats()) < before + 10


@pytest.mark.long
@pytest.mark.fault(
    "The broker is away for 1000 readings; `rate = 400`.",
    promise="Nothing lost, in order, state right; memory bounded.",
    within_s=20,
)
def test_outage_of_1000_readings(scene: Scene) -> None:
    outage(scene, 1000)


@pytest.mark.soak
@pytest.mark.timeout(1500)
@pytest.mark.fault(
    "The broker is away for 36 000 readings, those of an hour at ten a second; `rate = 400`.",
    promise="Nothing lost, in order, state right; memory bounded.",
    within_s=600,
)
def test_outage_of_36000_readings(scene: Scene) -> None:
    outage(scene, 36_000)
