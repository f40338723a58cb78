"""A radio stick: whether it is plugged in, and who has it."""

from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.needs import UsbDevice
from penates.doctor.findings import Finding, Verdict
from penates.doctor.machine import SensorUser
from penates.doctor.usb import usb

STICK = UsbDevice("0", ("0bda:2832", "0bda:2838"), "", "dvb_usb_rtl28xxu")
NOBODY = SensorUser("penates", 65_534, frozenset())


@pytest.fixture
def plugged(tmp_path: Path) -> Path:
    """The machine with a stick."""
    folder = tmp_path / "sys/bus/usb/devices/1-1.4"
    folder.mkdir(parents=True)
    facts = {"idVendor": "0bda", "idProduct": "2838", "serial": "00000001", "busnum": "1", "devnum": "4"}
    for name, value in {**facts, "product": "RTL2838UHIDIR"}.items():
        (folder / name).write_text(f"{value}\n")
    node = tmp_path / "dev/bus/usb/001/004"
    node.parent.mkdir(parents=True)
    node.touch(mode=0o666)
    node.chmod(0o666)
    return tmp_path


def found(root: Path, need: UsbDevice = STICK, user: SensorUser = NOBODY) -> Finding:
    (finding,) = usb(need, user, root)
    return finding


def test_a_stick_that_is_free_is_good(plugged: Path) -> None:
    assert found(plugged).verdict == Verdict.GOOD
    assert found(plugged, replace(STICK, serial="00000001")).verdict == Verdict.GOOD


def test_a_stick_that_is_not_there_is_missed(plugged: Path, tmp_path: Path) -> None:
    assert "there is no USB device 0bda:2832 or 0bda:2838" in found(tmp_path / "empty").text
    assert "with the serial number 2" in found(plugged, replace(STICK, serial="2")).text


def test_the_television_driver_that_holds_it_is_named(plugged: Path) -> None:
    driver = plugged / "sys/bus/usb/drivers/dvb_usb_rtl28xxu"
    driver.mkdir(parents=True)
    assert found(plugged).verdict == Verdict.GOOD  # it is loaded, and holds nothing
    (driver / "1-1.4:1.0").symlink_to("/nowhere")
    finding = found(plugged)
    assert (finding.verdict, "dvb_usb_rtl28xxu holds it" in finding.text) == (Verdict.BAD, True)
    assert "modprobe -r dvb_usb_rtl28xxu" in finding.advice


def test_who_may_not_open_it_is_told_the_group(plugged: Path) -> None:
    (plugged / "dev/bus/usb/001/004").chmod(0o660)
    finding = found(plugged)
    assert (finding.text, "usermod -aG plugdev penates" in finding.advice) == (
        "penates may not open /dev/bus/usb/001/004",
        True,
    )
    assert "may not open char-usb_device" in found(plugged, user=replace(NOBODY, nodes="char-i2c")).text


def test_of_others_only_their_program_knows(plugged: Path) -> None:
    assert found(plugged, UsbDevice("driver=airspy")).verdict == Verdict.UNKNOWN
