"""A network interface: a folder of the kernel's files, and real interfaces with a real cable."""

import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bootstrap.machine.interface import Interface, an_interface
from daemons.network import Network
from penates.testing import Bench
from support.networks import CABLE, Cable

WIRELESS = """\
Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
wlan0: 0000   57.  {level}  -256        0      0      0      0     12        0
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "sys/class/net/wlan0"
    (folder / "statistics").mkdir(parents=True)
    (folder / "carrier").write_text("1\n")
    count(tmp_path, 1000, 50)
    (tmp_path / "proc/net").mkdir(parents=True)
    strength(tmp_path, "-53.")
    return tmp_path


def count(root: Path, received: int, sent: int) -> None:
    for name, number in {"rx_bytes": received, "tx_bytes": sent}.items():
        (root / "sys/class/net/wlan0/statistics" / name).write_text(f"{number}\n")


def strength(root: Path, level: str) -> None:
    (root / "proc/net/wireless").write_text(WIRELESS.format(level=level))


def test_rates_are_those_since_the_reading_before(root: Path) -> None:
    now = 100.0
    clock: Callable[[], float] = lambda: now  # noqa: E731
    interface = Interface("wlan0", root, clock)
    assert (interface.rate("rx_bytes"), interface.rate("tx_bytes")) == (None, None)
    count(root, 3000, 55)
    now = 104.0
    assert (interface.rate("rx_bytes"), interface.rate("tx_bytes")) == (500, 1.2)
    count(root, 10, 55)  # it was removed, and is there again
    now = 105.0
    assert (interface.rate("rx_bytes"), interface.rate("tx_bytes")) == (None, 0)
    count(root, 20, 55)
    now = 106.0
    assert interface.rate("rx_bytes") == 10


def test_a_reading(root: Path) -> None:
    with Bench(Network(interface="wlan0", root=root)) as bench:
        assert bench.read() == {"link": True, "signal": -53}
        count(root, 2000, 60)
        assert bench.read().keys() == {"link", "signal", "download", "upload"}


@pytest.mark.parametrize(("level", "signal"), [("-53.", -53), ("-80.", -80), ("203.", -53), ("-256.", None)])
def test_the_signal(root: Path, level: str, signal: float | None) -> None:
    strength(root, level)
    assert Interface("wlan0", root).signal == signal


def test_a_signal_that_is_none(root: Path) -> None:
    strength(root, "40.")
    device = Network(interface="wlan0", root=root)
    with Bench(device):
        assert device.check(device.read()) == {"signal": "the driver of wlan0 tells a strength of 40 without a unit"}
        (root / "proc/net/wireless").write_text(WIRELESS.replace("wlan0", "wlan1").format(level="-50."))
        assert "signal" not in device.read()
        (root / "proc/net/wireless").unlink()
        assert "signal" not in device.read()
    assert device.excuses("signal")


def test_one_that_is_gone_is_told_with_those_that_there_are(root: Path) -> None:
    (root / "sys/class/net/wlan0").rename(root / "sys/class/net/eth0")
    device = Network(interface="wlan0", root=root)
    with Bench(device), pytest.raises(FileNotFoundError, match=r"wlan0 is not there; .* has eth0"):
        device.read()


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Cable]:
    """One whose first end has its own /sys in the folder: that belongs to the network of whoever mounts it."""
    found = Cable()
    (tmp_path / "sys").mkdir()
    with found.ends[0].inside():
        subprocess.run(["mount", "-t", "sysfs", "sysfs", tmp_path / "sys"], check=True)
    yield found
    subprocess.run(["umount", tmp_path / "sys"], check=True)
    found.close()


def test_a_real_cable_is_plugged_in_and_out(cable: Cable, tmp_path: Path) -> None:
    near, far = cable.ends
    with near.inside(), Bench(Network(interface=CABLE, root=tmp_path)) as bench:
        assert bench.read()["link"] is True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            sending.sendto(bytes(1000), (far.address, 9))
        reading = bench.read()
        assert float(str(reading["upload"])) > 0
        cable.cut()
        assert bench.read()["link"] is False
        near.ip("link", "set", CABLE, "down")
        assert bench.read()["link"] is False


@pytest.mark.parametrize("text", ["", "a/b", "..", "a b", "x" * 16])
def test_what_is_no_interface(text: str) -> None:
    with pytest.raises(ValueError, match="the name of a network interface"):
        an_interface(text)
