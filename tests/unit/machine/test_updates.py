"""Updates that are waiting: real apt, with lists of its own."""

import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from bootstrap.errors import NoReading
from daemons import updates
from daemons.updates import Updates
from penates.testing import Bench

STATUS = """\
Package: {name}
Status: install ok installed
Architecture: all
Version: 1.0
Maintainer: nobody
Description: {name}

"""
PACKAGE = """\
Package: {name}
Architecture: all
Version: {version}
Maintainer: nobody
Filename: ./{name}.deb
Size: 1
SHA256: {hash}
Description: {name}

"""
RELEASE = """\
Origin: {origin}
Label: {label}
Suite: {suite}
Codename: {suite}
Architectures: all amd64 arm64 armhf
Components: main
"""
DAY_S = 86_400


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with three packages, and apt's folders; two sources have newer versions."""
    assert shutil.which("apt-get"), "apt-get is not there: these tests need Debian"
    root = tmp_path / "root"
    lists, cache = "var/lib/apt/lists/partial", "var/cache/apt/archives/partial"
    for folder in ("etc/apt", "var/lib/dpkg/info", cache, lists, "proc"):
        (root / folder).mkdir(parents=True)
    names = ("curl", "bind9", "current")
    (root / "var/lib/dpkg/status").write_text("".join(STATUS.format(name=name) for name in names))
    (root / "proc/stat").write_text(f"cpu 1 2 3\nbtime {int(time.time()) - 3600}\n")
    source(root, "plain", ("Debian", "Debian", "stable"), curl="2.0", new="1.0")
    source(root, "security", ("Debian", "Debian-Security", "stable-security"), bind9="1.1", current="1.0")
    return root


def source(root: Path, name: str, about: tuple[str, str, str], **versions: str) -> None:
    """Add a source of packages."""
    folder = root / "sources" / name
    folder.mkdir(parents=True)
    text = "".join(PACKAGE.format(name=one, version=version, hash="0" * 64) for one, version in versions.items())
    (folder / "Packages").write_text(text)
    origin, label, suite = about
    packages = (folder / "Packages").read_bytes()
    hashed = f"SHA256:\n {hashlib.sha256(packages).hexdigest()} {len(packages)} Packages\n"
    (folder / "Release").write_text(RELEASE.format(origin=origin, label=label, suite=suite) + hashed)
    with (root / "etc/apt/sources.list").open("a") as file:
        file.write(f"deb [trusted=yes] file:{folder} ./\n")


def fetch(root: Path) -> None:
    """Have apt fetch its lists, as it does once a day."""
    status = f"Dir::State::status={root}/var/lib/dpkg/status"
    done = subprocess.run(
        ["apt-get", "-o", f"Dir={root}", "-o", status, "-o", "APT::Sandbox::User=root", "update"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_nothing_of_the_security_team_is_none_where_it_has_a_source(root: Path) -> None:
    shutil.rmtree(root / "sources/security")
    source(root, "security", ("Debian", "Debian-Security", "stable-security"), current="1.0")
    fetch(root)
    with Bench(Updates(root=root)) as bench:
        assert bench.read()["security"] == 0


def test_what_is_waiting(root: Path) -> None:
    fetch(root)
    with Bench(device := Updates(root=root)) as bench:
        reading = dict(bench.read())
        assert float(str(reading.pop("lists_age"))) < 1
        assert reading == {"updates": 2, "security": 1, "restart_required": False}
        with pytest.raises(NoReading):
            device.read()
    assert device.period_s == DAY_S
    assert [file.name for file in (root / "var/cache/apt").iterdir()] == ["archives"], "nothing was written"


def test_without_a_source_of_the_security_team_nobody_knows_what_it_has_made(root: Path) -> None:
    """Raspbian's updates come from one source, whatever they are for."""
    (root / "etc/apt/sources.list").unlink()
    source(root, "raspbian", ("Raspbian", "Raspbian", "stable"), curl="2.0")
    fetch(root)
    with Bench(Updates(root=root)) as bench:
        reading = bench.read()
    assert reading["updates"] == 1
    assert "security" not in reading


def test_old_lists_are_told(root: Path) -> None:
    fetch(root)
    for folder in ("var/lib/apt/lists", "var/lib/apt/lists/partial"):
        os.utime(root / folder, (time.time() - 3 * DAY_S,) * 2)
    with Bench(Updates(root=root)) as bench:
        assert 3 <= float(str(bench.read()["lists_age"])) < 4


def test_a_kernel_that_is_newer_than_the_start_needs_another_start(root: Path) -> None:
    fetch(root)
    kernel = root / "var/lib/dpkg/info/linux-image-6.12.47+rpt-rpi-v8.list"
    kernel.touch()
    with Bench(Updates(root=root)) as bench:
        assert bench.read()["restart_required"] is True
    os.utime(kernel, (time.time() - DAY_S,) * 2)
    with Bench(Updates(root=root)) as bench:
        assert bench.read()["restart_required"] is False
    (root / "run").mkdir()
    (root / "run/reboot-required").touch()
    with Bench(Updates(root=root)) as bench:
        assert bench.read()["restart_required"] is True


def test_without_lists_nothing_is_known_and_after_an_hour_it_looks_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = Updates(root=root)
    with Bench(device):
        with pytest.raises(OSError, match=r"apt has no lists in .*: run sudo apt-get update"):
            device.read()
        fetch(root)
        with pytest.raises(OSError, match=r"apt has no lists in .*: run sudo apt-get update"):
            device.read()
        now = time.monotonic() + updates.AGAIN_S
        monkeypatch.setattr(updates, "monotonic", lambda: now)
        assert device.read()["updates"] == 2
        assert device.check({"updates": 2}) == {}


def test_what_apt_complains_of_is_said(root: Path) -> None:
    fetch(root)
    (root / "etc/apt/sources.list").write_text("nonsense\n")
    with Bench(device := Updates(root=root)), pytest.raises(OSError, match=r"apt-get ended with exit code 100: E: "):
        device.read()
