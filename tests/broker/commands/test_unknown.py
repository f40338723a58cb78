"""What a gateway hears: `penates unknown` lists it, `penates new --from` adopts it."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.radio import radio, say
from support.world import Broker, Eyes, House, Running

COMMENTED = "# the stick\r\n" + radio(1).replace("\n", "\r\n") + "# the last line, without an end"


@pytest.fixture
def heard(house: House, broker: Broker, eyes: Eyes) -> Iterator[Running]:
    """A gateway that has heard two which nobody has adopted."""
    house.write(broker.port, top="heartbeat_s = 0.5")
    file(house).write_bytes(COMMENTED.encode())
    running = house.run("radio")
    eyes.wait_value("cm/s1/status/state", "online")
    say(house.folder, id=44, temperature=7)
    say(house.folder, id=45, model="Nexus", temperature=8)
    eyes.wait(lambda seen: any(one.topic.endswith("unknown") and one.value["heard"] for one in seen), "they are heard")
    yield running
    running.stop()


def file(house: House) -> Path:
    return house.folder / "devices" / "radio.toml"


def test_what_is_heard_is_listed_and_adopted(heard: Running, house: House, eyes: Eyes) -> None:
    shown = house.penates("unknown").stdout
    assert re.search(
        r"^1 +cm/radio +--model AlectoV1 --id 44 +1 +- +- +\d+ s ago +\{\"temperature\": 7\}$", shown, re.MULTILINE
    )
    assert "to adopt one: penates new NAME --from cm/radio 2" in shown
    listed = json.loads(house.penates("unknown", "--json").stdout)["cm/radio"]
    assert {"model": "AlectoV1", "id": 44} in [one["key"] for one in listed]
    done = house.penates("new", "shed", "--from", "cm/radio", "--model", "AlectoV1", "--id", "44")
    assert (done.returncode, done.stderr) == (0, "")
    added = '\r\n\r\n[sensors.shed]\r\nmodel = "AlectoV1"\r\nid = 44\r\n'
    assert file(house).read_bytes() == COMMENTED.encode() + added.encode()
    heard.send(signal.SIGHUP)
    eyes.wait_value("cm/shed/status/state", "online")
    say(house.folder, id=44, temperature=9)
    eyes.wait_value("cm/shed/data/temperature", 9)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (
            ["s1", "--from", "cm/radio", "--id", "44"],
            "devices/radio.toml:6: 's1' is already there; nothing was written",
        ),
        (["shed", "--from", "cm/radio", "--id", "1"], "id 1 is already adopted as 's1'"),
        (["shed", "--from", "cm/radio"], "'id' is missing"),
        (["shed", "--from", "cm/radio", "--idd", "1"], "no setting 'idd'; did you mean 'id'?"),
        (["admin", "--from", "cm/radio", "--id=44"], "the sensor id 'admin' is reserved"),
        (["shed", "--from", "cm/s1", "--id", "44"], "cm/s1 is no gateway; choose from cm/radio"),
    ],
)
def test_what_cannot_be_adopted_changes_nothing(house: House, words: list[str], why: str) -> None:
    house.write(1)
    house.device("radio", radio(1))
    done = house.penates("new", *words)
    assert (done.returncode, file(house).read_text()) == (78, radio(1))
    assert why in done.stderr
