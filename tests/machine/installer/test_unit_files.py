"""The unit files, as systemd's own tools judge them: right, and hardened."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.config.loader import Configuration
from bootstrap.config.model import SensorSettings
from bootstrap.config.secrets import password_file
from bootstrap.machine.power import waiting_unit
from penates.files.planned_file import Planned
from penates.installer import unit_files
from support.paths import ROOT

SAMPLES = ROOT / "config"
SYSTEMS_OWN = Path("/usr/lib/systemd/system")
EXPOSURE = 1.5
EXPOSURE_AS_ROOT = 2.5
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
    write([*unit_files.shipped(place), *unit_files.for_broker(place), *unit_files.for_power(place)])
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
    ours = [unit_files.SUPERVISOR, unit_files.TARGET, *unit_files.CERTIFICATES, waiting_unit("reboot")]
    for name in [*map(unit_files.unit, samples()), *ours]:
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
    renewal, _ = unit_files.CERTIFICATES
    assert exposure(installed, renewal) <= EXPOSURE_AS_ROOT
