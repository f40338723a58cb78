"""SIGHUP: one running daemon takes over what changed in its files, or nothing at all."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from support.history import wait_stored
from support.paths import INJECT, SUPPORT
from support.world import (
    PATIENCE_S,
    Broker,
    Eyes,
    FakeBroker,
    House,
    Running,
    Supervisor,
    Wires,
    eventually,
    retained,
    retained_once,
)

DOOR, LAMP = 'kind = "door"\nevery_s = 3600\n', 'kind = "lamp"\nevery_s = 3600\n'
STATE, READING, BEAT = "cm/cellar/status/state", "cm/cellar/data/reading", "cm/cellar/status/heartbeat"


def reload(running: Running) -> str:
    """Have it reload; returns the line that says what came of it."""

    def outcomes() -> list[str]:
        return [line for line in running.lines if "reloaded" in line or "do not work" in line]

    before = len(outcomes())
    running.send(signal.SIGHUP)
    eventually(lambda: len(outcomes()) > before, "it reloads, or says why not")
    return outcomes()[before]


def values(eyes: Eyes, topic: str) -> list[Any]:
    return [one.value for one in eyes.on(topic)]


def nothing_is_missing(readings: list[dict[str, Any]]) -> None:
    """One run, and every number once at least, in order of first sight."""
    assert len({reading["run"] for reading in readings}) == 1
    seen = list(dict.fromkeys(reading["seq"] for reading in readings))
    assert seen == [*range(1, len(seen) + 1)]


def never_gone(eyes: Eyes, topic: str = STATE) -> None:
    assert not {"lost", "stopped", "starting"} & set(values(eyes, topic)[1:])


def test_a_level_interrupts_nothing(wires: Wires, broker: Broker, eyes: Eyes) -> None:
    wires.house.write(broker.port, log='level = "info"')
    running = wires.run("lamp", f"{LAMP}pin = 27\n")
    eyes.wait_value("cm/lamp/status/state", "online")
    eyes.ask("cm/lamp", "set", "on")
    lock = (wires.house.folder / "state" / "cm.lamp.lock").read_text()
    wires.house.write(broker.port, log='level = "debug"')
    assert 'reloaded (changed=["log"])' in reload(running)
    assert eyes.ask("cm/lamp", "read", "now")["result"] == "done"
    running.wait_log("debug cm/lamp: read (")
    assert wires.held(27) == "1"
    assert lock == f"{running.pid}\n"
    eventually(lambda: len(values(eyes, "cm/lamp/data/reading")) == 3, "three readings")
    nothing_is_missing(values(eyes, "cm/lamp/data/reading"))
    assert values(eyes, "cm/lamp/data/reading")[-1]["on"] is True
    assert broker.log().count("New client connected") == 2  # the lamp's, and our own
    assert values(eyes, "cm/lamp/status/state")[-1] == "online"


def test_another_line_is_watched_and_the_old_one_let_go(wires: Wires, eyes: Eyes) -> None:
    running = wires.run("cellar", f"{DOOR}pin = 17\n")
    eyes.wait_value("cm/cellar/data/open", value=True)
    wires.house.device("cellar", f"{DOOR}pin = 18\nbounce_s = 0.0\n")
    assert 'reloaded (changed=["device"])' in reload(running)
    wires.line(18).drive(False)
    eyes.wait_value("cm/cellar/data/open", value=False)
    eventually(lambda: len(values(eyes, READING)) == 3, "three readings")
    wires.line(17).drive(True)
    other = wires.run("attic", f"{DOOR}pin = 17\n")
    eyes.wait_value("cm/attic/status/state", "online")
    assert other.stop() == 0
    assert len(values(eyes, READING)) == 3
    nothing_is_missing(values(eyes, READING))
    never_gone(eyes)


def test_how_often_it_is_read_and_said(cellar: House, eyes: Eyes, broker: Broker) -> None:
    cellar.thermometer(every_s=3600)
    running = cellar.run()
    eyes.wait_value(STATE, "online")
    cellar.thermometer(every_s=0.05)
    cellar.write(broker.port, top="heartbeat_s = 0.2")
    reload(running)
    eyes.wait(lambda seen: len([one for one in seen if one.topic == READING]) > 5, "readings")
    about = eyes.wait(lambda seen: [one.value for one in seen if one.topic.endswith("/about")][1:], "about, again")
    assert about[-1]["measures"]["temperature"]["every_s"] == 0.05
    eyes.wait(
        lambda seen: len([1 for one in seen if one.topic == BEAT and one.value["heartbeat_s"] == 0.2]) > 3, "beats"
    )
    cellar.write(broker.port, top="heartbeat_s = 0")
    reload(running)
    eyes.wait(lambda seen: [one for one in seen if one.topic == BEAT][-1].payload == b"", "its last is taken back")
    count = len(eyes.on(BEAT))
    before = len(values(eyes, READING))
    eyes.wait(lambda seen: len([one for one in seen if one.topic == READING]) > before + 10, "half a second")
    assert len(eyes.on(BEAT)) == count
    assert BEAT not in retained(broker.port)
    never_gone(eyes)


def test_faulty_files_change_nothing_and_say_so_until_they_are_mended(
    cellar: House, eyes: Eyes, supervisor: Supervisor
) -> None:
    cellar.thermometer(every_s=0.1)
    running = cellar.run(NOTIFY_SOCKET=supervisor.address)
    supervisor.wait("READY=1")
    eyes.wait_value(STATE, "online")
    file = cellar.folder / "devices" / "cellar.toml"
    good = file.read_text()
    file.write_text(f'{good}serail = "1"\nevery = 3\n')
    reload(running)
    faults = running.wait_log("not reloaded; nothing has changed", count=2)
    assert "devices/cellar.toml:5: no setting 'serail'; did you mean 'serial'?" in faults[0]
    assert "devices/cellar.toml:6: no setting 'every'" in faults[1]
    told = supervisor.told_until("READY=1")
    assert told[told.index("RELOADING=1") + 1].startswith("MONOTONIC_USEC=")
    assert any("STATUS=fault: not reloaded: devices/cellar.toml:5: no setting 'serail'" in line for line in told)
    eyes.wait_value(STATE, "fault")
    file.write_text("every_s = = 3\n")
    assert "devices/cellar.toml:1: not TOML" in reload(running)
    count = len(values(eyes, READING))
    eyes.wait(lambda seen: len([one for one in seen if one.topic == READING]) > count + 2, "it reads on")
    file.write_text(good)
    reload(running)
    eventually(lambda: values(eyes, STATE)[-1] == "online", "all is well")
    eventually(lambda: values(eyes, BEAT)[-1]["why"] is None, "the heartbeat says so")
    nothing_is_missing(values(eyes, READING))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("", 'sensor = "attic"\n'), "devices/cellar.toml:1: the sensor changed from cm/cellar to cm/attic"),
        (("", 'group = "annex"\n'), "devices/cellar.toml:1: the sensor changed from cm/cellar to annex/cellar"),
        (
            ("", '# mine alone\nshared_with = "none"\n'),
            "devices/cellar.toml:2: the sensor changed from cm/cellar to cm-private/cellar",
        ),
        (('state = "elsewhere"', ""), "house.toml:2: 'state' has changed"),
    ],
)
def test_what_only_a_new_process_can_be(
    cellar: House, broker: Broker, eyes: Eyes, change: tuple[str, str], fault: str
) -> None:
    top, device = change
    cellar.thermometer(every_s=0.1)
    running = cellar.run()
    eyes.wait_value(STATE, "online")
    file = cellar.folder / "devices" / "cellar.toml"
    file.write_text(device + file.read_text())
    cellar.write(broker.port, top=top)
    assert f"{fault}; that needs a restart" in reload(running)
    never_gone(eyes)
    assert not [topic for topic in retained(broker.port) if "cellar" not in topic]


def test_a_taken_line_is_rolled_back(wires: Wires, eyes: Eyes) -> None:
    wires.run("attic", f"{DOOR}pin = 18\n")
    running = wires.run("cellar", f"{DOOR}pin = 17\n")
    eyes.wait_value(STATE, "online")
    eyes.wait_value("cm/attic/status/state", "online")
    wires.house.device("cellar", f"{DOOR}pin = 18\n")
    assert "the new settings do not work; restoring the old ones" in reload(running)
    eyes.wait_value(STATE, "fault")
    why = eyes.wait(lambda seen: [one.value["why"] for one in seen if one.topic == BEAT and one.value["why"]], "why")
    assert why[0].startswith("not reloaded: devices/cellar.toml: ")
    wires.line(17).drive(False)
    eyes.wait_value("cm/cellar/data/open", value=False)
    wires.house.device("cellar", f"{DOOR}pin = 17\n")
    reload(running)
    eventually(lambda: values(eyes, STATE)[-1] == "online", "all is well")
    nothing_is_missing(values(eyes, READING))
    never_gone(eyes)


def odd(hook: str, error: str = "RuntimeError") -> str:
    return f'kind = "support.odd_devices.Odd"\nhook = "{hook}"\nerror = "{error}"\ndiary = "diary"\n'


def test_a_bug_in_the_new_setup_is_rolled_back_too(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    house.device("cellar", odd("none"))
    running = house.run()
    eyes.wait_value(STATE, "online")
    house.device("cellar", odd("setup"))
    reload(running)
    assert "in setup" in running.log
    count = len(values(eyes, READING))
    eyes.wait(lambda seen: len([one for one in seen if one.topic == READING]) > count + 2, "it reads on")
    diary = [line for line in (house.folder / "diary").read_text().splitlines() if line != "read"]
    assert diary == ["setup", "teardown", "setup", "teardown", "setup"]


def test_a_device_that_is_gone_for_good_is_absent(house: House, broker: Broker, eyes: Eyes) -> None:
    """Neither the new one nor the old: as at a start, and each is torn down once."""
    house.write(broker.port)
    (house.folder / "mine.py").write_text(
        ((SUPPORT / "odd_devices.py").read_text())
        + '\n\n@dataclass(kw_only=True)\nclass Once(Odd):\n    """Wiring: none."""\n\n'
        "    def setup(self) -> None:\n        super().setup()\n"
        "        if self.diary.read_text().count('setup') > 1:\n            raise OSError('it is gone')\n"
    )
    house.device("cellar", odd("none").replace("support.odd_devices.Odd", "mine.Once"))
    running = house.run()
    eyes.wait_value(STATE, "online")
    house.device("cellar", odd("nothing").replace("support.odd_devices.Odd", "mine.Once"))
    running.send(signal.SIGHUP)
    assert running.wait() == 1
    assert running.logged("the device is absent; publishing the fault, then ending")
    assert retained(broker.port)[STATE] == "fault"
    diary = [line for line in (house.folder / "diary").read_text().splitlines() if line != "read"]
    assert diary == ["setup", "teardown"] * 3


def test_another_kind_leaves_nothing_of_the_one_before(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    house.device("cellar", odd("none"))
    running = house.run()
    eyes.wait_value("cm/cellar/data/level", 5)
    house.thermometer(every_s=0.1)
    assert 'reloaded (changed=["kind", "device"])' in reload(running)
    eyes.wait_value("cm/cellar/data/temperature", 21.5)

    def its_own(told: dict[str, Any]) -> bool:
        return {topic for topic in told if "/data/" in topic} == {"cm/cellar/data/temperature"}

    told = retained_once(broker.port, its_own, "the values of the one before are taken back")
    about = told["cm/cellar/status/about"]
    assert (about["kind"], [*about["actions"]]) == ("thermometer", ["log", "read"])
    assert told["cm/cellar/status/health"].keys() == {"temperature"}
    assert eyes.ask("cm/cellar", "set", "on")["reason"].startswith("no action 'set'")
    nothing_is_missing(values(eyes, READING))
    never_gone(eyes)


def test_an_output_is_safe_meanwhile_and_its_state_true_after(wires: Wires, eyes: Eyes) -> None:
    running = wires.run("lamp", f"{LAMP}pin = 27\n")
    eyes.wait_value("cm/lamp/status/state", "online")
    eyes.ask("cm/lamp", "set", '{"state": "on", "for_s": 0.5}')
    since = len(eyes.seen)
    wires.house.device("lamp", f"{LAMP}pin = 27\nactive_high = false\n")
    reload(running)
    assert wires.held(27) == "1"  # off
    eyes.wait_value("cm/lamp/data/on", value=False, since=since)
    eyes.ask("cm/lamp", "set", "on")
    assert wires.held(27) == "0"
    assert eyes.wait_value("cm/lamp/data/on", value=True, since=since)
    nothing_is_missing(values(eyes, "cm/lamp/data/reading"))


def test_it_moves_to_another_broker_and_loses_nothing(
    cellar: House, eyes: Eyes, new_broker: Callable[..., Broker]
) -> None:
    cellar.thermometer(every_s=0.01)
    running = cellar.run()
    eyes.wait_value(STATE, "online")
    second = new_broker("second")
    others = Eyes(second.port)
    cellar.write(second.port)
    assert 'reloaded (changed=["broker"])' in reload(running)
    others.wait(lambda seen: len([one for one in seen if one.topic == READING]) > 20, "readings")
    running.send(signal.SIGTERM)
    assert running.wait() == 0
    others.wait_value(STATE, "stopped")
    nothing_is_missing(values(eyes, READING) + values(others, READING))
    never_gone(eyes)
    assert values(others, STATE) == ["online", "stopped"]
    others.close()


def test_it_moves_while_it_calls_somebody_who_does_not_answer(cellar: House, eyes: Eyes, broker: Broker) -> None:
    """A broker that is silent; and again, at once, while it takes leave of that one."""
    deaf = FakeBroker({0x10: lambda _: b""})
    cellar.write(deaf.port)
    running = cellar.run()
    running.wait_log("read (")
    cellar.write(broker.port)
    reload(running)
    cellar.write(broker.port, broker='protocol = "3.1.1"')
    reload(running)
    eyes.wait_value(STATE, "online")
    assert running.stop() == 0
    *said, last = values(eyes, STATE)
    assert (set(said), last) == ({"online"}, "stopped")
    deaf.close()


def test_reloads_under_load_lose_nothing(cellar: House, eyes: Eyes, broker: Broker) -> None:
    cellar.thermometer(every_s=0.01)
    running = cellar.run()
    eyes.wait_value(STATE, "online")
    for number in range(12):
        cellar.thermometer(every_s=0.01 + number % 3 / 1000)
        cellar.write(broker.port, broker=f"keepalive_s = {30 + number // 4}", top=f"heartbeat_s = {0.2 + number % 2}")
        reload(running)
    count = len(values(eyes, READING))
    eyes.wait(lambda seen: len([one for one in seen if one.topic == READING]) > count + 20, "readings")
    never_gone(eyes)
    assert "fault" not in values(eyes, STATE)
    assert running.stop() == 0
    nothing_is_missing(values(eyes, READING))
    assert len({beat["run"] for beat in values(eyes, BEAT)}) == 1


def test_the_histories_settings_reach_the_outbox(cellar: House, eyes: Eyes, broker: Broker) -> None:
    """`rate` by its effect: four a second, of many that wait."""
    cellar.thermometer(every_s=0.02)
    running = cellar.run()
    eyes.wait_value(STATE, "online")
    cellar.write(broker.port, log="level = 'debug'\n[history]\nrate = 4.0\nrecords = 3")
    assert 'changed=["history"]' in reload(running)
    before = len(values(eyes, READING))
    running.wait_log("read (", count=len(running.logged("read (")) + 50)
    assert len(values(eyes, READING)) - before < 15
    assert eyes.ask("cm/cellar", "read", "now")
    reading = eyes.wait(lambda seen: [one.value for one in seen if one.topic == READING][-1:], "a reading")[0]
    assert reading["seq"] > len(values(eyes, READING))  # the oldest went


def test_a_recorder_hears_on(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    recorder = 'kind = "recorder"\nevery_s = 0.2\n'
    house.device("recorder", recorder)
    running = house.run("recorder")
    running.wait_log("subscribed (")
    house.device("recorder", recorder + "keep_days = 36500\n")
    reload(running)
    running.wait_log("subscribed (", count=2)
    house.write(broker.port, broker="keepalive_s = 9")
    assert 'changed=["broker"]' in reload(running)
    running.wait_log("subscribed (", count=3)
    reading = '{"time":"2026-11-20T20:31:07.123456Z","run":"k3f9x0qa","seq":1,"temperature":21.5}'
    eyes.publish("cm/attic/data/reading", reading)
    assert [seq for seq, *_ in wait_stored(house, 1)] == [1]
    assert running.stop() == 0


@pytest.mark.parametrize(
    "target",
    [
        "bootstrap.runtime.process:Process._reload",
        "bootstrap.runtime.process:Process._reloaded",
        "bootstrap.runtime.process:Process._on_signal",
        "bootstrap.runtime.sensor:Sensor.apply_settings",
        "bootstrap.runtime.sensor:Sensor.detach_device",
        "bootstrap.mqtt.link:Link.move",
        "bootstrap.mqtt.link:Link._moved",
        "bootstrap.outbox.outbox:Outbox.apply_settings",
        "bootstrap.runtime.reporter:Reporter.use_device",
    ],
)
def test_a_bug_of_ours_in_a_reload_ends_it_loudly(cellar: House, broker: Broker, eyes: Eyes, target: str) -> None:
    running = cellar.run(program=[INJECT, target])
    eyes.wait_value(STATE, "online")
    cellar.thermometer(every_s=0.5)
    cellar.write(broker.port, broker="keepalive_s = 9")
    running.send(signal.SIGHUP)
    assert running.wait() == 70
    assert "InjectedError" in running.log


def test_without_a_supervisor_it_says_who_reloads(cellar: House) -> None:
    refused = cellar.penates("reload")
    assert refused.returncode == 1
    assert "no supervisor is running; to reload a unit: sudo systemctl reload penates@NAME" in refused.stderr


def test_at_a_terminal_it_means_the_end(cellar: House, eyes: Eyes) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "penates", "run", "cellar", "--config", str(cellar.folder)]
    process = subprocess.Popen(command, env=cellar.env(), stdin=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    eyes.wait_value(STATE, "online")
    process.send_signal(signal.SIGHUP)
    assert process.wait(PATIENCE_S) == 0
    os.close(ours)
    eyes.wait_value(STATE, "stopped")


def test_a_sensor_that_never_reloads_does_not_carry_it() -> None:
    code = "import sys, penates.commands.run, penates.commands.supervisor;"
    code += "print([name for name in sys.modules if name == 'bootstrap.runtime.reload'])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert ended.stdout.strip() == "[]"
