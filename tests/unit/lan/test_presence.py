"""Who is at home: a real neighbour at the other end of a cable, whom the real kernel asks."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.errors import NoReading
from bootstrap.lan import arp_watch
from bootstrap.lan.arp_watch import a_hardware_address
from bootstrap.lan.last_seen import LastSeen
from daemons.presence import Presence
from support.networks import CABLE, Cable

ANSWER_S = 30.0


@pytest.fixture
def cable(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cable]:
    """Between two kernels that lose their patience soon."""
    monkeypatch.setattr(arp_watch, "CONFIRM_S", 0.6)
    found = Cable()
    with found.ends[0].inside():
        neighbours = Path(f"/proc/sys/net/ipv4/neigh/{CABLE}")
        for name, value in {"delay_first_probe_time": 0, "retrans_time_ms": 50, "base_reachable_time_ms": 100}.items():
            (neighbours / name).write_text(str(value))
    yield found
    found.close()


def phone(host: str, **more: Any) -> Presence:
    found = Presence(host=host, every_s=0.1, absent_s=more.pop("absent_s", 0.5), **more)
    found.setup()
    return found


def read(device: Presence) -> dict[str, Any] | None:
    try:
        return dict(device.read())
    except NoReading:
        return None


def until(device: Presence, wanted: dict[str, Any]) -> None:
    """Read as a sensor does, until this is so."""
    deadline = time.monotonic() + ANSWER_S
    while (found := read(device)) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def test_a_phone_comes_and_goes(cable: Cable) -> None:
    near, far = cable.ends
    with near.inside():
        device = phone(far.address)
        assert read(device) is None
        assert device.excuses("present")
        until(device, {"present": True})
        far.ip("address", "del", f"{far.address}/24", "dev", CABLE)
        until(device, {"present": False})
        far.ip("address", "add", f"{far.address}/24", "dev", CABLE)
        until(device, {"present": True})
        assert not device.excuses("present")


def test_who_never_was_there_is_absent_only_after_a_while(cable: Cable) -> None:
    with cable.ends[0].inside():
        began = time.monotonic()
        device = phone("192.168.78.9", absent_s=2.0)
        until(device, {"present": False})
    assert time.monotonic() - began >= 2


def test_another_device_at_the_address_does_not_count(cable: Cable) -> None:
    near, far = cable.ends
    with near.inside():
        until(phone(far.address, mac="02:00:00:00:00:99", absent_s=1.5), {"present": False})
        rows = Path("/proc/thread-self/net/arp").read_text().split()
        until(phone(far.address, mac=rows[rows.index(far.address) + 3].upper()), {"present": True})


def test_who_cannot_look_does_not_say_absent(cable: Cable, tmp_path: Path) -> None:
    with cable.ends[0].inside():
        with pytest.raises(ValueError, match=r"192.0.2.1 is not in a network of this machine, and ARP knows neighb"):
            phone("192.0.2.1").read()
        with pytest.raises(OSError, match=r"the name 'no-such-host.invalid' has no IPv4 address"):
            phone("no-such-host.invalid").read()
        (tmp_path / "proc/net").mkdir(parents=True)
        (tmp_path / "sys/class/net" / CABLE).mkdir(parents=True)
        shutil.copy("/proc/thread-self/net/route", tmp_path / "proc/net/route")
        (tmp_path / "sys/class/net" / CABLE / "carrier").write_text("0\n")
        with pytest.raises(OSError, match="cable is not connected, so nobody can be seen by it"):
            phone(cable.ends[1].address, root=tmp_path).read()


def test_time_without_a_look_is_none_of_absence() -> None:
    now = 0.0
    clock: Callable[[], float] = lambda: now  # noqa: E731
    seen = LastSeen(10, clock)
    assert seen.note(seen=False) is None
    assert seen.note(seen=True) is True
    now = 9.0
    assert seen.note(seen=False) is True
    seen.note_blindness()
    now = 18.0
    assert seen.note(seen=False) is True
    now = 19.0
    assert seen.note(seen=False) is False


@pytest.mark.parametrize("text", ["", "aa:bb:cc:dd:ee", "aa:bb:cc:dd:ee:fg", "aabbccddeeff", "aa:bb:cc:dd:ee:ff:00"])
def test_what_is_no_hardware_address(text: str) -> None:
    with pytest.raises(ValueError, match="a hardware address"):
        a_hardware_address(text)


def test_a_hardware_address() -> None:
    a_hardware_address("A4:83:e7:01:02:03")
