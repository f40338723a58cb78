"""The unit files, and what each device's drop-in lets it do."""

import shlex
import subprocess
from dataclasses import replace
from os import getgid
from pathlib import Path

import pytest

from bootstrap.config.loader import Configuration, load
from bootstrap.config.model import SensorSettings
from bootstrap.config.secrets import password_file
from bootstrap.device import Device
from penates.installer import unit_files
from penates.installer.allowed_networks import ANYWHERE, HOME, allowed_networks
from penates.installer.device_needs import NodeAccess, access, must_end
from support.paths import ROOT
from support.pwm import Exporting, PwmFiles
from support.world import House

SAMPLES = ROOT / "config"


def samples() -> dict[str, SensorSettings]:
    return Configuration(SAMPLES).all()


def secret(settings: SensorSettings) -> Path | None:
    return password_file(Path("/etc/penates"), "secrets/{sensor}", settings.topics.sensor)


def drop_in(house: House, text: str, name: str = "cellar") -> list[str]:
    house.write(1883)
    house.device(name, text)
    settings = load(house.folder, name)
    *_, file = unit_files.for_device(Path("/units"), settings, name, secret(settings))
    assert file.path == Path(f"/units/penates@{name}.service.d/penates.conf")
    return (file.content or b"").decode().splitlines()


def test_only_the_parent_is_told_to_stop() -> None:
    """A sensor that is told twice, by systemd and by its parent, would not deliver what it has."""
    assert "KillMode=mixed" in (ROOT / "systemd" / "penates.service").read_text().splitlines()


def test_a_thermometer_opens_no_device(house: House) -> None:
    lines = drop_in(house, 'kind = "thermometer"\nserial = "28-0316a2795fff"\n')
    assert not [line for line in lines if line.startswith(("DeviceAllow", "ExecStopPost", "IPAddressAllow"))]
    assert lines[-2:] == ["LoadCredential=", "LoadCredential=password:/etc/penates/secrets/cellar"]


def test_a_door_opens_lines_and_a_lamp_is_made_safe(house: House) -> None:
    assert "DeviceAllow=char-gpiochip rw" in drop_in(house, 'kind = "door"\npin = 17\n')
    lines = drop_in(house, 'kind = "lamp"\npin = 17\n', "lamp")
    assert "DeviceAllow=char-gpiochip rw" in lines
    assert "ExecStopPost=-/opt/penates/bin/penates safe lamp --config /etc/penates" in lines


AIR = """
from dataclasses import dataclass
from typing import Annotated
from gpiozero import LED
from bootstrap.device import Device, Measure, Pin
from bootstrap.needs import DebianPackage, Host, I2CBus, Program, SerialPort

@dataclass(kw_only=True)
class Air(Device):
    bus: I2CBus = 1
    level = Measure("1")

    def read(self):
        return {}

@dataclass(kw_only=True)
class Meter(Air):
    port: SerialPort
    host: Host
    radio: Annotated[Program, DebianPackage("rtl-433")] = "rtl_433"
    memory_mb = 128

@dataclass(kw_only=True)
class Fan(Air):
    relay: Pin

    def setup(self):
        self.led = take(self, self.relay)

def take(fan, line):
    return fan.own(LED(line))
"""


@pytest.fixture
def mine(house: House) -> House:
    (house.folder / "airy.py").write_text(AIR)
    return house


def test_a_kind_of_ones_own_says_what_it_opens(mine: House) -> None:
    assert "DeviceAllow=char-i2c rw" in drop_in(mine, 'kind = "airy.Air"\n')


def test_a_line_that_is_driven_by_a_helper_is_opened_and_made_safe(mine: House) -> None:
    lines = drop_in(mine, 'kind = "airy.Fan"\nrelay = "BOARD11"\n', "fan")
    assert "DeviceAllow=char-gpiochip rw" in lines
    assert "ExecStopPost=-/opt/penates/bin/penates safe fan --config /etc/penates" in lines


def test_a_port_a_host_and_memory_are_allowed_as_declared(mine: House, tmp_path: Path) -> None:
    (tmp_path / "by-id").symlink_to("/dev/ttyUSB7")
    lines = drop_in(mine, f'kind = "airy.Meter"\nport = "{tmp_path}/by-id"\nhost = "192.168.7.8"\n')
    assert "DeviceAllow=char-ttyUSB rw" in lines
    assert f"IPAddressAllow={' '.join(HOME)}" in lines
    assert "MemoryMax=128M" in lines
    assert "ExecStopPost" not in "".join(lines)


def test_a_program_reaches_the_hosts_that_are_named(house: House) -> None:
    text = 'kind = "command"\nprogram = "/usr/local/bin/heating"\nvalues = ["power = . W"]\n'
    assert not [line for line in drop_in(house, text) if line.startswith("IPAddressAllow")]
    lines = drop_in(house, f'{text}hosts = ["127.0.0.1", "192.168.7.8"]\n')
    assert f"IPAddressAllow={' '.join(HOME)}" in lines


def test_a_stick_is_opened_and_heard_of(house: House) -> None:
    lines = drop_in(house, 'kind = "radio"\n')
    assert "DeviceAllow=char-usb_device rw" in lines
    assert "RestrictAddressFamilies=AF_NETLINK" in lines
    lines = drop_in(house, 'kind = "radio"\ninput = "rtl_tcp:192.168.7.8"\n')
    assert f"IPAddressAllow={' '.join(HOME)}" in lines
    assert not [line for line in lines if line.startswith(("DeviceAllow", "RestrictAddressFamilies"))]


def test_a_unit_may_have_all_probes_convert_at_once(house: House) -> None:
    lines = drop_in(house, 'kind = "one_wire"\nbus = "/w1"\n')
    (before,) = [line for line in lines if line.startswith("ExecStartPre=")]
    assert before.startswith("ExecStartPre=-+/bin/sh -c 'for f in /w1/w1_bus_master*/therm_bulk_read; do ")
    assert "chgrp penates $$f; chmod g+w $$f" in before
    writable = " ".join(f"-/w1/w1_bus_master{number}" for number in (1, 2, 3, 4))
    assert f"ReadWritePaths={writable}" in lines
    assert "ReadWritePaths" not in "".join(drop_in(house, 'kind = "thermometer"\nserial = "28-0316a2795fff"\n'))


def test_a_unit_may_set_the_channels_of_its_lines_alone(house: House) -> None:
    text = 'kind = "fan"\npin = 19\ntacho = 17\npwm = "hardware"\n'
    lines = drop_in(house, text)
    blocks = ("2020c000.pwm", "3f20c000.pwm", "fe20c000.pwm", "1f00098000.pwm")
    assert f"ReadWritePaths={' '.join(f'-/sys/bus/platform/devices/{one}' for one in blocks)}" in lines
    assert "ReadWritePaths" not in "".join(drop_in(house, text.replace("hardware", "software")))


@pytest.mark.parametrize(("block", "channel"), [("fe20c000.pwm", 1), ("1f00098000.pwm", 3)])
def test_a_channel_is_exported_and_given_to_the_sensors(house: House, tmp_path: Path, block: str, channel: int) -> None:
    files = PwmFiles(tmp_path / "sys", 18, 19, block=block)
    lines = drop_in(house, 'kind = "fan"\npin = 19\npwm = "hardware"\n')
    (before,) = [line.removeprefix("ExecStartPre=-+") for line in lines if line.startswith("ExecStartPre=")]
    command = (
        before.replace("$$", "$").replace("/sys/", f"{tmp_path}/sys/").replace("chgrp penates", f"chgrp {getgid()}")
    )
    with Exporting(files) as kernel:
        subprocess.run(
            shlex.split(command), check=False, timeout=60
        )  # the files come a moment later than in the kernel
        assert kernel.exported.wait(60)
        subprocess.run(shlex.split(command), check=True, timeout=60)  # at a second start they are there
        assert kernel.asked == [channel]
    writable = [file.name for file in (files.chip / f"pwm{channel}").iterdir() if file.stat().st_mode & 0o020]
    assert sorted(writable) == ["duty_cycle", "enable", "period", "polarity"]
    assert (files.chip / "export").stat().st_mode & 0o020


def test_the_template_gives_a_unit_the_memory_of_any_device() -> None:
    assert f"MemoryMax={Device.memory_mb}M" in (ROOT / "systemd" / "penates@.service").read_text().splitlines()


@pytest.mark.parametrize(("unit", "then"), [("penates@.service", " check %i "), ("penates.service", " reload ")])
def test_a_reload_reaches_an_output_before_a_sandbox_is_built_or_a_program_starts(unit: str, then: str) -> None:
    rows = (ROOT / "systemd" / unit).read_text().splitlines()
    first, *_, last = [row.partition("=")[2] for row in rows if row.startswith("ExecReload=")]
    assert first == "+/bin/kill -HUP $MAINPID"
    assert then in last


@pytest.mark.parametrize(
    ("node", "allowed", "group"),
    [
        ("/dev/i2c-1", ("char-i2c",), "i2c"),
        ("/dev/spidev0.1", ("char-spi",), "spi"),
        ("/dev/lirc0", ("char-lirc",), "video"),
        ("/dev/ttyAMA0", ("char-ttyAMA",), "dialout"),
        ("/dev/ttyACM12", ("char-ttyACM",), "dialout"),
        ("/dev/serial/by-id/usb-FTDI-if00", ("char-ttyUSB", "char-ttyACM"), "dialout"),
        ("/dev/watchdog", ("/dev/watchdog",), ""),
    ],
)
def test_a_node_is_allowed_by_its_class(node: str, allowed: tuple[str, ...], group: str) -> None:
    assert access(Path(node)) == NodeAccess(allowed, group)


def test_the_supervisor_makes_safe_whatever_may_be_driven(mine: House) -> None:
    mine.write(1883)
    for number in (5, 6):
        mine.device(f"fan{number}", f'kind = "airy.Fan"\nrelay = {number}\n')
    found = {name: load(mine.folder, name) for name in ("fan5", "fan6")}
    *_, file = unit_files.for_supervisor(Path("/units"), found, dict.fromkeys(found))
    lines = (file.content or b"").decode().splitlines()
    stops = [line for line in lines if line.startswith("ExecStopPost")]
    assert [line.split()[2:-2] for line in stops] == [["fan5", "fan6"]]


def test_a_transmitter_may_keep_time_or_leave_it_to_the_kernel(house: House) -> None:
    lines = drop_in(house, 'kind = "socket"\npin = 17\n')
    assert {"RestrictRealtime=no", "LimitRTPRIO=1", "DeviceAllow=char-gpiochip rw"} <= {*lines}
    assert [line.split("=")[0] for line in lines if "penates safe" in line] == ["ExecStopPost"]
    lines = drop_in(house, 'kind = "socket"\npin = "/dev/lirc0"\n')
    assert "DeviceAllow=char-lirc rw" in lines
    assert not [line for line in lines if line.startswith(("RestrictRealtime", "LimitRTPRIO", "ExecStopPost"))]


def test_the_sensor_and_not_the_file_names_the_secret(house: House) -> None:
    lines = drop_in(house, 'kind = "door"\npin = 17\nsensor = "gate"\n')
    assert "LoadCredential=password:/etc/penates/secrets/gate" in lines
    assert "Description=cm/gate, a sensor (door)" in lines


def test_a_recorder_may_keep_more_in_memory(house: House) -> None:
    assert "MemoryMax=256M" in drop_in(house, 'kind = "recorder"\n', "recorder")


def test_a_recorder_reaches_its_store(house: House) -> None:
    lines = drop_in(house, 'kind = "recorder"\nstore = "influxdb1"\nurl = "http://192.168.7.8:8086"\n', "recorder")
    assert f"IPAddressAllow={' '.join(HOME)}" in lines


def test_a_unit_sees_no_secret_but_those_that_its_device_names(house: House) -> None:
    hardening = (ROOT / "systemd" / "hardening.conf").read_text().splitlines()
    assert "InaccessiblePaths=-/etc/penates/secrets" in hardening
    (house.folder / "secrets").mkdir(parents=True)
    (house.folder / "secrets" / "token").write_text("opensesame\n")
    database = 'store = "influxdb"\nurl = "http://localhost:8086"\norg = "o"\ntoken_file = "secrets/token"\n'
    lines = drop_in(house, f'kind = "recorder"\n{database}', "recorder")
    first = lines.index("InaccessiblePaths=")
    assert lines[first + 1 : first + 3] == [
        "TemporaryFileSystem=/etc/penates/secrets:ro",
        "BindReadOnlyPaths=-/etc/penates/secrets/token",
    ]
    assert not [line for line in drop_in(house, 'kind = "door"\npin = 17\n', "door") if "Paths=" in line]


def test_the_broker_decides_whom_a_unit_reaches(tmp_path: Path) -> None:
    router = tmp_path / "resolv.conf"
    router.write_text("nameserver 192.168.1.1\n")
    assert allowed_networks(["localhost", "127.0.0.1", "::1"], router) == ()
    assert allowed_networks(["localhost", "192.168.1.7"], router) == HOME
    assert allowed_networks(["fd00::7"], router) == HOME
    assert allowed_networks(["203.0.113.7", "192.168.1.7"], router) == ANYWHERE
    assert allowed_networks(["a" * 64], router) == ANYWHERE


def test_every_device_of_a_supervisor_has_its_own_secret() -> None:
    found = {name: replace(settings) for name, settings in samples().items()}
    *_, file = unit_files.for_supervisor(Path("/units"), found, {name: secret(one) for name, one in found.items()})
    lines = (file.content or b"").decode().splitlines()
    assert "LoadCredential=password_cellar:/etc/penates/secrets/cellar" in lines
    assert lines.count("DeviceAllow=char-gpiochip rw") == 1
    assert [line for line in lines if line.startswith("ExecStopPost")] == [
        "ExecStopPost=-/opt/penates/bin/penates safe doorlock lamp transmitter --config /etc/penates",
    ]


@pytest.mark.parametrize(
    ("text", "must"),
    [
        ('kind = "relay"\npin = 17\n', True),
        ('kind = "heater"\npin = 17\nlongest_s = 600\n', True),
        ('kind = "valve"\npin = 17\nlongest_s = 600\n', True),
        ('kind = "cover"\ntype = "shutter"\nopens = 17\ncloses = 27\n', True),
        ('kind = "lock"\nfail = "safe"\npin = 17\nbolt = 27\n', True),
        ('kind = "output"\npin = 17\n', False),
        ('kind = "buzzer"\npin = 17\n', True),
        ('kind = "door"\npin = 17\n', False),
    ],
)
def test_which_outputs_must_end(house: House, text: str, *, must: bool) -> None:
    house.write(1883)
    house.device("it", text)
    assert must_end(load(house.folder, "it").device) is must
