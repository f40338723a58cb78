"""The clock jumps."""

import time
from pathlib import Path

import pytest

from bootstrap.contract.timestamps import parse
from support.faults.recorder import READING
from support.faults.scene import HEARTBEAT, SENSOR, Scene
from support.paths import OTHER_CLOCK
from support.world import Running

HOUR_S = 3600
YEARS_S = 9 * 365 * 24 * HOUR_S


class Clock:
    """What the daemon takes for the time: ours, and so many seconds more."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.set(0)

    def set(self, offset_s: int) -> None:
        (self.file.parent / "next clock").write_text(str(offset_s))
        (self.file.parent / "next clock").replace(self.file)

    def run(self, scene: Scene, **more: int) -> Running:
        return scene.run(program=[OTHER_CLOCK, str(self.file)], **more)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


def goes_on(scene: Scene) -> None:
    """Neither reads nor heartbeats stop."""
    heartbeats = len(scene.recorder.eyes.on(HEARTBEAT))
    scene.reads(15)
    assert len(scene.recorder.eyes.on(HEARTBEAT)) > heartbeats


@pytest.mark.fault("The clock jumps an hour ahead.", promise="No timer stops; nothing lost, in order, state right.")
def test_jump_ahead(scene: Scene, clock: Clock) -> None:
    running = clock.run(scene)
    clock.set(HOUR_S)
    goes_on(scene)
    scene.well()
    scene.finish(running)


@pytest.mark.fault(
    "The clock jumps four minutes back.",
    promise="No timer stops; nothing lost, in order, state right. Times go on at half their pace, marked `unsure`,"
    " until they are right again.",
)
def test_jump_back(scene: Scene, clock: Clock) -> None:
    running = clock.run(scene)
    clock.set(-240)
    goes_on(scene)
    scene.well()
    scene.clock_is_true = False
    scene.finish(running)
    clocks = [one.value.get("clock") for one in scene.recorder.eyes.on(READING)]
    jumped = clocks.index("unsure")
    assert clocks == [None] * jumped + ["unsure"] * (len(clocks) - jumped)


@pytest.mark.fault(
    "The clock is nine years ahead for a while, then right.",
    promise="No timer stops; nothing lost, in order, state right. Readings have the true time at once, as a new run.",
)
def test_back_from_the_future(scene: Scene, clock: Clock) -> None:
    clock.set(YEARS_S)
    running = clock.run(scene)
    goes_on(scene)
    clock.set(0)
    set_at = time.time()
    goes_on(scene)
    scene.well()
    scene.clock_is_true = False
    scene.finish(running)
    readings = [one.value for one in scene.recorder.eyes.on(READING)]
    runs = [*dict.fromkeys(one["run"] for one in readings)]
    true = [one for one in readings if one["run"] == runs[1]]
    assert len(runs) == 2
    assert [one["seq"] for one in true] == [*range(1, len(true) + 1)]
    assert all(set_at - 1 < parse(one["time"]).timestamp() < time.time() and "clock" not in one for one in true)
    assert running.logged("the clock was set back")


@pytest.mark.fault(
    "The clock jumps an hour back and ahead again while the broker is away.",
    promise="No timer stops; nothing lost, in order, state right.",
)
def test_jumps_while_the_broker_is_away(scene: Scene, clock: Clock) -> None:
    running = clock.run(scene)
    scene.broker.stop()
    scene.reads(5)
    clock.set(-HOUR_S)
    scene.reads(5)
    clock.set(0)
    scene.reads(5)
    scene.broker.start()
    scene.well()
    scene.clock_is_true = False
    scene.finish(running)


def start_in_1970(scene: Scene, clock: Clock) -> Running:
    """It reads, and its state is heard, but its history is not."""
    scene.behind_s = int(time.time()) - 100
    clock.set(-int(scene.behind_s))
    running = clock.run(scene, readings=0)
    scene.reads(30)
    assert scene.recorder.eyes.on(f"{SENSOR}/data/count")
    assert not scene.recorder.history.records
    return running


@pytest.mark.fault(
    "The machine starts in 1970; its clock is set after 3 s.",
    promise="State is told at once, the history when it has its true times, each within 10 ms; nothing lost, in order.",
)
def test_start_in_1970(scene: Scene, clock: Clock) -> None:
    running = start_in_1970(scene, clock)
    clock.set(0)
    scene.well()
    scene.finish(running)


@pytest.mark.fault(
    "The machine starts in 1970; the daemon is killed and started again before its clock is set.",
    promise="As if it had not been killed.",
)
def test_killed_in_1970(scene: Scene, clock: Clock) -> None:
    scene.kill(start_in_1970(scene, clock))
    again = clock.run(scene, readings=0)
    scene.reads(30)
    clock.set(0)
    scene.well()
    scene.finish(again)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.fault(
    "The machine starts in 1970, and its clock is never set.",
    promise='State is told at once, the history after 10 minutes with `"clock":"unsure"`; nothing lost, in order.',
    within_s=660,
)
def test_for_ever_in_1970(scene: Scene, clock: Clock) -> None:
    running = start_in_1970(scene, clock)
    scene.well()
    scene.clock_is_true = False
    scene.finish(running)
    assert all(one.value["clock"] == "unsure" for one in scene.recorder.eyes.on(READING))
    assert scene.heartbeats()[-1]["clock"] == "unsure"
