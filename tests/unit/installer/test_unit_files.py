"""The unit files, and what each device's drop-in lets it do."""

from dataclasses import replace
from pathlib import Path

from bootstrap.config.loader import Configuration, load
from bootstrap.config.model import SensorSettings
from bootstrap.config.secrets import password_file
from penates.installer import unit_files
from penates.installer.allowed_networks import ANYWHERE, HOME, allowed_networks
from support.paths import ROOT
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
        "ExecStopPost=-/opt/penates/bin/penates safe lamp --config /etc/penates"
    ]
