"""Who we are, whether the broker believes it, and what others say in our name."""

import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from support.faults.scene import SENSOR, Scene
from support.faults.wire import Wire
from support.paths import TESTS
from support.secrets_and_certificates import write_password
from support.truth import truth
from support.world import Eyes, House

TOPICS = [f"{SENSOR}/status/{name}" for name in ("state", "about", "heartbeat", "health", "action")]
TOPICS += [f"{SENSOR}/data/{name}" for name in (*truth(0), "reading")] + [f"{SENSOR}/action/read"]
GARBAGE = ("lost", "online", '{"run":"other","seq":1}', b"\xff\x00")


def litter(eyes: Eyes) -> None:
    """Retained garbage on every topic of ours."""
    for garbage in GARBAGE:
        for topic in TOPICS:
            eyes.publish(topic, garbage, retain=True)
    eyes.publish(TOPICS[0], "lost", retain=True)


@pytest.mark.fault(
    "Retained garbage on every topic of ours before the start.", promise="Every retained value is ours, nothing lost."
)
def test_litter_before_the_start(scene: Scene) -> None:
    litter(scene.recorder.eyes)
    running = scene.run()
    scene.well()
    scene.finish(running)


@pytest.mark.fault(
    "Retained garbage on every topic of ours while the daemon is cut off.",
    promise="Every retained value is ours again, nothing lost, in order.",
)
def test_litter_while_cut_off(scene: Scene, wire: Wire) -> None:
    running = scene.run()
    wire.refuse()
    litter(scene.recorder.eyes)
    scene.reads(10)
    wire.accept()
    scene.well()
    scene.finish(running)


@pytest.mark.fault(
    "Somebody calls the living daemon `lost`, and litters its topics.",
    promise="`lost` is corrected at once, a measure with its next read, all else at the next connect; nothing lost.",
)
def test_litter_while_connected(scene: Scene, wire: Wire) -> None:
    running = scene.run()
    litter(scene.recorder.eyes)
    running.wait_log("the retained state was an old last will; corrected")
    scene.state_is_right()
    wire.refuse()
    wire.accept()
    scene.well()
    scene.finish(running)


@pytest.mark.fault(
    "A foreign client uses our client id, for 3 s.", promise="Nothing lost, in order, state right; the daemon stays."
)
def test_a_strangers_client_id(scene: Scene) -> None:
    running = scene.run()
    with closing(Eyes(scene.broker.port, SENSOR)):
        running.wait_log("no broker; readings are kept meanwhile")
        scene.reads(30)
    scene.well()
    scene.finish(running)


@pytest.mark.fault(
    "A second daemon of the same name is started elsewhere.",
    promise="The younger ends with exit code 75; of the elder nothing lost, in order, state right.",
)
def test_a_second_daemon(scene: Scene, tmp_path: Path) -> None:
    running = scene.run()
    with closing(House(tmp_path / "twin")) as twin:
        twin.write(scene.broker.port, top="heartbeat_s = 0.5")
        twin.thermometer()
        assert twin.run().wait(120) == 75
    scene.well()
    scene.finish(running)


@pytest.mark.fault(
    "A second daemon of the same name is started elsewhere, where the clock is ten minutes slow.",
    promise="The younger ends with exit code 75; of the elder nothing lost, in order, state right.",
)
def test_a_second_daemon_with_a_wrong_clock(scene: Scene, tmp_path: Path) -> None:
    running = scene.run()
    clock = tmp_path / "clock"
    clock.write_text("-600")
    with closing(House(tmp_path / "twin")) as twin:
        twin.write(scene.broker.port, top="heartbeat_s = 0.5")
        twin.thermometer()
        younger = twin.run(program=[str(TESTS / "support" / "other_clock.py"), str(clock)])
        assert younger.wait(120) == 75
    scene.well()
    scene.finish(running)


def guarded(new_scene: Callable[..., Scene], place: Path) -> Scene:
    """At a broker that wants a password; the sensor's lies in its house."""
    place.mkdir()
    write_password(place, "opensesame")
    scene = new_scene("allow_anonymous false", f"password_file {place}/passwords", username="eyes", password="eyes")
    (scene.house.folder / "password").write_text("opensesame\n")
    scene.configure(broker='password_file = "password"')
    return scene


@pytest.mark.fault(
    "The broker does not know our password at the start, and for 5 s.",
    promise="Read all the same; the log names the refusal, the password not; nothing lost, in order, state right.",
    within_s=20,
)
def test_a_wrong_password(new_scene: Callable[..., Scene], tmp_path: Path) -> None:
    scene = guarded(new_scene, tmp_path / "secrets")
    write_password(tmp_path / "secrets", "not yet")
    scene.broker.send(signal.SIGHUP)
    running = scene.run(readings=0)
    assert "Not authorized" in running.wait_log("the broker refuses us; readings are kept meanwhile")[0]
    scene.reads(50)
    assert "opensesame" not in running.log
    write_password(tmp_path / "secrets", "opensesame")
    scene.broker.send(signal.SIGHUP)
    scene.well()
    scene.finish(running)


@pytest.mark.soak
@pytest.mark.fault(
    "The broker forgets our password, for 5 s.",
    promise="The daemon stays and asks again within 15 s; nothing lost, in order, state right.",
    within_s=20,
)
def test_a_password_that_becomes_wrong(new_scene: Callable[..., Scene], tmp_path: Path) -> None:
    scene = guarded(new_scene, tmp_path / "secrets")
    running = scene.run()
    write_password(tmp_path / "secrets", "changed")
    scene.broker.stop()
    scene.broker.start()
    running.wait_log("the broker refuses us; readings are kept meanwhile")
    scene.reads(50)
    write_password(tmp_path / "secrets", "opensesame")
    scene.broker.send(signal.SIGHUP)
    scene.well()
    scene.finish(running)
