"""What a device keeps, over the ends that a process has."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from support.world import Broker, Eyes, House, eventually

COUNT = "cm/meter/data/count"


@pytest.fixture
def meter(house: House, broker: Broker) -> House:
    house.write(broker.port)
    house.device("meter", 'kind = "support.odd_devices.Meter"\n')
    return house


@pytest.fixture
def file(meter: House) -> Path:
    return meter.folder / "state" / "outbox" / "cm.meter" / "kept.json"


@pytest.fixture
def add(eyes: Eyes) -> Callable[[int], None]:
    def add(number: int) -> None:
        assert eyes.ask("cm/meter", "add", str(number))["result"] == "done"

    return add


def test_a_killed_process_has_written_a_change_that_was_alone(
    meter: House, eyes: Eyes, file: Path, add: Callable[[int], None]
) -> None:
    running = meter.run("meter")
    eyes.wait_value(COUNT, 0)
    add(5)
    eventually(lambda: file.exists() and file.read_text() == '{"count":5}', "it is on disk")
    running.send(signal.SIGKILL)
    running.wait()
    meter.run("meter")
    eyes.wait(lambda seen: [one for one in seen if one.topic == COUNT and one.value == 5][1:], "it goes on counting")


def test_a_kill_costs_no_change_where_systemd_gives_a_folder_in_memory(
    meter: House, eyes: Eyes, file: Path, add: Callable[[int], None], tmp_path: Path
) -> None:
    memory = str(tmp_path / "memory")
    running = meter.run("meter", RUNTIME_DIRECTORY=memory)
    eyes.wait_value(COUNT, 0)
    add(5)
    eventually(lambda: file.exists() and file.read_text() == '{"count":5}', "it is on disk")
    add(6)
    running.send(signal.SIGKILL)
    running.wait()
    assert file.read_text() == '{"count":5}'
    meter.run("meter", RUNTIME_DIRECTORY=memory)
    eyes.wait(lambda seen: [one for one in seen if one.topic == COUNT and one.value == 11][1:], "it goes on counting")


def test_a_stop_and_a_reload_write_what_has_not_been_written_yet(
    meter: House, eyes: Eyes, file: Path, add: Callable[[int], None]
) -> None:
    running = meter.run("meter")
    eyes.wait_value(COUNT, 0)
    for number in (5, 6, 7):
        add(number)
    meter.device("meter", 'kind = "support.odd_devices.Meter"\nevery_s = 3601\n')
    running.send(signal.SIGHUP)
    running.wait_log("reloaded")
    assert file.read_text() == '{"count":18}'
    add(1)
    eyes.wait_value(COUNT, 19)
    assert running.stop() == 0
    assert file.read_text() == '{"count":19}'


def test_a_file_that_cannot_be_written_is_a_fault_and_the_count_goes_on(
    meter: House, eyes: Eyes, file: Path, add: Callable[[int], None]
) -> None:
    running = meter.run("meter")
    eyes.wait_value(COUNT, 0)
    file.mkdir()
    (file / "in the way").touch()
    add(5)
    eyes.wait_value("cm/meter/status/state", "fault")
    running.wait_log("kept values cannot be written; they are in memory only")
    add(6)
    eyes.wait_value(COUNT, 11)
    (file / "in the way").unlink()
    file.rmdir()
    assert running.stop() == 0
    assert file.read_text() == '{"count":11}'
