"""docs/RECIPES.md, typed by a reader in a house of their own: each block that is not marked is run, in order."""

import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from bootstrap.pins.simulated_lines import SimulatedLine
from support.examples import Block, Reader, marked_blocks, reader
from support.kernel_files import KernelFiles
from support.paths import ROOT
from support.typed import TypedPenates
from support.world import PATIENCE_S, Broker, Eyes, House, eventually

PAGE = "docs/RECIPES.md"
LONGEST = 15  # lines of a block
STAYS = re.compile(r"^(hall-light|tell-phone|freezer)$", re.MULTILINE)  # what goes on until Ctrl-C
MQTT_IO = """
mqtt: {host: localhost, topic_prefix: old}
gpio_modules: [{name: pins, module: gpiozero}]
digital_inputs: [{name: shed, module: pins, pin: 24, ha_discovery: {device_class: door}}]
"""
PLUG = ("zigbee2mqtt/kettle", '{"state":"OFF","power":0,"energy":3.27}')


class Sandbox:
    """A house on simulated lines with a recorder, and its owner, whose `sudo`, `penates` and phone are ours."""

    def __init__(self, home: Path, house: House, broker: Broker, eyes: Eyes) -> None:
        self.home, self.house, self.eyes, self.bin = home, house, eyes, home / "bin"
        house.group = eyes.group = "home"
        house.write(broker.port, top='state = "state"\nheartbeat_s = 0.5\n[history]\nrecorder = true')
        house.device("recorder", 'kind = "recorder"\n')
        self.bin.mkdir(parents=True)
        env = {**reader(home, self.bin), **house.env(GPIOZERO_PIN_FACTORY="simulated", HOME=str(home))}
        env["PATH"] = f"{self.bin}:{env['PATH']}"
        self._typed = TypedPenates(self.bin / "real-penates", env)
        self._program("penates", f'[ "$1" = install ] && set -- start\nexec real-penates "$@" --config {house.folder}')
        self._program("sudo", f'HOME={home}/root exec "$@"')  # root has no options for mosquitto_sub
        self._program("curl", f'printf "%s\\n" "$*" >> "{home}/phone"')
        (home / ".config").mkdir()
        (home / ".config" / "mosquitto_sub").write_text(f"-h 127.0.0.1\n-p {broker.port}\n")
        (home / "mqtt-io.yml").write_text(MQTT_IO)
        self.files = KernelFiles(home / "sys")
        self.owner, self.env = Reader(home, env, home), env
        self.staying: list[subprocess.Popen[bytes]] = []

    def _program(self, name: str, text: str) -> None:
        file = self.bin / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)

    def meant(self, text: str) -> str:
        """The block with our places in it, where the page has those of a Pi."""
        places = {
            "/usr/local/bin": str(self.bin),
            "/mnt/usb": str(self.home),
            "mqtt-io.yml\n": "mqtt-io.yml || true\n",  # it ends with 1, as there are remarks
            "/etc/mqtt-io.yml": str(self.home / "mqtt-io.yml"),
            "new BME280 bath": f"new BME280 bath sysfs={self.files.root}",
            "serial=28-0316a2795fff": f"serial=28-freezer bus={self.house.bus} every_s=0.2",
            "penates adopt": "penates adopt --wait 1",
            "interface=wlan0": "interface=lo",
            "new updates updates": "new updates updates apt_get=/bin/true",
        }
        for place, ours in places.items():
            text = text.replace(place, ours)
        return text

    def run(self, block: Block) -> None:
        """Type a block; its last command may go on in a terminal of its own."""
        text = self.meant(block.text)
        if (stays := STAYS.search(text)) is None:
            self.owner.types(text)
            return
        self.owner.types(text[: stays.start()])
        command = self.bin / stays[1]
        self.staying.append(subprocess.Popen([command], env=self.env, cwd=self.home, start_new_session=True))

    def drive(self, line: int, *, high: bool) -> None:
        SimulatedLine(line, self.house.folder / "state" / "lines").drive(high)

    def phone_has(self, text: str) -> bool:
        phone = self.home / "phone"
        return phone.exists() and text in phone.read_text()

    def phone_shows(self, text: str) -> None:
        eventually(lambda: self.phone_has(text), f"the phone shows {text}")

    def close(self) -> None:
        for script in self.staying:
            os.killpg(script.pid, signal.SIGTERM)  # Ctrl-C also ends what a script has started
            script.wait(PATIENCE_S)
        self.owner.types("penates stop")
        self._typed.close()


@pytest.fixture
def sandbox(tmp_path: Path, house: House, broker: Broker, eyes: Eyes) -> Iterator[Sandbox]:
    found = Sandbox(tmp_path / "home", house, broker, eyes)
    yield found
    found.close()


# What the world does before the blocks of a recipe, and what must be so after them.


def nothing(_: Sandbox) -> None:
    """There is nothing to be done."""


def chip(box: Sandbox) -> None:
    measured = {"in_temp_input": "21500", "in_humidityrelative_input": "48000", "in_pressure_input": "101.325"}
    box.files.iio("bme280", "1-0076", **measured)


def lamp_follows(box: Sandbox) -> None:
    box.eyes.wait_online("hall", "lamp")
    for motion in (True, False):
        box.drive(23, high=motion)
        box.eyes.wait_value("home/hall/data/motion", motion)
        if motion:
            box.eyes.wait_value("home/lamp/data/on", value=True)


def counted(box: Sandbox) -> None:
    about = next(one.value for one in box.eyes.on("homeassistant/device/home-mains/config"))
    energy = [one for one in about["cmps"].values() if one.get("dev_cla") == "energy"]
    assert [one["stat_cla"] for one in energy] == ["total_increasing"]


def opened(box: Sandbox) -> None:
    box.drive(5, high=True)
    box.eyes.wait_value("home/garage/data/state", "opening")


def plugged(box: Sandbox) -> None:
    box.eyes.retain_all([PLUG])
    switched = Thread(target=box.eyes.publish, args=(PLUG[0], PLUG[1].replace("OFF", "ON")))
    box.eyes.listen("zigbee2mqtt/kettle/set", lambda _: switched.start())


def told_of_the_lost(box: Sandbox) -> None:
    """The script leaves out what was said before it listens, so it is said until the script does."""

    def shown() -> bool:
        box.eyes.publish("home/attic/status/state", "lost")
        return box.phone_has("home/attic/status/state is lost")

    eventually(shown, "the phone shows it")


def frost(box: Sandbox) -> None:
    box.house.probe("freezer", -20_000)


def thawed(box: Sandbox) -> None:
    for temperature, shown in ((-12.5, "at -12.5 °C"), (-20.0, ""), (-11.0, "at -11.0 °C")):
        before = len(box.eyes.seen)
        box.house.probe("freezer", int(temperature * 1000))
        box.eyes.wait_value("home/freezer/data/temperature", temperature, before)
        box.phone_shows(shown)


def taken_over(box: Sandbox) -> None:
    assert 'kind = "door"' in (box.house.folder / "devices" / "shed.toml").read_text()


BEFORE: dict[str, Callable[[Sandbox], Any]] = {
    "A BME280 in the bath": chip,
    "The garage door": lambda box: box.drive(5, high=False),
    "A Zigbee plug": plugged,
    "The freezer": frost,
}
AFTER: dict[str, Callable[[Sandbox], Any]] = {
    "A PIR sensor and a lamp": lamp_follows,
    "The electricity meter in the energy dashboard": counted,
    "The garage door": opened,
    "A display in the hall": lambda box: (box.house.folder / "devices" / "lcd.toml").unlink(),
    "An alert on the phone": told_of_the_lost,
    "The freezer": thawed,
    "From mqtt-io": taken_over,
}


def test_every_recipe_works_as_it_stands(sandbox: Sandbox) -> None:
    recipes = marked_blocks(PAGE)
    run = [one for one in recipes if one.language == "sh" and not one.not_run]
    for number, block in enumerate(run):
        if block.heading != run[number - 1].heading:
            BEFORE.get(block.heading, nothing)(sandbox)
        sandbox.run(block)
        if [one.heading for one in run[number + 1 : number + 2]] != [block.heading]:
            AFTER.get(block.heading, nothing)(sandbox)


def test_all_blocks_are_run_or_say_why_not() -> None:
    recipes = marked_blocks(PAGE)
    assert {*BEFORE, *AFTER} <= {one.heading for one in recipes}
    assert (ROOT / PAGE).read_text().count("```") == 2 * len(recipes)
    assert {one.language for one in recipes} == {"sh", "yaml"}
    assert [one.heading for one in recipes if len(one.text.splitlines()) > LONGEST] == []
    not_run = Counter(one.heading for one in recipes if one.not_run)
    assert (len(recipes) - not_run.total(), not_run.total()) == (14, 9), "counted here, so that none is lost unseen"
