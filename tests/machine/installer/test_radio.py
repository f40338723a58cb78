"""A receiver and a transmitter are installed: package, group, what their units may, and as whom they may publish."""

import re

import pytest

from support.machine import Machine

UNITS = "/etc/systemd/system"
NAMES = ("stick", "transmitter")
NEXUS = '\n[sensors.shed]\nmodel = "Nexus-TH"\nid = 181\nchannel = 2\n'
CODE = "elro 11001 B"
EXPOSURE = 1.5  # as each unit has at most


@pytest.fixture
def with_radio(installed: Machine) -> Machine:
    installed.penates("new", "radio", "stick")
    with installed.file("/etc/penates/devices/stick.toml").open("a") as file:
        file.write(NEXUS)
    installed.penates("new", "socket", "transmitter", "pin=25")
    installed.penates("new", "heater", "--from", "home/transmitter", "--code", CODE)
    return installed


def analysed(machine: Machine, *words: str) -> str:
    """What systemd says of units on this machine."""
    done = machine.run("systemd-analyze", "--no-pager", "--man=no", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_each_unit_may_do_what_its_radio_needs_and_no_more(with_radio: Machine) -> None:
    with_radio.penates("install")
    folders = (with_radio.file(f"{UNITS}/penates@{name}.service.d") for name in NAMES)
    stick, transmitter = ({*(folder / "penates.conf").read_text().splitlines()} for folder in folders)
    usb = {"DeviceAllow=char-usb_device rw", "RestrictAddressFamilies=AF_NETLINK"}
    timed = {"DeviceAllow=char-gpiochip rw", "RestrictRealtime=no", "LimitRTPRIO=1"}
    assert (usb & stick, timed & stick) == (usb, set())
    assert (usb & transmitter, timed & transmitter) == (set(), timed)
    assert "ExecStopPost=-/opt/penates/bin/penates safe transmitter --config /etc/penates" in transmitter
    for name in NAMES:
        assert analysed(with_radio, "verify", f"{UNITS}/penates@{name}.service") == ""
        rated = analysed(with_radio, "security", "--offline=yes", f"penates@{name}.service").splitlines()
        (overall,) = (line for line in rated if "Overall exposure level" in line)
        assert float(overall.split(":")[1].split()[0]) <= EXPOSURE
    acl = with_radio.file("/etc/mosquitto/penates/acl").read_text()
    for user, sensor in (("stick", "shed"), ("transmitter", "heater")):
        assert f"user {user}\ntopic deny home/{sensor}/status/recording\ntopic write home/{sensor}/data/#\n" in acl


def test_rtl_433_and_the_group_that_opens_usb_devices_are_needed(with_radio: Machine) -> None:
    with_radio.run("sh", "-c", "rm $(command -v rtl_433)")
    shown = with_radio.penates("install", "--dry-run")
    assert "apt-get install --yes --no-install-recommends rtl-433" in shown
    assert re.search(r"usermod --append --groups \S*\bplugdev penates", shown)
