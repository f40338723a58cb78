"""Whether a host is there: real hosts, in networks of their own with a real cable between them."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.needs import a_way_to_ask
from daemons.ping import Ping
from support.networks import CABLE, Cable


@pytest.fixture
def cable() -> Iterator[Cable]:
    found = Cable()
    yield found
    found.close()


def allowed(cable: Cable) -> None:
    with cable.ends[0].inside():
        Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 2147483647")


def ping(host: str, **more: Any) -> Ping:
    return Ping(host=host, pause_s=0, **more)


def test_a_host_answers(cable: Cable) -> None:
    allowed(cable)
    with cable.ends[0].inside():
        device = ping(cable.ends[1].address, count=1)
        began = time.monotonic()
        reading = dict(device.read())
        took_ms = 1000 * (time.monotonic() - began)
    assert (reading["reachable"], reading["loss"]) == (True, 0)
    assert 0 < float(str(reading["round_trip"])) <= took_ms
    assert device.check(reading) == {}


def test_no_answer_is_a_value_and_no_time_is_made_up(cable: Cable) -> None:
    allowed(cable)
    with cable.ends[0].inside():
        assert ping("192.168.78.9", count=1).read() == {"reachable": False, "loss": 100}
        cable.ends[1].ip("address", "del", f"{cable.ends[1].address}/24", "dev", CABLE)
        assert ping(cable.ends[1].address, count=2, answer_s=0.3).read() == {"reachable": False, "loss": 100}


def test_where_there_is_no_way_nothing_is_known(cable: Cable) -> None:
    allowed(cable)
    with cable.ends[0].inside():
        with pytest.raises(OSError, match=r"this machine cannot ask 192.0.2.1: Network is unreachable"):
            ping("192.0.2.1").read()
        with pytest.raises(OSError, match=r"the name 'no-such-host.invalid' has no address: "):
            ping("no-such-host.invalid").read()


def test_who_may_not_is_told_what_to_do(cable: Cable) -> None:
    """In a network of its own nobody may, until somebody allows it."""
    with cable.ends[0].inside(), pytest.raises(PermissionError, match=r"sysctl net\.ipv4\.ping_group_range='0 2147"):
        ping(cable.ends[1].address).read()


def test_by_version_6(cable: Cable) -> None:
    allowed(cable)
    with cable.ends[0].inside():
        assert ping("::1", count=1).read()["reachable"] is True


def test_a_port_that_takes_a_connection(cable: Cable) -> None:
    near, far = cable.ends
    with far.inside(), socket.create_server((far.address, 0)) as server, near.inside():
        port = server.getsockname()[1]
        reading = ping(far.address, by=f"tcp:{port}").read()
        assert (reading["reachable"], reading["loss"]) == (True, 0)
    with near.inside():
        assert ping(far.address, by=f"tcp:{port}", count=1).read() == {"reachable": False, "loss": 100}
    cable.cut()
    with near.inside():
        assert ping(far.address, by=f"tcp:{port}", count=1, answer_s=0.2).read()["reachable"] is False


@pytest.mark.parametrize(
    "text", ["", "ICMP", "tcp", "tcp:", "tcp:0", "tcp:65536", "tcp:-1", "udp:53", "tcp:4 4", "icmp:1"]
)
def test_what_is_no_way_to_ask(text: str) -> None:
    with pytest.raises(ValueError, match='"icmp", or "tcp:443" for a connection to this port'):
        a_way_to_ask(text)
