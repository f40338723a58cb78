"""Chips that a driver of the kernel reads, on a real broker; a folder stands for /sys."""

import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bootstrap.runtime.bus_lock import BusLock
from support.kernel_files import KernelFiles
from support.world import Broker, Eyes, House, Running, eventually

Start = Callable[[str, str], Running]


@pytest.fixture
def files(house: House, broker: Broker, tmp_path: Path) -> KernelFiles:
    house.write(broker.port, top="heartbeat_s = 0.2")
    return KernelFiles(tmp_path / "sys")


@pytest.fixture
def started(house: House, files: KernelFiles) -> Start:
    def started(sensor: str, text: str) -> Running:
        house.device(sensor, f'{text}\nsysfs = "{files.root}"\nevery_s = 0.2\n')
        return house.run(sensor)

    return started


def whole(reading: dict[str, Any]) -> bool:
    values = [reading.get(name) for name in ("temperature", "humidity", "pressure")]
    return values == [-0.5, 48.0, 1013.25]


def test_a_chip_that_is_not_there_comes_is_unplugged_and_comes_back(
    files: KernelFiles, started: Start, eyes: Eyes
) -> None:
    started("bath", 'kind = "climate"')
    eyes.wait_value("cm/bath/status/state", "fault")
    eyes.wait_why("bath", "no driver of the kernel offers a bme280; they offer nothing")
    folder = files.iio(
        "bme280", "1-0076", in_temp_input="-500", in_humidityrelative_input="48000", in_pressure_input="101.325"
    )
    eyes.wait_value("cm/bath/status/state", "online")
    eyes.wait_value("cm/bath/data/pressure", 1013.25)
    eyes.wait(lambda _: [one for one in eyes.on("cm/bath/data/reading") if whole(one.value)], "all of one sample")
    files.fail(folder / "in_pressure_input")  # which fails alone
    eyes.wait_value("cm/bath/status/state", "fault")
    eyes.wait_why("bath", "pressure: BME280: .*in_pressure_input: Is a directory")
    before = len(eyes.on("cm/bath/data/temperature"))
    files.write(folder / "in_temp_input", "22000")
    eyes.wait_value("cm/bath/data/temperature", 22.0)
    assert len(eyes.on("cm/bath/data/temperature")) > before
    (folder / "in_pressure_input").rmdir()
    files.write(folder / "in_pressure_input", "99.5")
    eyes.wait_value("cm/bath/data/pressure", 995.0)
    eyes.wait(lambda _: eyes.on("cm/bath/status/state")[-1].value == "online", "it is well again")
    assert {one.value for one in eyes.on("cm/bath/data/pressure")} == {1013.25, 995.0}


def test_a_sensor_waits_while_another_process_reads_its_chip(files: KernelFiles, started: Start, eyes: Eyes) -> None:
    """It does so although the chip came later than the sensor."""
    folder = files.iio("elsewhere", "1-0048", in_voltage0_raw="12800", in_voltage0_scale="0.125")
    started("tomato", 'kind = "soil"')
    eyes.wait_value("cm/tomato/status/state", "fault")

    def wait_heartbeats() -> None:
        seen = len(eyes.on("cm/tomato/status/heartbeat"))
        eyes.wait(lambda _: len(eyes.on("cm/tomato/status/heartbeat")) > seen + 2, "heartbeats")

    with BusLock(folder.resolve()):
        files.write(folder / "name", "ads1015")
        wait_heartbeats()
        at_most_one = len(eyes.on("cm/tomato/data/reading"))  # which had begun before
        wait_heartbeats()
        assert len(eyes.on("cm/tomato/data/reading")) == at_most_one <= 1
    eyes.wait(lambda _: len(eyes.on("cm/tomato/data/reading")) > at_most_one, "it reads again")
    eyes.wait_value("cm/tomato/data/moisture", 50.0)


def test_energy_goes_on_where_a_killed_process_left_it(
    house: House, files: KernelFiles, started: Start, eyes: Eyes
) -> None:
    files.hwmon("ina219", "1-0040", in1_input="24000", curr1_input="3000000", shunt_resistor="100")
    running = started("pump", 'kind = "power"\nshunt = 0.0001')  # 72 kW, so that it adds up quickly
    file = house.folder / "state" / "outbox" / "cm.pump" / "kept.json"
    eventually(lambda: file.exists() and '"energy":0}' not in file.read_text(), "something is kept")
    running.send(signal.SIGKILL)
    running.wait()
    kept = float(re.search(r'"energy":([\d.]+)', file.read_text())[1])  # type: ignore[index]
    seen = len(eyes.on("cm/pump/data/energy"))
    house.run("pump")
    eyes.wait(lambda _: eyes.on("cm/pump/data/energy")[seen + 1 :], "it goes on")
    assert all(one.value >= kept for one in eyes.on("cm/pump/data/energy")[seen + 1 :])


def test_a_scale_is_set_to_zero_by_a_command(files: KernelFiles, started: Start, eyes: Eyes) -> None:
    files.iio("hx711", "hx711", in_voltage0_raw="8638608")
    started("scale", 'kind = "weight"')
    eyes.wait_value("cm/scale/data/weight", 250.0)
    assert eyes.ask("cm/scale", "tare", "now")["result"] == "done"
    eyes.wait_value("cm/scale/data/weight", 0.0)
    assert eyes.ask("cm/scale", "tare", "5")["result"] == "refused"
