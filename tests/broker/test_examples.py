"""The examples of the pages for authors, typed by a reader who copies each block as it is."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.config.loader import check
from bootstrap.radio.radio_socket import RadioSocket
from support.air import Air
from support.examples import Reader, blocks, programs, reader
from support.paths import ROOT
from support.transmitters import nexus
from support.world import Broker, Eyes, House, free_port

PORT = "18830"  # in the page


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Reader]:
    """A reader of OWN_DEVICE.md."""
    programs(tmp_path / "bin")
    found = Reader(tmp_path, reader(tmp_path, tmp_path / "bin"), tmp_path)
    yield found
    found.leaves()


def test_a_device_of_your_own_works_at_the_first_try(own: Reader) -> None:
    port = str(free_port())
    texts = [text.replace(PORT, port) for text in blocks("docs/OWN_DEVICE.md", "sh")]
    house, mine, look, test, broker, eyes, run, rain = texts
    own.types(house)
    own.folder = own.home / "try"
    own.types(mine)
    assert "Where" not in own.types(look)
    assert own.types(test).splitlines()[-1] == "OK"
    own.starts(broker).wait_log("mosquitto version")
    seen, sensor = own.starts(eyes), own.starts(run)
    sensor.wait_log("connected")
    seen.wait_log("home/roof/data/rain 0.0")
    own.types(rain)
    seen.wait_log("home/roof/data/rain 0.2794")
    assert sensor.stop(signal.SIGINT) == 0
    own.starts(run).wait_log("connected")
    own.types(rain)
    seen.wait_log("home/roof/data/rain 0.5588")


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Reader]:
    """A reader of ADDING.md, with a repository of their own."""
    root = tmp_path / "penates"
    for name in ("bootstrap", "daemons", "penates", "config", "scripts", "docs", "tests", "mosquitto", "systemd"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    programs(root / ".venv" / "bin", root)
    found = Reader(tmp_path, reader(tmp_path, root / ".venv" / "bin"), root)
    yield found
    found.leaves()


@pytest.mark.exact  # the code that runs is the copy, of which no coverage is wanted
def test_adding_a_kind_ends_in_a_green_test(copy: Reader) -> None:
    before, device, sample, test, generate, _by_hand = blocks("docs/ADDING.md", "sh")
    assert before == "scripts/test\n"  # which would run this test
    for text in (device, sample, test):
        copy.types(text)
    *scripts, check, run = generate.splitlines()
    assert (check, run.partition(" ")[0]) == ("scripts/check", "scripts/test")  # they make a venv
    copy.types("\n".join(scripts))
    of_all_kinds = "tests/unit/test_rules.py tests/unit/daemons/test_contract.py -k mousetrap"
    for tests in (" ".join(run.split()[1:]), of_all_kinds):
        assert " passed" in copy.types(f"python -m pytest -q -p no:cacheprovider {tests}")
    assert "| [`mousetrap`](mousetrap.md) | A snap trap" in (copy.folder / "docs" / "kinds" / "README.md").read_text()
    assert "[mousetrap](docs/kinds/mousetrap.md)" in (copy.folder / "README.md").read_text()


def new_house(folder: Path, broker: Broker) -> Path:
    """Return the folder of a house that has this broker, and no device yet."""
    house = folder / "house"
    (house / "devices").mkdir(parents=True)
    (house / "house.toml").write_text(f'group = "home"\n[broker]\nport = {broker.port}\n')
    return house


def test_a_stick_leads_to_a_value_in_four_commands(own: Reader, broker: Broker, eyes: Eyes, tmp_path: Path) -> None:
    """With a pipe for the stick, and a checkout in place of an installed house, which starts and reloads by itself."""
    (text,) = blocks("docs/RADIO.md", "sh")
    new, install, listed, adopt = text.replace("sudo ", "").splitlines()
    assert install == "penates install"
    config = f" --config {new_house(tmp_path, broker)}"
    air = Air(tmp_path)
    try:
        assert "Wiring: plug the stick into USB" in own.types(f"{new} 'input={air.input}' {config}")
        running = own.starts(f"penates run stick{config}")
        eyes.wait_value("home/stick/data/searching", value=True)
        air.send(nexus(181, 2, -0.5, 81))
        eyes.wait(
            lambda seen: any(one.topic.endswith("/unknown") and one.value["heard"] for one in seen), "it is heard"
        )
        assert "temperature -0.5 °C, humidity 81 %" in own.types(listed + config)
        assert "[sensors.shed] was added" in own.types(adopt + config)
        running.send(signal.SIGHUP)
        eyes.wait_value("home/shed/status/state", "online")
        air.send(nexus(181, 2, -0.6, 81))
        eyes.wait_value("home/shed/data/temperature", -0.6)
        assert running.stop() == 0
    finally:
        air.close()


def test_the_section_of_a_station_is_as_shown(house: House) -> None:
    (section,) = [text for text in blocks("docs/RADIO.md", "toml") if text.startswith("[")]
    house.write(1)
    house.device("stick", f'kind = "radio"\n{section}')
    (settings,) = check(house.folder)
    shed = settings.carried["shed"].device
    assert (shed.measures["temperature"].low, shed.measures["temperature"].high) == (-30, 100)


def test_a_module_leads_to_a_socket_in_four_commands(own: Reader, broker: Broker, eyes: Eyes, tmp_path: Path) -> None:
    """On simulated lines, and with a checkout in place of an installed house, which starts by itself."""
    (text,) = blocks("docs/RADIO_SOCKETS.md", "sh")
    new, adopt, install, send = text.replace("sudo ", "").splitlines()
    assert install == "penates install"
    config = f" --config {new_house(tmp_path, broker)}"
    own.env |= {"GPIOZERO_PIN_FACTORY": "simulated", "PENATES_LINES": str(tmp_path / "lines")}
    assert "Wiring: the module's DATA" in own.types(new + config)
    assert "[sensors.heater] was added" in own.types(adopt + config)
    running = own.starts(f"penates run transmitter{config}")
    eyes.wait_value("home/heater/status/state", "online")
    assert "done" in own.types(send + config)
    eyes.wait_value("home/heater/data/on", value=True)
    assert running.stop() == 0


def test_the_section_of_a_socket_is_as_shown(house: House) -> None:
    (section,) = blocks("docs/RADIO_SOCKETS.md", "toml")
    house.write(1)
    house.device("transmitter", f'kind = "socket"\npin = 25\n{section}')
    (settings,) = check(house.folder)
    lamp = settings.carried["lamp"].device
    assert isinstance(lamp, RadioSocket)
    assert lamp.key == {"code": "kaku 12345678 3"}
