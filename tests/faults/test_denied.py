"""The broker lets us in, but not say everything."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from support.faults.scene import SENSOR, STATE, Scene
from support.world import eventually


@pytest.mark.long
@pytest.mark.fault(
    "The broker refuses the history (an ACL), for 4 s.",
    promise="State `fault`, the reason names the topic; once it is granted nothing is lost, in order, state right.",
    within_s=70,
)
def test_denied(new_scene: Callable[..., Scene], tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite #\ntopic deny cm/cellar/data/reading\n")
    scene = new_scene(f"acl_file {acl}")
    running = scene.run(readings=0)
    running.wait_log(f'the broker refused a message (topic="{SENSOR}/data/reading"')
    scene.recorder.eyes.wait_value(STATE, "fault")
    eventually(lambda: f"{SENSOR}/data/reading" in str(scene.heartbeats()[-1]["why"]), "the heartbeat names the topic")
    scene.reads(40)
    acl.write_text("topic readwrite #\n")
    scene.broker.send(signal.SIGHUP)
    scene.well()
    scene.finish(running)
