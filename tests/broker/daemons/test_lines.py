"""Lines from a serial port become sensors on a real broker; the port is a pseudo-terminal."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.paths import ROOT
from support.plugged import Plugged
from support.world import Broker, Eyes, House, Running, Seen

PATTERNS = [
    "TEMP,{id},{temperature}",
    "HYGR,{id},{humidity}",
    "RC,{id},{measure:10000=a|01000=b},{value:event 0=off|1=on}",
]
ATTIC = "[sensors.attic]\nid = 5\n"
REMOTE = '[sensors.remote-00100]\nid = "00100"\n'


@pytest.fixture
def nano(tmp_path: Path) -> Iterator[Plugged]:
    made = Plugged(tmp_path)
    yield made
    made.close()


def described(nano: Plugged, *sections: str, more: str = "") -> str:
    return f'kind = "lines"\nport = "{nano.path}"\npatterns = {json.dumps(PATTERNS)}\n{more}\n' + "\n".join(sections)


def start(house: House, broker: Broker, text: str) -> Running:
    house.write(broker.port, top="heartbeat_s = 0.2")
    house.device("nano", text)
    return house.run("nano")


def readings(eyes: Eyes, sensor: str) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in one.value.items() if name not in ("time", "run", "seq", "clock", "boot")}
        for one in eyes.on(f"cm/{sensor}/data/reading")
    ]


def measures(eyes: Eyes, sensor: str) -> dict[str, str]:
    """What a sensor last said that it measures, each with its unit."""
    told = eyes.on(f"cm/{sensor}/status/about")[-1].value["measures"]
    return {name: one["unit"] for name, one in told.items()}


def wait_heard(eyes: Eyes, nano: Plugged, line: str, topic: str) -> None:
    """Write a line again and again, because what comes before the port is open again is lost."""
    since = len(eyes.seen)

    def heard(seen: list[Seen]) -> bool:
        nano.write(line)
        return any(one.topic == topic for one in seen[since:])

    eyes.wait(heard, f"{line} is heard")


def test_lines_are_readings_of_their_sensors(house: House, broker: Broker, eyes: Eyes, nano: Plugged) -> None:
    running = start(house, broker, described(nano, ATTIC, REMOTE))
    eyes.wait_online("nano", "attic", "remote-00100")
    nano.write("TEMP,5,-0.5", "HYGR,5,47", "TEMP,5,-3.3")
    eyes.wait(lambda _: len(readings(eyes, "attic")) >= 3, "three readings")
    assert readings(eyes, "attic") == [{"temperature": -0.5}, {"humidity": 47}, {"temperature": -3.3}]
    units = {"temperature": "°C", "humidity": "%"}
    eyes.wait(lambda _: measures(eyes, "attic") == units, "about says both")
    assert running.stop() == 0


def test_a_press_is_one_event_however_often_it_is_repeated(
    house: House, broker: Broker, eyes: Eyes, nano: Plugged
) -> None:
    start(house, broker, described(nano, REMOTE, more="repeat_s = 30"))
    eyes.wait_online("nano", "remote-00100")
    nano.write(*["RC,00100,10000,1"] * 8, *["RC,00100,10000,0"] * 3, "RC,00100,01000,1", "RC,00100,10000,1")
    eyes.wait(lambda _: len(readings(eyes, "remote-00100")) >= 4, "four events")
    assert readings(eyes, "remote-00100") == [{"a": "on"}, {"a": "off"}, {"b": "on"}, {"a": "on"}]
    assert [one.value for one in eyes.on("cm/remote-00100/data/a")] == ["on", "off", "on"]
    assert not any(one.retain for one in eyes.on("cm/remote-00100/data/a"))
    assert "fault" not in [one.value for one in eyes.on("cm/remote-00100/status/state")]


def test_who_is_unknown_is_listed_and_adopted_with_what_it_has_said(
    house: House, broker: Broker, eyes: Eyes, nano: Plugged
) -> None:
    running = start(house, broker, described(nano))
    eyes.wait_online("nano")
    nano.write("TEMP,9,7.5", "RC,01010,01000,1")
    topic = "cm/nano/status/unknown"
    eyes.wait(lambda _: [one for one in eyes.on(topic) if one.value["heard"]], "it is listed")
    shown = house.penates("unknown").stdout
    assert re.search(r"^1 +cm/nano +--id 9 +1 .* TEMP,9,7\.5$", shown, re.MULTILINE)
    for name, key in (("shed", ["1"]), ("remote", ["--id", "01010"])):
        done = house.penates("new", name, "--from", "cm/nano", *key)
        assert (done.returncode, done.stderr) == (0, "")
    running.send(signal.SIGHUP)
    eyes.wait_online("shed", "remote")
    about = eyes.wait(lambda _: eyes.on("cm/remote/status/about"), "what it is")
    assert set(about[0].value["measures"]) == {"b"}
    nano.write("TEMP,9,8", "RC,01010,01000,0")
    eyes.wait_value("cm/shed/data/temperature", 8)
    eyes.wait_value("cm/remote/data/b", "off")


def test_lines_that_match_nothing_are_counted_and_said(house: House, broker: Broker, eyes: Eyes, nano: Plugged) -> None:
    running = start(house, broker, described(nano, ATTIC, more="every_s = 0.2"))
    eyes.wait_online("nano", "attic")
    nano.send(b"boot 1\r\n\r\nboot 2\r\n\xff\x00\xfe\nTEMP,5\nTEMP,5,2~.1\nTEMP,5,21.5 TEMP,5,21.6\n")
    eyes.wait_value("cm/nano/data/unmatched", 6)
    assert [line.partition("line=")[2] for line in running.logged("matches no pattern")][:1] == ['"boot 1")']
    assert len(running.logged("matches no pattern")) == 5
    eyes.wait_value("cm/nano/status/state", "fault")
    eyes.wait_why("nano", "no line matches a pattern; is `baud` right.*TEMP,5,21.5 TEMP,5,21.6")
    since = len(eyes.seen)
    nano.send(b"TEMP,5,2")
    nano.send(b"1.5\r\nTEMP,5,nan\r\n")
    eyes.wait_value("cm/attic/data/temperature", 21.5)
    eyes.wait_value("cm/nano/status/state", "online", since)
    eyes.wait_why("attic", "'nan' came in place of a number")
    nano.write("TEMP,5,21")
    eyes.wait_value("cm/attic/data/temperature", 21)
    eyes.wait_value("cm/attic/status/state", "online", since)


def test_other_patterns_are_told_of_by_each_sensor(house: House, broker: Broker, eyes: Eyes, nano: Plugged) -> None:
    running = start(house, broker, described(nano, ATTIC))
    eyes.wait_online("nano", "attic")
    nano.write("TEMP,5,21.5", "HYGR,5,47")
    eyes.wait_value("cm/attic/data/humidity", 47)
    house.device("nano", described(nano, ATTIC).replace("HYGR,{id},{humidity}", "HYGR,{id},{moisture:0.1 %}"))
    running.send(signal.SIGHUP)
    wait_heard(eyes, nano, "HYGR,5,470", "cm/attic/data/moisture")
    assert eyes.on("cm/attic/data/moisture")[0].value == 47
    eyes.wait(
        lambda _: {"temperature", "moisture"} == {*eyes.on("cm/attic/status/about")[-1].value["measures"]},
        "humidity is no measure of it any more",
    )


def test_the_example_of_the_page_does_what_the_page_says(
    house: House, broker: Broker, eyes: Eyes, nano: Plugged
) -> None:
    page = (ROOT / "docs" / "SERIAL_LINES.md").read_text()
    house.group = eyes.group = "home"
    file = page.partition("```toml\n")[2].partition("```")[0]
    start(house, broker, re.sub(r'port = ".*"', f'port = "{nano.path}"', file))
    eyes.wait_online("nano", "shed", "remote-00100", "letterbox")
    rows = re.findall(r"^\| `(.+)` \| `(home/.+)` \| `(.+)` \|$", page, re.MULTILINE)
    assert len(rows) == 5
    for line, topic, value in rows:
        nano.write(line)
        eyes.wait_value(topic, json.loads(value))


def test_silence_is_a_fault_of_all_and_so_is_a_port_that_is_gone(
    house: House, broker: Broker, eyes: Eyes, nano: Plugged
) -> None:
    start(house, broker, described(nano, ATTIC + "every_s = 0.5", REMOTE, more="every_s = 0.2"))
    eyes.wait_online("nano", "attic", "remote-00100")
    nano.write("TEMP,5,21.5")
    eyes.wait_value("cm/attic/status/state", "fault")
    eyes.wait_why("attic", "temperature: no value for more than")
    eyes.wait_why("nano", r"no line came for \d+ s, though the port is open")
    since = len(eyes.seen)
    nano.unplug()
    eyes.wait_why("nano", "is gone")
    eyes.wait_why("nano", "No such file or directory")
    eyes.wait(
        lambda seen: [
            one for one in seen[since:] if one.topic == "cm/nano/status/health" and b'"absent"' in one.payload
        ],
        "the port is absent",
    )
    nano.plug_in()
    since = len(eyes.seen)
    wait_heard(eyes, nano, "TEMP,5,21.5", "cm/attic/data/temperature")
    eyes.wait_value("cm/nano/status/state", "online", since)
    assert "fault" not in [one.value for one in eyes.on("cm/remote-00100/status/state")]
