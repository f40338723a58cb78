"""The kinds `modbus` and `pzem`: what their files say reaches the wire, and what is wrong with a file is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.config.loader import Configuration
from bootstrap.modbus.bus_port import BusPort
from bootstrap.modbus.presets import BY_METER, RegisterSetting
from bootstrap.modbus.registers import ORDERS, TABLES, TYPES
from bootstrap.modbus.slave import ModbusTcp, Rtu
from bootstrap.needs import DeviceNode, Need, NetworkHost, needs_of
from bootstrap.streams import Serial, Tcp
from daemons.modbus import Modbus
from daemons.pzem import Pzem
from penates.testing import Bench
from support.examples import blocks
from support.modbus_slave import Slave, summed
from support.paths import ROOT
from support.spoken import Spoken
from support.world import House


def modbus(port: Spoken, *registers: str) -> Modbus:
    return Modbus(port=BusPort(str(port.path)), registers=[*map(RegisterSetting, registers)])


PZEM = {4: dict(enumerate([2301, 1500, 0, 3450, 0, 12345, 1, 500, 99, 0]))}  # 230.1 V, 1.5 A, 345 W, 77881 Wh, 50 Hz
SDM120 = {0x00: "43663333", 0x06: "3fc00000", 0x0C: "43ac8000", 0x1E: "3f7d70a4", 0x46: "42480000", 0x48: "461c4000"}
SDM120[0x4A] = "00000000"


def floats(places: dict[int, str]) -> dict[int, int]:
    words = {at: (int(text[:4], 16), int(text[4:], 16)) for at, text in places.items()}
    return {at + more: word for at, pair in words.items() for more, word in enumerate(pair)}


def test_a_pzem_is_read_in_one_go(port: Spoken) -> None:
    slave = Slave(PZEM, address=17)
    port.answers(slave.answer)
    with Bench(Pzem(port=port.path, address=17)) as bench:
        assert bench.read() == {
            "voltage": 230.1,
            "current": 1.5,
            "power": 345,
            "energy": 77881,
            "frequency": 50,
            "power_factor": 0.99,
        }
    assert len(port.asked) == 1


@pytest.mark.parametrize(
    ("at", "value", "measure"), [(0, 799, "voltage"), (0, 2601, "voltage"), (8, 101, "power_factor")]
)
def test_a_pzem_s_impossible_value_costs_no_other(port: Spoken, at: int, value: int, measure: str) -> None:
    port.answers(Slave({4: {**PZEM[4], at: value}}).answer)
    device = Pzem(port=port.path)
    assert [*device.check(device.read())] == [measure]


def test_an_sdm120_by_its_name(port: Spoken) -> None:
    port.answers(Slave({4: floats(SDM120)}).answer)
    with Bench(modbus(port, "sdm120")) as bench:
        assert bench.read() == {
            "voltage": 230.2,
            "current": 1.5,
            "power": 345,
            "power_factor": 0.99,
            "frequency": 50,
            "energy_in": 10000,
            "energy_out": 0,
            "repeated": 0,
        }


def test_what_a_device_refuses_costs_only_that(port: Spoken) -> None:
    port.answers(Slave({4: {0: 1}, 1: {5: 1}}).answer)
    texts = ["a = input 0 uint16", "b = input 9 uint16", "c = coil 5", "d = holding 0 int16"]
    device = modbus(port, *texts)
    reading = device.read()
    assert {name: value for name, value in reading.items() if not isinstance(value, Exception)} == {
        "a": 1,
        "c": True,
        "repeated": 0,
    }
    why = device.check(reading)
    assert "no such register" in why["b"]
    assert "does not know this function" in why["d"]


def test_a_neighbour_that_is_not_there_costs_no_other(port: Spoken) -> None:
    port.answers(Slave({4: {0: 1, 1: 2}}).answer)
    device = modbus(port, "a = input 0 uint16", "b = input 1 uint16", "c = input 2 uint16")
    reading = device.read()
    assert (reading["a"], reading["b"]) == (1, 2)
    assert [*device.check(reading)] == ["c"]
    assert len(port.asked) == 4


def test_a_device_that_is_busy_is_not_asked_for_each_register(port: Spoken) -> None:
    port.answers(lambda question: summed(question[:1] + b"\x84\x06"))
    device = modbus(port, "a = input 0 uint16", "b = input 1 uint16")
    assert {*device.check(device.read()).values()} == {"Modbus address 1 refuses (exception 6): it is busy"}
    assert len(port.asked) == 1


def test_what_had_to_be_asked_again_is_counted_even_if_it_failed(port: Spoken) -> None:
    device = replace(modbus(port, "a = input 0 uint16"), answer_s=0.1)
    with pytest.raises(OSError, match=r"nothing came for 0\.1 s"):
        device.read()
    device = replace(device, answer_s=3.0)
    first = [b"\x01\x04\x02\x00\x00\x00\x00"]
    port.answers(lambda question: first.pop() if first else Slave({4: {0: 7}}).answer(question))
    assert device.read() == {"a": 7, "repeated": 1}


@pytest.mark.parametrize(
    ("text", "source", "line", "need"),
    [
        ("/dev/x", Serial(Path("/dev/x"), 2400, "8E1"), Rtu, DeviceNode(Path("/dev/x"), shared=True)),
        ("inverter", Tcp("inverter", 502), ModbusTcp, NetworkHost("inverter")),
        ("inverter.local:1502", Tcp("inverter.local", 1502), ModbusTcp, NetworkHost("inverter.local")),
        ("fe80::1", Tcp("fe80::1", 502), ModbusTcp, NetworkHost("fe80::1")),
        ("rtu:converter:23", Tcp("converter", 23), Rtu, NetworkHost("converter")),
    ],
)
def test_where_the_bus_is(text: str, source: Serial | Tcp, line: type, need: Need) -> None:
    settings = Modbus(port=BusPort(text), registers=[RegisterSetting("sdm120")], baud=2400, mode="8E1")
    assert settings.source == source
    assert type(settings.line) is line
    assert ("port", need) in needs_of(settings)


FILE = 'kind = "modbus"\n{}\n'
PORT, REGISTER = 'port = "/dev/ttyUSB0"', 'registers = ["a = input 0 uint16 V"]'


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (REGISTER, "'port' is missing"),
        (PORT, "'registers' is missing"),
        (
            f"port = 'dev/ttyUSB0'\n{REGISTER}",
            "'port' must be the full path of a serial port, or \"HOST:PORT\" or HOST",
        ),
        (f"port = 'inverter:0'\n{REGISTER}", "'port' must be the full path of a serial port"),
        (f'{PORT}\nregisters = ["a = input 0 uint16", "a = input 1 uint16"]', "'registers' has 'a' twice"),
        (f'{PORT}\nregisters = ["sdm120", "voltage = input 1 uint16"]', "'registers' has 'voltage' twice"),
        (f'{PORT}\nregisters = ["a = inputs 0"]', "'registers' must be registers such as"),
        (f'{PORT}\nregisters = ["sdm1"]', "or the name of a meter (of 'sdm1': write NAME"),
        (f"{PORT}\n{REGISTER}\nbaud = 9601", "9601 is not a serial port's speed"),
        (f"{PORT}\n{REGISTER}\naddress = 256", "'address' must be"),
        (f"{PORT}\n{REGISTER}\n[b]\nhigh = 3", "no measure 'b'"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(house: House, settings: str, why: str) -> None:
    house.write(1)
    house.device("meter", FILE.format(settings))
    found = Configuration(house.folder)
    found.all()
    assert why in " ".join(fault.text for fault in found.faults)


def test_its_owner_sets_limits_of_what_the_registers_hold(house: House) -> None:
    house.write(1)
    house.device("meter", FILE.format(f"{PORT}\n{REGISTER}\n[a]\nhigh = 253"))
    found = Configuration(house.folder).settings("meter")
    assert found
    assert found.device.measures["a"].high == 253


def test_several_share_a_port_but_no_address(house: House) -> None:
    house.write(1)
    for name, address in (("one", 1), ("two", 2)):
        house.device(name, f'kind = "pzem"\n{PORT}\naddress = {address}\n')
    found = Configuration(house.folder)
    found.all()
    assert found.faults == []
    house.device("three", FILE.format(f"{PORT}\n{REGISTER}\naddress = 2"))
    found = Configuration(house.folder)
    found.all()
    assert ["address 0x02 on ttyUSB0 is already the address of" in fault.text for fault in found.faults] == [True]


def test_the_page_s_file_and_what_it_says_of_registers(house: House) -> None:
    house.write(1)
    (file,) = blocks("docs/MODBUS.md", "toml")
    house.device("pump", file)
    settings = Configuration(house.folder).settings("pump")
    assert settings
    device = settings.device
    units = {name: one.unit_name for name, one in device.measures.items()}
    assert units == {"repeated": "1", "outdoors": "°C", "power": "W", "energy": "kWh", "flow": "L/min", "heats": "bool"}
    assert (device.measures["outdoors"].low, device.measures["energy"].counter) == (-40, True)
    page = (ROOT / "docs" / "MODBUS.md").read_text()
    assert [word for word in (*TABLES, *TYPES, *ORDERS, *BY_METER) if f"`{word}`" not in page.replace('"', "")] == []
    assert f"at port {BusPort.usual}" in page
