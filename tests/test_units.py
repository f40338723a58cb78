"""The unit files, as systemd's own tools judge them: right, and hardened; and what each device's drop-in lets it do."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from world import House

from bootstrap.config.loader import Configuration, load
from bootstrap.config.model import SensorSettings
from bootstrap.config.secrets import password_file
from penates.files.planned_file import Planned
from penates.installer import unit_files
from penates.installer.allowed_networks import ANYWHERE, HOME, reach

SAMPLES = Path(__file__).parent.parent / "config"
SYSTEMS_OWN = Path("/usr/lib/systemd/system")
EXPOSURE = 1.5
PLACE = Path("etc/systemd/system")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine's files, as far as systemd-analyze looks at them."""
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(SYSTEMS_OWN, root / SYSTEMS_OWN.relative_to("/"), symlinks=True, ignore_dangling_symlinks=True)
    for program in ("opt/penates/bin/penates", "bin/sh", "bin/kill", "bin/systemctl"):
        (root / program).parent.mkdir(parents=True, exist_ok=True)
        (root / program).write_text("#!/bin/true\n")
        (root / program).chmod(0o755)
    return root


def write(planned: list[Planned]) -> None:
    """Whoever runs the tests owns them."""
    for one in planned:
        if one.content is None:
            one.path.mkdir(parents=True, exist_ok=True)
        else:
            one.path.parent.mkdir(parents=True, exist_ok=True)
            one.path.write_bytes(one.content)


def samples() -> dict[str, SensorSettings]:
    return Configuration(SAMPLES).all()


def secret(settings: SensorSettings) -> Path | None:
    return password_file(Path("/etc/penates"), "secrets/{sensor}", settings.topics.sensor)


@pytest.fixture(scope="module")
def installed(root: Path) -> Path:
    place = root / PLACE
    write([*unit_files.shipped(place), *unit_files.for_broker(place)])
    for name, settings in samples().items():
        write(unit_files.for_device(place, settings, name, secret(settings)))
    passwords = {name: secret(settings) for name, settings in samples().items()}
    write(unit_files.for_supervisor(place, samples(), passwords))
    for name, host in (("home", "192.168.1.7"), ("far", "198.51.100.7")):
        write(unit_files.for_device(place, with_broker(samples()["frontdoor"], host), name, None))
    return root


def with_broker(settings: SensorSettings, host: str) -> SensorSettings:
    return replace(settings, broker=replace(settings.broker, host=host))


def analyse(root: Path, *words: str) -> str:
    command = ["systemd-analyze", f"--root={root}", "--no-pager", "--man=no", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_systemd_has_nothing_to_say_of_them(installed: Path) -> None:
    for name in [*map(unit_files.unit, samples()), unit_files.SUPERVISOR, unit_files.TARGET, *unit_files.CERTIFICATES]:
        assert analyse(installed, "verify", str(PLACE / name)) == ""


def test_it_would_say_what_is_wrong(installed: Path) -> None:
    """As a check of the one above."""
    wrong = (installed / PLACE / unit_files.SUPERVISOR).read_text().replace("WatchdogSec", "WatchDogSec")
    (installed / PLACE / "wrong.service").write_text(wrong)
    assert "WatchDogSec" in analyse(installed, "verify", str(PLACE / "wrong.service"))


def exposure(root: Path, name: str) -> float:
    lines = analyse(root, "security", "--offline=yes", name).splitlines()
    return float(next(line for line in lines if "Overall exposure level" in line).split(":")[1].split()[0])


def test_each_is_hardened(installed: Path) -> None:
    names = [*map(unit_files.unit, (*samples(), "home", "far")), unit_files.SUPERVISOR]
    assert {name: rated for name in names if (rated := exposure(installed, name)) > EXPOSURE} == {}


def drop_in(house: House, text: str, name: str = "cellar") -> list[str]:
    house.write(1883)
    house.device(name, text)
    settings = load(house.folder, name)
    *_, file = unit_files.for_device(Path("/units"), settings, name, secret(settings))
    assert file.path == Path(f"/units/penates@{name}.service.d/penates.conf")
    return (file.content or b"").decode().splitlines()


def test_only_the_parent_is_told_to_stop() -> None:
    """A sensor that is told twice, by systemd and by its parent, would not deliver what it has."""
    assert "KillMode=mixed" in (Path(__file__).parent.parent / "systemd" / "penates.service").read_text().splitlines()


def test_a_thermometer_opens_no_device(house: House) -> None:
    lines = drop_in(house, 'kind = "thermometer"\nserial = "28-1"\n')
    assert not [line for line in lines if line.startswith(("DeviceAllow", "ExecStopPost", "IPAddressAllow"))]
    assert lines[-2:] == ["LoadCredential=", "LoadCredential=password:/etc/penates/secrets/cellar"]


def test_a_door_opens_lines_and_a_lamp_is_made_safe(house: House) -> None:
    assert "DeviceAllow=char-gpiochip rw" in drop_in(house, 'kind = "door"\npin = 17\n')
    lines = drop_in(house, 'kind = "lamp"\npin = 17\n', "lamp")
    assert "DeviceAllow=char-gpiochip rw" in lines
    assert "ExecStopPost=-/opt/penates/bin/penates safe lamp --config /etc/penates" in lines


def test_a_kind_of_ones_own_says_what_it_opens(house: House) -> None:
    (house.folder / "mine.py").write_text(
        "from dataclasses import dataclass\nfrom bootstrap.device import Device, Measure\n"
        '@dataclass(kw_only=True)\nclass Air(Device):\n    opens = ("i2c",)\n    level = Measure("1")\n'
        "    def read(self):\n        return {}\n"
    )
    assert "DeviceAllow=char-i2c rw" in drop_in(house, 'kind = "mine.Air"\n')


def test_the_sensor_and_not_the_file_names_the_secret(house: House) -> None:
    lines = drop_in(house, 'kind = "door"\npin = 17\nsensor = "gate"\n')
    assert "LoadCredential=password:/etc/penates/secrets/gate" in lines
    assert "Description=cm/gate, a sensor (door)" in lines


def test_a_recorder_may_keep_more_in_memory(house: House) -> None:
    assert "MemoryMax=256M" in drop_in(house, 'kind = "recorder"\n', "recorder")


def test_a_recorder_reaches_its_store(house: House) -> None:
    lines = drop_in(house, 'kind = "recorder"\nstore = "influxdb1"\nurl = "http://192.168.7.8:8086"\n', "recorder")
    assert f"IPAddressAllow={' '.join(HOME)}" in lines


def test_the_broker_decides_whom_a_unit_reaches(tmp_path: Path) -> None:
    router = tmp_path / "resolv.conf"
    router.write_text("nameserver 192.168.1.1\n")
    assert reach(["localhost", "127.0.0.1", "::1"], router) == ()
    assert reach(["localhost", "192.168.1.7"], router) == HOME
    assert reach(["fd00::7"], router) == HOME
    assert reach(["203.0.113.7", "192.168.1.7"], router) == ANYWHERE
    assert reach(["a" * 64], router) == ANYWHERE


def test_every_device_of_a_nursery_has_its_own_secret() -> None:
    found = {name: replace(settings) for name, settings in samples().items()}
    *_, file = unit_files.for_supervisor(Path("/units"), found, {name: secret(one) for name, one in found.items()})
    lines = (file.content or b"").decode().splitlines()
    assert "LoadCredential=password_cellar:/etc/penates/secrets/cellar" in lines
    assert lines.count("DeviceAllow=char-gpiochip rw") == 1
    assert [line for line in lines if line.startswith("ExecStopPost")] == [
        "ExecStopPost=-/opt/penates/bin/penates safe lamp --config /etc/penates"
    ]
