"""The networks that a unit may connect to: only this machine's loopback, where that is enough."""

import ipaddress
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

RESOLV = Path("/etc/resolv.conf")
# Whole networks, because a broker at home may change its address; multicast is for mDNS, which finds it.
NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
HOME = ("multicast", *NETWORKS)
ANYWHERE = ("any",)


def allowed_networks(hosts: Iterable[str], resolv: Path = RESOLV) -> tuple[str, ...]:
    """Return what `IPAddressAllow=` must list besides `localhost` for these hosts: nothing, `HOME` or `ANYWHERE`.

    A name that does not resolve now, or resolves to an address outside the home, may resolve to any address later.
    """
    allowed: tuple[str, ...] = ()
    for host in hosts:
        found = list(_addresses(host))
        named = not _address(host)
        if found and all(address.is_loopback for address in found):
            continue
        contacted = [*found, *(_name_servers(resolv) if named else ())]
        if not found or not all(_at_home(address) for address in contacted):
            return ANYWHERE
        allowed = HOME
    return allowed


def resolves(host: str) -> bool:
    """Return whether a host's name resolves now."""
    return any(True for _ in _addresses(host))


def _at_home(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.is_loopback or any(address in ipaddress.ip_network(network) for network in NETWORKS)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    with suppress(ValueError):
        return ipaddress.ip_address(text.partition("%")[0])
    return None


def _addresses(host: str) -> Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    with suppress(OSError, UnicodeError):
        for *_, endpoint in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM):
            if address := _address(str(endpoint[0])):
                yield address


def _name_servers(resolv: Path) -> Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    with suppress(OSError):
        for line in resolv.read_text().splitlines():
            fields = line.split()
            if fields[:1] == ["nameserver"] and len(fields) > 1 and (address := _address(fields[1])):
                yield address
