"""Tell by ARP whether a host of our own network is there, without a right of its own.

The kernel believes a neighbour for hours, and asks again only once something is sent to it. So a datagram is sent, and
some seconds later the kernel's table tells whether the neighbour has answered: a host answers that, however it filters.
"""

import errno
import ipaddress
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

CONFIRM_S = 10.0  # after which the kernel has given up who does not answer: 5 s of patience, and three questions
DISCARD = 9  # the port of a service that does nothing
COMPLETE = 0x2  # flag in /proc/net/arp: the neighbour has answered
UP, GATEWAY = 0x1, 0x2  # flags in /proc/net/route
ROUTE_FIELDS, ARP_FIELDS = 8, 6
NO_ANSWER = {errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ECONNREFUSED}


class ArpWatch:
    """Watches one host."""

    def __init__(self, host: str, root: Path, now: Callable[[], float] = time.monotonic) -> None:
        """Watch a host by its address or name; `root` contains the machine's own proc."""
        self._host, self._root, self._now = host, root, now
        self._asked: tuple[str, float] | None = None  # the address, and when

    def look(self) -> str | None:
        """Ask the host, and return its hardware address if it has answered what was asked before; None if it has not.

        Raises:
            LookupError: it is too early to know.
            OSError: the name has no address, or nothing can be sent.
            ValueError: the host is not in a network of this machine.
        """
        address = self._address()
        self._require_way(address)
        before, now = self._asked, self._now()
        if before is not None and before[0] == address and now - before[1] < CONFIRM_S:
            raise LookupError("the host was asked just now")
        found = self._answered(address)
        self._ask(address)
        self._asked = address, now
        if before is None or before[0] != address:
            raise LookupError("the host was not asked before")
        return found

    def _address(self) -> str:
        try:
            return str(socket.getaddrinfo(self._host, None, socket.AF_INET, socket.SOCK_DGRAM)[0][4][0])
        except socket.gaierror as error:
            raise OSError(f"the name {self._host!r} has no IPv4 address: {error.strerror}") from None

    def _require_way(self, address: str) -> None:
        interface = self._interface(address)
        if interface is None:
            raise ValueError(f"{address} is not in a network of this machine, and ARP knows neighbours only")
        with suppress(FileNotFoundError):
            if (self._root / f"sys/class/net/{interface}/carrier").read_text(encoding="ascii").strip() == "0":
                raise OSError(f"{interface} is not connected, so nobody can be seen by it")

    def _interface(self, address: str) -> str | None:
        """Return the interface whose network an address is in."""
        number = int(ipaddress.IPv4Address(address))
        for row in (self._root / "proc/net/route").read_text(encoding="ascii").splitlines()[1:]:
            fields = row.split()
            if len(fields) >= ROUTE_FIELDS:
                network, mask, flags = _number(fields[1]), _number(fields[7]), int(fields[3], 16)
                if mask and flags & UP and not flags & GATEWAY and number & mask == network:
                    return fields[0]
        return None

    def _answered(self, address: str) -> str | None:
        """Return the hardware address of a neighbour that has answered."""
        for row in (self._root / "proc/net/arp").read_text(encoding="ascii").splitlines()[1:]:
            fields = row.split()
            if len(fields) >= ARP_FIELDS and fields[0] == address and int(fields[2], 16) & COMPLETE:
                return fields[3].lower()
        return None

    def _ask(self, address: str) -> None:
        """Send an empty datagram, before which the kernel asks who has the address."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            try:
                asking.sendto(b"", (address, DISCARD))
            except OSError as error:
                if error.errno not in NO_ANSWER:
                    raise OSError(error.errno, f"this machine cannot ask {address}: {error.strerror}") from None


def _number(text: str) -> int:
    """Return an address of /proc/net/route, which has the bytes of this machine's order, as a number."""
    return int.from_bytes(struct.pack("=I", int(text, 16)), "big")


def a_hardware_address(text: str) -> None:
    """Raise ValueError, saying what is allowed, if `text` is not a hardware address."""
    parts = text.split(":")
    with suppress(ValueError):
        if len(parts) == len("aabbcc") and all(len(part) == len("aa") and int(part, 16) >= 0 for part in parts):
            return
    raise ValueError('a hardware address (MAC), such as "a4:83:e7:01:02:03"')
