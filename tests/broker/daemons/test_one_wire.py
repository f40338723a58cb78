"""Probes on a 1-Wire bus are sensors on a real broker; a folder stands for what the kernel shows of the bus."""

import re
import signal
from collections.abc import Iterator

import pytest

from support.one_wire_bus import AnsweredTrigger, OneWireFiles, hold
from support.world import Broker, Eyes, House, Running

CELLAR, ATTIC, OTHER = "28-0316a2795fff", "28-00000000000b", "10-00000000000c"
SECTIONS = f'[sensors.cellar]\nserial = "{CELLAR}"\n[sensors.attic]\nserial = "{ATTIC}"\n'


@pytest.fixture
def files(house: House) -> Iterator[OneWireFiles]:
    made = OneWireFiles(house.folder)
    yield made
    made.close()


@pytest.fixture
def trigger(files: OneWireFiles) -> AnsweredTrigger:
    """Two masters with probes; the second one lets nobody trigger a conversion of all."""
    first, second = files.master(), files.master(2)
    answered = files.answer(first)
    answered.truth = {files.probe(first, CELLAR): "-10125", files.probe(first, ATTIC): "4250"}
    files.probe(second, OTHER, "21500")
    (second / "therm_bulk_read").mkdir()
    return answered


def start(house: House, broker: Broker, every_s: float = 0.2) -> Running:
    house.write(broker.port, top="heartbeat_s = 0.2")
    house.device("bus", f'kind = "one_wire"\nbus = "bus"\nevery_s = {every_s}\n{SECTIONS}')
    return house.run("bus")


def heard(eyes: Eyes) -> list[dict[str, object]]:
    """Return the list of those that nobody has adopted, as it is now."""
    lists = eyes.on("cm/bus/status/unknown")
    return lists[-1].value["heard"] if lists else []


def test_each_probe_is_a_sensor_and_who_is_unknown_is_adopted(
    house: House, broker: Broker, eyes: Eyes, trigger: AnsweredTrigger
) -> None:
    running = start(house, broker)
    eyes.wait_value("cm/cellar/data/temperature", -10.125)
    eyes.wait_value("cm/attic/data/temperature", 4.25)
    eyes.wait_value("cm/bus/data/probes", 3)
    eyes.wait_value("cm/bus/data/conversion", "both")
    for sensor in ("bus", "cellar", "attic"):
        eyes.wait_value(f"cm/{sensor}/status/state", "online")
    assert eyes.on("cm/cellar/status/about")[-1].value["measures"]["temperature"]["every_s"] == 0.2
    eyes.wait(lambda _: heard(eyes), "the third one is listed")
    assert re.search(rf"^1 +cm/bus +--serial {OTHER} .* 21\.5 °C$", house.penates("unknown").stdout, re.MULTILINE)
    done = house.penates("new", "shed", "--from", "cm/bus", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "every_s" not in (house.folder / "devices" / "bus.toml").read_text().partition("[sensors.shed]")[2]
    running.send(signal.SIGHUP)
    eyes.wait_value("cm/shed/data/temperature", 21.5)
    eyes.wait(lambda _: not heard(eyes), "nobody is unknown")
    assert len(running.logged("converted all at once")) == len(running.logged("converted one after the other")) == 1
    assert trigger.count >= 2
    assert running.stop() == 0


def test_a_fault_is_that_of_one_probe(
    house: House, broker: Broker, eyes: Eyes, files: OneWireFiles, trigger: AnsweredTrigger
) -> None:
    attic = next(file for file in trigger.truth if file.parent.name == ATTIC)
    trigger.truth[attic] = "85000"  # as after power-on
    running = start(house, broker)
    eyes.wait_why("attic", "85")
    trigger.truth[attic] = "4250"
    eyes.wait_value("cm/attic/data/temperature", 4.25)
    trigger.truth[attic] = ""  # a wrong checksum
    eyes.wait_why("attic", "the device did not answer")
    files.unplug(ATTIC)
    del trigger.truth[attic]
    eyes.wait_why("attic", f"{ATTIC} is not on the bus, which has {OTHER}, {CELLAR}")
    eyes.wait_value("cm/bus/data/probes", 2)
    eyes.wait(lambda _: heard(eyes), "the stranger is listed")
    files.unplug(OTHER)
    eyes.wait(lambda _: not heard(eyes), "it is gone from the list")
    back = files.probe(files.devices / "w1_bus_master1", ATTIC, "")
    since = len(eyes.seen)
    trigger.truth[back] = "4500"
    eyes.wait_value("cm/attic/data/temperature", 4.5, since)
    assert {one.value for one in eyes.on("cm/attic/data/temperature")} == {4.25, 4.5}
    assert {one.value for one in eyes.on("cm/cellar/data/temperature")} == {-10.125}
    assert "fault" not in [one.value for name in ("bus", "cellar") for one in eyes.on(f"cm/{name}/status/state")]
    assert running.stop() == 0


def test_without_a_bus_everybody_says_why(house: House, broker: Broker, eyes: Eyes, files: OneWireFiles) -> None:
    start(house, broker)
    for sensor in ("bus", "cellar", "attic"):
        eyes.wait_why(sensor, "has no w1_bus_master")
        eyes.wait_value(f"cm/{sensor}/status/state", "fault")
    hold(files.probe(files.master(), CELLAR), "21500")
    eyes.wait_value("cm/cellar/data/temperature", 21.5)
    eyes.wait_value("cm/bus/data/conversion", "each")
    eyes.wait_why("attic", f"{ATTIC} is not on the bus")
