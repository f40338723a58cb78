"""Modbus on a real broker: a slave that others have written, and several sensors on one bus."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.modbus_slave import Slave
from support.paths import SUPPORT
from support.spoken import Cable, Spoken
from support.world import Broker, Eyes, House, pipe

REGISTERS = """registers = [
    "voltage = input 0 float32 V",
    "balance = input 2 int64",
    "outdoors = holding 10 int16 * 0.1 °C",
    "energy = holding 11 uint32 * 0.01 kWh counter",
    "heats = coil 0",
    "cools = coil 1",
    "defrosts = discrete 1",
    "lacks = input 900 uint16",
]
"""
SAYS = {
    "voltage": 230.2,
    "balance": -1,
    "outdoors": -0.5,
    "energy": 700,
    "heats": True,
    "cools": False,
    "defrosts": True,
}


@contextmanager
def pymodbus(port: Path | None = None) -> Iterator[int]:
    """A slave by pymodbus, on a port or by TCP; yields its number of a TCP port."""
    command: list[str | Path] = [sys.executable, SUPPORT / "pymodbus_server.py", *([port] if port else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            ready = pipe(server.stdout).readline()
            assert ready, "pymodbus is not installed: run scripts/test, which installs it"
            yield int(ready)
        finally:
            server.kill()


def start(house: House, broker: Broker, **files: str) -> None:
    house.write(broker.port, top="heartbeat_s = 0.2")
    for sensor, text in files.items():
        house.device(sensor, text)
        house.run(sensor)


def wait_values(eyes: Eyes, sensor: str) -> None:
    for name, value in SAYS.items():
        eyes.wait_value(f"cm/{sensor}/data/{name}", value)
    why = "Modbus address 7 refuses (exception 2): it has no such register"
    eyes.wait(lambda _: eyes.on(f"cm/{sensor}/status/health")[-1].value["lacks"]["why"] == why, why)


def test_registers_of_another_s_slave_by_rtu(house: House, broker: Broker, eyes: Eyes, tmp_path: Path) -> None:
    with Cable(tmp_path) as (ours, theirs), pymodbus(theirs.path):
        start(house, broker, pump=f'kind = "modbus"\nport = "{ours.path}"\naddress = 7\nevery_s = 0.5\n{REGISTERS}')
        wait_values(eyes, "pump")


def test_registers_of_another_s_slave_by_tcp(house: House, broker: Broker, eyes: Eyes) -> None:
    with pymodbus() as number:
        where = f'port = "127.0.0.1:{number}"\naddress = 7\nevery_s = 0.5\n'
        start(house, broker, pump=f'kind = "modbus"\n{where}{REGISTERS}')
        wait_values(eyes, "pump")
    eyes.wait_value("cm/pump/status/state", "fault")
    why = f"127.0.0.1:{number} cannot be reached: [Errno 111] Connection refused"
    eyes.wait(lambda _: [one for one in eyes.on("cm/pump/status/heartbeat") if why in (one.value["why"] or "")], why)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Spoken]:
    with Spoken(tmp_path) as made:
        yield made


def test_sensors_of_several_processes_share_a_bus_in_turn(
    house: House, broker: Broker, eyes: Eyes, port: Spoken
) -> None:
    """Each question must arrive whole, and each answer reach who has asked."""
    slaves = {
        number: Slave({4: dict(enumerate([2300 + number, *[number] * 9]))}, address=number) for number in (1, 2, 3)
    }
    port.answers(lambda question: slaves[question[0]].answer(question))
    kind = f'kind = "pzem"\nport = "{port.path}"\nevery_s = 0.05\nfrequency.low = 0\n'
    start(house, broker, **{f"meter{number}": f"{kind}address = {number}\n" for number in slaves})
    eyes.wait(lambda _: all(len(eyes.on(f"cm/meter{one}/data/reading")) > 20 for one in slaves), "twenty readings each")
    port.quiet()
    for number in slaves:
        assert {one.value["voltage"] for one in eyes.on(f"cm/meter{number}/data/reading")} == {230 + number / 10}
    assert {len(question) for question in port.asked} == {8}
