"""What each kind of device needs of the machine."""

from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.config.loader import Configuration
from bootstrap.config.model import SensorSettings
from penates.doctor.findings import Verdict
from penates.doctor.hardware import hardware
from penates.doctor.machine import SensorUser
from support.kernel_files import KernelFiles
from support.pwm import PwmFiles
from support.world import House

GOOD, BAD, UNKNOWN = Verdict


PLUGGED = """
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from bootstrap.device import Device, Measure
from bootstrap.needs import DebianPackage, I2CBus, Program, SerialPort, SpiDevice

@dataclass(kw_only=True)
class Plugged(Device):
    bus: I2CBus = 1
    chip: SpiDevice = "0.0"
    light = Measure("lx")

    def read(self):
        return {}

@dataclass(kw_only=True)
class Radio(Device):
    port: SerialPort = Path("/dev/serial/by-id/usb-stick")
    program: Annotated[Program, DebianPackage("rtl-433")] = "no-such-radio"
    helper: Program = "no-such-helper"
    shell: Program = "sh"
    heard = Measure("1")

    def read(self):
        return {}
"""


@pytest.fixture
def devices(house: House) -> dict[str, SensorSettings]:
    house.write(1)
    house.thermometer()
    house.device("door", 'kind = "door"\npin = 17\n')
    house.device("radio", 'kind = "plugged.Radio"\n')
    house.device("sun", 'kind = "plugged.Plugged"\n')
    (house.folder / "plugged.py").write_text(PLUGGED)
    return Configuration(house.folder).all()


def test_each_kind_has_what_it_needs_and_no_other_is_asked(devices: dict[str, SensorSettings], tmp_path: Path) -> None:
    def checks(name: str, who: SensorUser) -> dict[str, Verdict]:
        return {one.check: one.verdict for one in hardware(devices[name], who, tmp_path)}

    me, stranger = replace(SensorUser.me(), factory="kernel"), SensorUser("stranger", 12345, frozenset())
    assert checks("cellar", me) == {"1-Wire": GOOD}
    assert checks("door", me) == {"gpio": BAD}
    assert checks("sun", me) == {"i2c-1": BAD, "spidev0.0": BAD}
    (tmp_path / "dev").mkdir()
    for node in ("gpiochip0", "i2c-1", "spidev0.0"):
        (tmp_path / "dev" / node).touch()
        (tmp_path / "dev" / node).chmod(0o660)
    assert checks("door", me) == {"gpio": GOOD}
    assert checks("sun", me) == {"i2c-1": GOOD, "spidev0.0": GOOD}
    assert checks("door", stranger) == {"gpio": BAD}
    (denied,) = hardware(devices["door"], stranger, tmp_path)
    assert (denied.text, denied.advice) == (
        "stranger may not open /dev/gpiochip0",
        "sudo usermod -aG gpio stranger; restart it",
    )
    member = replace(stranger, groups=frozenset({(tmp_path / "dev" / "i2c-1").stat().st_gid}))
    assert checks("sun", member) == {"i2c-1": GOOD, "spidev0.0": GOOD}
    assert checks("door", replace(stranger, factory="simulated")) == {"gpio": GOOD}
    assert checks("sun", replace(me, nodes="char-i2c rw")) == {"i2c-1": GOOD, "spidev0.0": BAD}


def test_a_port_and_programs_are_there_or_it_is_said_what_to_do(
    devices: dict[str, SensorSettings], tmp_path: Path
) -> None:
    me, stranger = SensorUser.me(), SensorUser("stranger", 12345, frozenset())
    port, *programs = hardware(devices["radio"], me, tmp_path)
    assert (port.check, port.text) == ("usb-stick", "there is no /dev/serial/by-id/usb-stick")
    assert "/dev/serial/by-id" in port.advice
    assert [(one.verdict, one.text) for one in programs[:2]] == [
        (BAD, "there is no program no-such-radio"),
        (BAD, "there is no program no-such-helper"),
    ]
    assert programs[0].advice == "sudo apt install rtl-433"
    assert programs[1].advice == "set `helper` in devices/radio.toml to its full path, or install it"
    assert (programs[2].verdict, programs[2].text.startswith("sh is /")) == (GOOD, True)
    folder = tmp_path / "dev" / "serial" / "by-id"
    folder.mkdir(parents=True)
    (folder / "usb-stick").symlink_to("../../ttyUSB0")
    (tmp_path / "dev" / "ttyUSB0").touch()
    (tmp_path / "dev" / "ttyUSB0").chmod(0o660)
    assert next(hardware(devices["radio"], me, tmp_path)).verdict is GOOD
    denied = next(hardware(devices["radio"], stranger, tmp_path))
    assert denied.advice == "sudo usermod -aG dialout stranger; restart it"
    closed = next(hardware(devices["radio"], replace(me, nodes="char-i2c rw"), tmp_path))
    assert closed.text == "its unit may not open char-ttyUSB"


def test_lgpio_needs_a_folder_it_can_write(devices: dict[str, SensorSettings], tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "gpiochip0").touch(mode=0o666)
    (tmp_path / "dev" / "gpiochip0").chmod(0o666)
    (tmp_path / "closed").mkdir(mode=0o755)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)

    def texts(folder: str) -> str:
        who = SensorUser("stranger", 12345, frozenset(), "lgpio", tmp_path / folder)
        return "; ".join(one.text for one in hardware(devices["door"], who, tmp_path) if one.verdict is BAD)

    assert f"stranger may not in {tmp_path}/closed" in texts("closed")
    assert "may not" not in texts("open")


def test_a_bus_or_a_probe_that_is_not_there(devices: dict[str, SensorSettings], house: House) -> None:
    me = SensorUser.me()
    house.bus.rename(house.folder / "elsewhere")
    (about,) = hardware(devices["cellar"], me)
    assert (about.verdict, "dtoverlay=w1-gpio" in about.advice) == (BAD, True)
    house.bus.mkdir()
    (house.bus / "28-other").mkdir()
    (about,) = hardware(devices["cellar"], me)
    assert about.text == f"{house.bus}/28-cellar is not there; {house.bus} has 28-other"


def test_a_chip_is_offered_by_the_kernel_or_it_is_said_what_makes_it_so(house: House, tmp_path: Path) -> None:
    house.write(1)
    texts = {
        "bath": 'kind = "climate"\n',
        "attic": 'kind = "climate"\nchip = "DHT22 at GPIO17"\n',
        "lamp": 'kind = "power"\n',
        "scale": 'kind = "weight"\n',
        "window": 'kind = "light"\nchip = "OPT3001"\n',
    }
    for name, text in texts.items():
        house.device(name, text)
    devices = Configuration(house.folder).all()

    def said(name: str) -> tuple[Verdict, str, str]:
        (found,) = hardware(devices[name], SensorUser.me(), tmp_path)
        assert found.check == "driver"
        return found.verdict, found.text, found.advice

    nothing = "BME280: no driver of the kernel offers a bme280; they offer nothing"
    line = "dtoverlay=i2c-sensor,bme280,addr=0x76"
    assert said("bath") == (BAD, nothing, f"add {line} to /boot/firmware/config.txt, then restart")
    config = tmp_path / "boot" / "config.txt"  # as up to Debian 11
    config.parent.mkdir()
    config.write_text("dtoverlay=dht11\n")
    assert said("bath")[2] == f"add {line} to /boot/config.txt, then restart"
    assert said("attic")[2] == "add dtoverlay=dht11,gpiopin=17 to /boot/config.txt, then restart"
    config.write_text("[all]\ndtoverlay=i2c-sensor,bme280\n")
    assert said("bath")[2] == f"{line} is in config.txt: restart if that is new; else check the wiring"
    model = tmp_path / "proc" / "device-tree" / "model"
    model.parent.mkdir(parents=True)
    model.write_text("Raspberry Pi 4 Model B Rev 1.4\0")
    config.write_text("[pi3]\ndtoverlay=i2c-sensor,bme280\n")
    assert said("bath")[2] == f"add {line} to /boot/config.txt, then restart"
    assert "echo ina219 0x40 | sudo tee /sys/bus/i2c/devices/i2c-1/new_device" in said("lamp")[2]
    assert said("scale")[2].startswith("Raspberry Pi OS has neither an overlay nor a driver for it")
    assert said("window")[2].endswith("; its driver is not in Raspberry Pi OS: see docs/CHIPS.md")
    KernelFiles(tmp_path / "sys").iio("bme280", "1-0077")
    assert said("bath")[1] == 'BME280: there is no bme280 at 0x76; there is bme280 at 0x77: chip = "BME280 at 0x77"'
    KernelFiles(tmp_path / "sys").iio("bme280", "1-0076")
    assert said("bath") == (GOOD, f"BME280 is {tmp_path}/sys/bus/iio/devices/iio:device1", "")


def test_the_probes_of_a_bus_and_the_right_to_convert_them_at_once(house: House) -> None:
    house.write(1)
    house.device("bus", 'kind = "one_wire"\nbus = "bus"\n[sensors.attic]\nserial = "28-00000000000b"\n')
    (settings,) = (one for one in Configuration(house.folder).all().values())
    stranger = SensorUser("stranger", 12345, frozenset())

    def seen() -> list[tuple[Verdict, str]]:
        return [(one.verdict, one.text.replace(f"{house.bus}/", "")) for one in hardware(settings, stranger)]

    assert [verdict for verdict, _ in seen()] == [BAD]
    file = house.bus / "w1_bus_master1" / "therm_bulk_read"
    file.parent.mkdir(parents=True)
    file.touch(mode=0o644)
    slow = "stranger may not write w1_bus_master1/therm_bulk_read: each probe is converted by itself, 0.8 s each"
    gone = f"28-00000000000b is not there; {house.bus} has w1_bus_master1"
    assert seen() == [(BAD, gone), (BAD, slow)]
    (house.bus / "28-00000000000b").mkdir()
    file.chmod(0o646)
    assert seen() == [
        (GOOD, "28-00000000000b is on the bus"),
        (GOOD, "stranger may have all probes of w1_bus_master1 convert at once"),
    ]


def test_the_pis_own_pwm_and_what_config_txt_lacks_for_it(house: House, tmp_path: Path) -> None:
    house.write(1)
    house.device("fan", 'kind = "fan"\npin = 13\npwm = "hardware"\n')
    settings = Configuration(house.folder).all()["fan"]
    stranger = SensorUser("stranger", 12345, frozenset(), "simulated")

    def said() -> tuple[Verdict, str, str]:
        (found,) = (one for one in hardware(settings, stranger, tmp_path) if one.check == "pwm")
        return found.verdict, found.text, found.advice

    config = tmp_path / "boot/firmware/config.txt"
    config.parent.mkdir(parents=True)
    off, one = "the kernel has no PWM on GPIO13; its PWM is off", "pwm,pin=13,func=4"
    for text, advice in (
        ("", f"add dtoverlay={one} to /boot/firmware/config.txt, then restart"),
        ("dtoverlay=pwm\n", "replace dtoverlay=pwm by dtoverlay=pwm-2chan,pin=13,func=4,pin2=18,func2=2"),
        ("dtoverlay=pwm,pin=19,func=2\n", f"replace dtoverlay=pwm by dtoverlay={one}, then"),
        ("dtoverlay=pwm-2chan,pin=12,func=4,pin2=13,func2=4\n", "GPIO13 is in config.txt: restart if that is new"),
    ):
        config.write_text(text)
        verdict, what, how = said()
        assert (verdict, what) == (BAD, off)
        assert advice in how
    files = PwmFiles(tmp_path / "sys", 12, 13)
    file = files.chip / "export"
    file.touch(mode=0o644)
    assert said() == (BAD, f"stranger may not write {file}", "sudo penates install, and restart its unit")
    (files.channel(1) / "duty_cycle").chmod(0o646)
    assert said() == (GOOD, "GPIO13 is channel 1 of pwmchip0, which stranger may set", "")
