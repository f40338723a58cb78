"""The clock jumps."""

from pathlib import Path

import pytest
from scene import SENSOR, Scene
from world import Running

OTHER_CLOCK = str(Path(__file__).parent.parent / "other_clock.py")
HOUR_S = 3600


class Clock:
    """What the daemon takes for the time: ours, and so many seconds more."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.set(0)

    def set(self, offset_s: int) -> None:
        (self.file.parent / "next clock").write_text(str(offset_s))
        (self.file.parent / "next clock").replace(self.file)

    def run(self, scene: Scene) -> Running:
        return scene.run(program=[OTHER_CLOCK, str(self.file)])


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


def goes_on(scene: Scene) -> None:
    """Neither reads nor heartbeats stop."""
    heartbeats = len(scene.recorder.eyes.on(f"{SENSOR}/status/heartbeat"))
    scene.reads(15)
    assert len(scene.recorder.eyes.on(f"{SENSOR}/status/heartbeat")) > heartbeats


@pytest.mark.fault("The clock jumps an hour ahead.", promise="No timer stops; nothing lost, in order, state right.")
def test_jump_ahead(scene: Scene, clock: Clock) -> None:
    running = clock.run(scene)
    clock.set(HOUR_S)
    goes_on(scene)
    scene.well()
    scene.finish(running)


@pytest.mark.fault(
    "The clock jumps an hour back.",
    promise="No timer stops; nothing lost, in order, state right. Until the clock is past where it was, each reading"
    " is a microsecond later than the one before.",
)
def test_jump_back(scene: Scene, clock: Clock) -> None:
    running = clock.run(scene)
    clock.set(-HOUR_S)
    goes_on(scene)
    scene.well()
    scene.clock_is_true = False
    scene.finish(running)


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
