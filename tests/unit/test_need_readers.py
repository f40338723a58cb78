"""Every need that a device can declare is read by somebody: one that nobody understands must not exist."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, get_args, get_origin

import pytest

from bootstrap import needs
from bootstrap.config.loader import Configuration
from bootstrap.config.model import SensorSettings
from bootstrap.needs import Declares, Need, needs_of
from penates.broker import mosquitto_files
from penates.broker.broker_plan import BrokerUsers
from penates.doctor.hardware import hardware
from penates.doctor.machine import SensorUser
from penates.installer import host_setup, unit_files
from penates.installer.device_needs import needs as needs_on_this_machine
from penates.installer.install_record import InstallRecord
from support.world import House

# Each type of a setting with a value, and who must take notice of what it declares.
TYPES = {
    "Pin": ("17", {"check", "unit", "doctor"}),
    "Input": ("17", {"check", "unit", "doctor"}),
    "Output": ("17", {"check", "unit", "doctor"}),
    "TimedOutput": ("17", {"check", "unit", "doctor"}),
    "PwmSource": ('"hardware"', {"check", "unit", "doctor"}),
    "I2CBus": ("1", {"unit", "doctor", "installer"}),
    "I2CAddress": ("0x76", {"check"}),
    "SpiDevice": ('"0.0"', {"check", "unit", "doctor", "installer"}),
    "SerialPort": ('"/dev/ttyUSB0"', {"check", "unit", "doctor", "installer"}),
    "SerialBus": ('"/dev/ttyUSB0"', {"unit", "doctor", "installer"}),
    "ModbusAddress": ("17", {"check"}),
    "UsbName": ('"0"', {"check", "unit", "doctor", "installer"}),
    "OneWireBulk": ('"/nowhere"', {"unit", "doctor"}),
    "OneWireFolder": ('"/nowhere"', {"check", "doctor"}),
    "OneWireDevice": ('"28-0316a2795fff"', {"check", "doctor"}),
    "Sysfs": ('"/nowhere"', {"doctor"}),
    "Chip": ('"DHT22 at GPIO17"', {"doctor"}),  # several may read one; for others it is a fault: test_conflicts.py
    "Host": ('"192.168.7.8"', {"unit"}),
    "ServerUrl": ('"http://192.168.7.8:8086"', {"unit"}),
    "PageUrl": ('"http://192.168.7.8/x?y=1"', {"unit"}),
    "TopicFilter": ('"tele/+/x"', {"access"}),
    "Target": ('"tele/y"', {"access"}),
    "WayToAsk": ('"icmp"', {"doctor", "installer"}),
    "PowerAction": ('"reboot"', {"installer"}),
    "Program": ('"no-such-program"', {"doctor", "installer"}),
}
# What belongs to a declaration and is none without it.
WITH = {
    "I2CAddress": ("I2CBus", "1"),
    "ModbusAddress": ("SerialBus", '"/dev/ttyUSB0"'),
    "OneWireFolder": ("OneWireDevice", '"28-0316a2795fff"'),
}
WITH["PwmSource"] = ("Output", "18")
WITH |= {"Sysfs": ("Chip", '"BME280"'), "Chip": ("Sysfs", '"/nowhere"')}
WITH["OneWireDevice"] = ("OneWireFolder", '"/nowhere"')

KIND = """
from dataclasses import dataclass
from typing import Annotated
from bootstrap import needs
from bootstrap.device import Device, Measure
from bootstrap.kernel_sensors.chip import Chip

@dataclass(kw_only=True)
class {name}(Device):
    other: {other}
    one: {one}

    level = Measure("1")

    def read(self):
        return {{}}
"""


def declaring() -> Iterator[str]:
    """The names of all types that declare a need."""
    yield "Chip"  # which is a class with `needs`
    for name, value in vars(needs).items():
        if get_origin(value) is Annotated and any(isinstance(mark, Declares) for mark in get_args(value)):
            yield name


def faults(house: House) -> list[str]:
    found = Configuration(house.folder)
    found.all()
    return [fault.text for fault in found.faults]


def unit(settings: SensorSettings) -> bytes:
    *_, file = unit_files.for_device(settings.folder, settings, "a", None)
    return (file.content or b"").partition(b"[Service]")[2]


def access(settings: SensorSettings) -> str:
    users = BrokerUsers.of(settings.folder)
    return mosquitto_files.acl(users.groups, users.recorded, users.sensors, users.prefix)


def doctor(settings: SensorSettings) -> list[str]:
    return [finding.text for finding in hardware(settings, SensorUser.me(), settings.folder)]


def installer(settings: SensorSettings) -> list[str]:
    needed = needs_on_this_machine(settings.device)
    steps = host_setup.packages(InstallRecord(), needed.programs, broker=True)
    return [*(str(step) for step in steps), *needed.groups, *needed.power, *(["echo"] if needed.echo else [])]


READERS: dict[str, Callable[[SensorSettings], Any]] = {
    "unit": unit,
    "access": access,
    "doctor": doctor,
    "installer": installer,
}


def typed(name: str) -> str:
    return name if name == "Chip" else f"needs.{name}"


def device(house: House, sensor: str, name: str, value: str, declared: bool) -> SensorSettings:
    """A device with a setting of this type or, if it declares nothing, with a plain one."""
    other, others_value = WITH.get(name, ("str", '"x"'))
    kind = f"{name}{'' if declared else 'Plain'}"
    plain = {"1": "int", "0": "int"}.get(value[:1], "str")
    one = typed(name) if declared else plain
    if name == "Program" and declared:
        one = f'Annotated[{one}, needs.DebianPackage("no-such-package")]'
    module = f"reader_{kind.lower()}"
    other = other if other == "str" else typed(other)
    (house.folder / f"{module}.py").write_text(KIND.format(name=kind, other=other, one=one))
    house.device(sensor, f'kind = "{module}.{kind}"\nother = {others_value}\none = {value}\n')
    found = Configuration(house.folder).settings(sensor)
    assert found is not None
    return found


def test_every_type_that_declares_a_need_is_in_the_table() -> None:
    assert {*declaring()} == {*TYPES}


@pytest.mark.parametrize("name", TYPES)
def test_every_need_is_noticed_by_whom_it_concerns(house: House, name: str) -> None:
    house.write(1)
    value, wanted = TYPES[name]
    plain = {reader: look(device(house, "a", name, value, declared=False)) for reader, look in READERS.items()}
    declared = {reader: look(device(house, "a", name, value, declared=True)) for reader, look in READERS.items()}
    noticed = {reader for reader in READERS if plain[reader] != declared[reader]}
    assert faults(house) == []
    device(house, "b", name, value, declared=True)
    noticed |= {"check"} if faults(house) else set()
    assert noticed == wanted


def test_every_sort_of_need_is_declared_by_a_type(house: House) -> None:
    house.write(1)
    found: set[type[Need]] = set()
    for name, (value, _) in TYPES.items():
        found |= {type(need) for _, need in needs_of(device(house, "a", name, value, declared=True).device)}
    assert found == {*get_args(Need)}
