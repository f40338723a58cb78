"""The network between a daemon and its broker fails, and tells nobody."""

from contextlib import closing

import pytest

from support.faults.scene import Scene
from support.faults.wire import Wire
from support.world import swallow_syns


@pytest.mark.long
@pytest.mark.parametrize(
    ("up", "down"),
    [
        pytest.param(
            True,
            True,
            marks=pytest.mark.fault(
                "Nothing passes between daemon and broker any more (half-open TCP), for 18 s.",
                promise="Noticed after 15 s; nothing lost, in order, state right.",
            ),
            id="both",
        ),
        pytest.param(
            True,
            False,
            marks=pytest.mark.fault(
                "Nothing passes towards the broker, for 18 s.",
                promise="Noticed after 15 s; nothing lost, in order, state right.",
            ),
            id="up",
        ),
        pytest.param(
            False,
            True,
            marks=pytest.mark.fault(
                "Nothing passes from the broker, for 18 s: what it acknowledges is not heard.",
                promise="Noticed after 15 s; nothing lost, in order, state right.",
            ),
            id="down",
        ),
    ],
)
def test_half_open(scene: Scene, wire: Wire, *, up: bool, down: bool) -> None:
    running = scene.run()
    wire.cut(up=up, down=down)
    running.wait_log("no acknowledgement in 15 s", limit_s=30)
    scene.reads(30)
    wire.mend()
    scene.well()
    scene.finish(running)


@pytest.mark.fault("The link is silent for 2 s, then refuses for 2 s.", promise="Nothing lost, in order, state right.")
def test_cut_then_refused(scene: Scene, wire: Wire) -> None:
    running = scene.run()
    wire.cut()
    scene.reads(20)
    wire.refuse()
    scene.reads(20)
    wire.accept()
    scene.well()
    scene.finish(running)


@pytest.mark.fault("The link is silent for 3 s.", promise="Nothing lost, in order, state right; no reconnect.")
def test_cut_for_a_moment(scene: Scene, wire: Wire) -> None:
    running = scene.run()
    wire.cut()
    scene.reads(30)
    wire.mend()
    scene.well()
    scene.finish(running)
    assert not running.logged("no broker")


@pytest.mark.fault(
    "The broker's host swallows every SYN for 6 s.", promise="Read all the same; nothing lost, in order, state right."
)
def test_syns_swallowed(scene: Scene) -> None:
    with swallow_syns() as port:
        scene.configure(port)
        running = scene.run(readings=0)
        scene.reads(60)
    with closing(Wire(scene.broker.port, port)):
        scene.well()
        scene.finish(running)


@pytest.mark.fault("Connections break every half second, ten times.", promise="Nothing lost, in order, state right.")
def test_breaks_again_and_again(scene: Scene, wire: Wire) -> None:
    running = scene.run()
    for _ in range(10):
        wire.refuse()
        wire.accept()
        scene.reads(5)
    scene.well()
    scene.finish(running)
