"""A disk: a real file system, mounted and unmounted, and a folder of the files that an eMMC has."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.machine.block_device import MountPoint
from bootstrap.sysfs import disk_used
from daemons.disk import Disk
from penates.testing import Bench


@pytest.fixture
def emmc(tmp_path: Path) -> Path:
    """Return the folder of the disk on which this test's folder claims to be, as its second part."""
    number = tmp_path.stat().st_dev
    disk = tmp_path / "sys/devices/platform/emmc2bus/mmc0/block/mmcblk0"
    (disk / "mmcblk0p2").mkdir(parents=True)
    (disk / "device").mkdir()
    (disk / "mmcblk0p2" / "partition").write_text("2\n")
    (disk / "stat").write_text("   36 0 4186 900 10 2 2000000 55 0 60 955 0 0 0 0 0 0\n")
    links = tmp_path / "sys/dev/block"
    links.mkdir(parents=True)
    (links / f"{os.major(number)}:{os.minor(number)}").symlink_to(disk / "mmcblk0p2")
    return disk


def read(folder: Path) -> dict[str, Any]:
    device = Disk(disk=folder, root=folder)
    with Bench(device):
        return dict(device.read())


def test_what_every_disk_tells(emmc: Path, tmp_path: Path) -> None:
    reading = read(tmp_path)
    assert reading.keys() == {"used", "free", "written"}
    assert 0 <= float(str(reading["used"])) <= 100
    assert float(str(reading["free"])) > 0
    assert reading["written"] == 1.024
    errors = tmp_path / "sys/fs/ext4/mmcblk0p2/errors_count"
    errors.parent.mkdir(parents=True)
    errors.write_text("3\n")
    assert read(tmp_path)["errors"] == 3
    assert emmc


@pytest.mark.parametrize(
    ("life", "spare", "told"),
    [
        ("0x01 0x02", "0x01", {"life_used": 20, "spare_blocks": "normal"}),
        ("0x0a 0x01", "0x02", {"life_used": 100, "spare_blocks": "warning"}),
        ("0x0b 0x00", "0x03", {"life_used": 100, "spare_blocks": "urgent"}),
        ("0x00 0x00", "0x00", {}),
    ],
)
def test_what_an_emmc_tells_of_its_life(
    emmc: Path, tmp_path: Path, life: str, spare: str, told: dict[str, object]
) -> None:
    (emmc / "device/life_time").write_text(f"{life}\n")
    (emmc / "device/pre_eol_info").write_text(f"{spare}\n")
    reading = read(tmp_path)
    assert {name: reading[name] for name in reading.keys() & {"life_used", "spare_blocks"}} == told


def test_what_the_standard_does_not_know_is_no_life(emmc: Path, tmp_path: Path) -> None:
    (emmc / "device/life_time").write_text("0x0c 0x00\n")
    (emmc / "device/pre_eol_info").write_text("0x04\n")
    assert {*Disk().check(read(tmp_path))} == {"life_used", "spare_blocks"}
    (emmc / "device/life_time").write_text("")
    (emmc / "device/pre_eol_info").write_text("")
    reading = read(tmp_path)
    assert "life_used" not in reading
    assert [*Disk().check(reading)] == ["spare_blocks"]


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A real ext4 of 16 MB on a disk of its own, which the kernel makes of a file."""
    image, folder = tmp_path / "image", tmp_path / "stick"
    image.write_bytes(bytes(16_000_000))
    folder.mkdir()
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=False, capture_output=True)


def test_a_real_disk_and_a_stick_that_is_pulled_is_not_the_disk_below_it(mounted: Path) -> None:
    with Bench(Disk(disk=mounted)) as bench:
        before: dict[str, Any] = dict(bench.read())
        assert before.keys() == {"used", "free", "written", "errors"}
        assert before["errors"] == 0
        (mounted / "file").write_bytes(os.urandom(4_000_000))
        os.sync()
        after: dict[str, Any] = dict(bench.read())
        assert before["free"] - after["free"] == pytest.approx(0.004, abs=0.001)
        assert round(after["written"] - before["written"], 3) >= 0.004
        assert after["used"] > before["used"]
        subprocess.run(["umount", mounted], check=True)
        with pytest.raises(OSError, match=f"nothing is mounted at {mounted} any more"):
            bench.read()
        mounted.rmdir()
        with pytest.raises(OSError, match="any more"):
            bench.read()


def test_a_stick_that_is_missing_after_a_restart_is_not_the_disk_below_it(mounted: Path, tmp_path: Path) -> None:
    kept = SimpleNamespace(value="")
    MountPoint(mounted, kept).require()
    assert kept.value == str(mounted)
    subprocess.run(["umount", mounted], check=True)
    with pytest.raises(OSError, match="any more"):
        MountPoint(mounted, kept).require()
    MountPoint(tmp_path, kept).require()  # another folder was never one


def test_what_a_unit_does_not_see_is_no_empty_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVOCATION_ID", "0123456789abcdef")
    with Bench(Disk(disk=Path("/home"))) as bench, pytest.raises(OSError, match="a unit does not see /home; name"):
        bench.read()
    with pytest.raises(OSError, match="does not see /root/data"):
        disk_used(Path("/root/data"))
    assert disk_used(Path("/")) > 0
