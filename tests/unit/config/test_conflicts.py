"""What a driver of the kernel holds belongs to nobody else; sensors of one chip share it."""

from pathlib import Path

import pytest

from bootstrap.config import boot_config
from bootstrap.config.loader import Configuration
from support.world import House

PLUGGED = """
from dataclasses import dataclass
from bootstrap import Device, I2CAddress, I2CBus, Measure, SpiDevice

@dataclass(kw_only=True)
class Display(Device):
    bus: I2CBus = 1
    address: I2CAddress = 0x76
    chip: SpiDevice = "0.0"
    lit = Measure(bool)

    def read(self):
        return {}
"""


def faults(house: House, **devices: str) -> list[str]:
    house.write(1)
    (house.folder / "on_chips_places.py").write_text(PLUGGED)
    for name, text in devices.items():
        house.device(name, text)
    found = Configuration(house.folder)
    found.all()
    return [str(fault) for fault in found.faults]


def test_sensors_of_one_chip_share_it(house: House) -> None:
    vane = 'kind = "wind_vane"\nchannel = 1\n'
    assert faults(house, a='kind = "soil"\n', b=vane, c='kind = "climate"\n', d='kind = "climate"\n') == []


@pytest.mark.parametrize(
    ("first", "second", "fault"),
    [
        ("climate", 'kind = "gas"\n', "address 0x76 on i2c-1 is already the chip of a"),
        ("climate", 'kind = "on_chips_places.Display"\n', "address 0x76 on i2c-1 is already the chip of a"),
        ("thermocouple", 'kind = "on_chips_places.Display"\n', "/dev/spidev0.0 is already the chip of a"),
        ("thermocouple", 'kind = "adc"\nchip = "MCP3008"\n', "/dev/spidev0.0 is already the chip of a"),
        ("distance", 'kind = "door"\npin = 24\n', "GPIO24 is already the chip of a"),
        ("weight", 'kind = "climate"\nchip = "DHT22 at GPIO6"\n', "GPIO6 is already the chip of a"),
    ],
)
def test_what_a_driver_holds_is_no_other_device_s(house: House, first: str, second: str, fault: str) -> None:
    (found,) = faults(house, a=f'kind = "{first}"\n', b=second)
    assert found.startswith("devices/b.toml:")
    assert found.endswith(f": {fault}")


def test_a_chip_elsewhere_is_in_nobody_s_way(house: House) -> None:
    assert faults(house, a='kind = "climate"\n', b='kind = "gas"\nchip = "BME680 at 0x77"\n') == []


def test_a_dht_and_the_1_wire_bus_are_on_lines_of_their_own(house: House) -> None:
    probe = 'kind = "thermometer"\nserial = "28-0316a2795fff"\n'
    (found,) = faults(house, a=probe, b='kind = "climate"\nchip = "DHT22"\n')
    assert found.endswith("GPIO4 is already the 1-Wire bus of a (w1-gpio)")
    house.device("b", 'kind = "climate"\nchip = "DHT22 at GPIO17"\n')
    assert faults(house) == []


def test_a_probe_of_a_gateway_is_nobody_else_s(house: House) -> None:
    adopted = 'kind = "one_wire"\n[sensors.cellar]\nserial = "{}"\n'
    alone = 'kind = "thermometer"\nserial = "28-0316a2795fff"\n'
    assert faults(house, a=adopted.format("28-0316a2795ffe"), b=alone) == []
    (found,) = faults(house, a=adopted.format("28-0316a2795fff"))
    assert found == "devices/b.toml:2: 28-0316a2795fff is already the serial of cellar"
    (found,) = faults(house, a=adopted.format("28-0316"), b=alone)
    assert found.startswith("devices/a.toml:3: 'serial' must be a thermometer's serial number: 10, 22, 28, 3b or 42")


def test_a_gateway_s_bus_has_its_line_before_anything_is_adopted(house: House) -> None:
    (found,) = faults(house, a='kind = "one_wire"\n', b='kind = "door"\npin = 4\n')
    assert found.endswith("GPIO4 is already the 1-Wire bus of a (w1-gpio)")


HARDWARE = 'pwm = "hardware"\n'


@pytest.mark.parametrize(
    ("model", "shared"),
    [("Raspberry Pi 4 Model B Rev 1.4", True), ("Raspberry Pi 5 Model B Rev 1.0", False), ("", False)],
)
def test_two_lines_may_have_one_channel_of_the_pis_own_pwm(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, shared: bool
) -> None:
    (tmp_path / "model").write_text(f"{model}\0")
    monkeypatch.setattr(boot_config, "MODEL", tmp_path / "model")
    one, other = (f'kind = "dimmer"\npin = {pin}\n' for pin in (12, 18))
    why = ["devices/b.toml:3: the PWM channel of GPIO18 is already the pwm of a"]
    assert faults(house, a=one + HARDWARE, b=other + HARDWARE) == (why if shared else [])
    assert faults(house, a=one + HARDWARE, b=other) == []
    assert faults(house, a=one + HARDWARE, b='kind = "fan"\npin = 13\ntacho = 18\n' + HARDWARE) == []


def test_there_is_pwm_on_four_lines_only(house: House) -> None:
    why = faults(house, a=f'kind = "dimmer"\npin = 17\n{HARDWARE}')
    expected = (
        "devices/a.toml:3: 'pwm' must be \"software\" on GPIO17: the Pi's own PWM is on GPIO12, GPIO13, GPIO18, GPIO19"
    )
    assert why == [expected]


def test_a_frequency_that_no_process_manages_is_refused(house: House) -> None:
    (why,) = faults(house, a='kind = "fan"\npin = 18\nfrequency_hz = 25000\n')
    assert why.endswith("'frequency_hz' must be at most 1000 in software, not 25000; pwm = \"hardware\" does it")
