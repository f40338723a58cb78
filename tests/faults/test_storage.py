"""The disk under the state folder is full, closed or damaged."""

import resource
from collections.abc import Callable

import pytest

from support.faults.scene import SETTLES_S, Scene
from support.paths import FULL_DISK
from support.truth import made
from support.world import eventually

ROOM = 32_768  # bytes: some hundred records


def says_why(scene: Scene) -> bool:
    return any(one["storage"] for one in scene.heartbeats())


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(
            [],
            marks=pytest.mark.fault(
                "The disk is full after some hundred readings of an outage.",
                promise="The daemon lives and says why in `storage`; the rest waits in memory; nothing lost, in order.",
            ),
            id="disk",
        ),
        pytest.param(
            ["--no-mount"],
            marks=pytest.mark.fault(
                "The file of stored readings may not grow any more after some hundred of them.",
                promise="The daemon lives and says why in `storage`; the rest waits in memory; nothing lost, in order.",
            ),
            id="file",
        ),
    ],
)
def test_disk_full(scene: Scene, how: list[str]) -> None:
    scene.configure(every_s=0.02)
    running = scene.run(program=[FULL_DISK, str(scene.house.folder / "state"), str(ROOM), *how])
    scene.broker.stop()
    scene.reads(300)
    scene.broker.start()
    scene.well()
    scene.recorder.wait(made(scene.diary), SETTLES_S)
    # The limit is for each file, and the diary grows as well: a slow machine makes it too large.
    _, most = resource.prlimit(running.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (most, most))
    scene.finish(running)
    assert says_why(scene)
    assert scene.heartbeats()[-1]["dropped"] == 0


@pytest.mark.fault(
    "The state folder cannot be written to.",
    promise="The daemon lives and says why in `storage`; the rest waits in memory; nothing lost, in order.",
)
def test_folder_closed(scene: Scene) -> None:
    """A file stands where its folder should be: that stops root, too."""
    (scene.house.folder / "state").mkdir()
    (scene.house.folder / "state" / "outbox").write_text("in the way")
    running = scene.run()
    scene.broker.stop()
    scene.reads(30)
    scene.broker.start()
    scene.well()
    scene.finish(running)
    assert says_why(scene)


def flipped(lines: list[bytes]) -> list[bytes]:
    """A bit of the second record."""
    return [lines[0], lines[1][:-5] + bytes([lines[1][-5] ^ 1]) + lines[1][-4:], *lines[2:]]


def cut(lines: list[bytes]) -> list[bytes]:
    """The file ends within its last record."""
    return [*lines[:-1], lines[-1][:20]]


def zeros(lines: list[bytes]) -> list[bytes]:
    """As a power cut leaves it: the length is right, the last blocks never came."""
    return [*lines[:-3], b"\0" * len(b"".join(lines[-3:]))]


def all_zeros(lines: list[bytes]) -> list[bytes]:
    return [b"\0" * len(b"".join(lines))]


@pytest.mark.parametrize(
    ("damage", "lost"),
    [
        pytest.param(
            flipped,
            slice(1, 2),
            marks=pytest.mark.fault(
                "A bit of a stored reading is flipped.", promise="It alone is lost, and said; in order.", lost=1
            ),
        ),
        pytest.param(
            cut,
            slice(-1, None),
            marks=pytest.mark.fault(
                "The file of stored readings ends within its last.",
                promise="It alone is lost, and said; in order.",
                lost=1,
            ),
        ),
        pytest.param(
            zeros,
            slice(-3, None),
            marks=pytest.mark.fault(
                "The file of stored readings has zeros in place of its last three.",
                promise="They alone are lost, and said; in order.",
                lost=3,
            ),
        ),
        pytest.param(
            all_zeros,
            slice(None),
            marks=pytest.mark.fault(
                "The file of stored readings has nothing but zeros.",
                promise="They are lost, and said; the daemon lives, all else is recorded in order.",
                lost=60,
            ),
        ),
    ],
)
def test_damaged(scene: Scene, damage: Callable[[list[bytes]], list[bytes]], lost: slice) -> None:
    scene.broker.stop()
    running = scene.run(readings=0)
    scene.reads(30)
    scene.kill(running)
    (file,) = scene.spills()
    lines = file.read_bytes().splitlines(keepends=True)
    assert len(lines) == made(scene.diary)
    file.write_bytes(b"".join(damage(lines)))
    scene.broker.start()
    scene.well()
    again = scene.run()
    found = scene.finish(again)
    assert found.lost == list(range(1, len(lines) + 1))[lost]
    assert again.logged("damaged")


@pytest.mark.fault(
    "The outage outlasts the queue (`records` = 50).",
    promise="The oldest are dropped, each counted in `dropped`; the rest recorded in order, state right.",
    lost=100,
)
def test_queue_full(scene: Scene) -> None:
    scene.configure(every_s=0.05, history="records = 50")
    running = scene.run()
    scene.broker.stop()
    scene.reads(100)
    scene.broker.start()
    running.wait_log("connected", count=2)  # until then, what is read now may have to be dropped as well
    scene.well()
    scene.recorder.wait(made(scene.diary) + 1, SETTLES_S)
    beats = len(scene.heartbeats())
    eventually(lambda: len(scene.heartbeats()) > beats, "a heartbeat after the last that was dropped")
    lost = scene.finish(running).lost
    assert 40 <= len(lost) == scene.heartbeats()[-1]["dropped"]
    # Later ones may be dropped while a busy machine still sends what was kept.
    assert lost[:40] == list(range(lost[0], lost[0] + 40))
