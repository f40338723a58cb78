"""Ask a host whether it is there, without a right of its own: by an ICMP echo, or by a TCP connection.

A datagram socket for ICMP is open to all groups that `net.ipv4.ping_group_range` names.
"""

import errno
import os
import socket
import struct
import time
from dataclasses import dataclass

ECHO, ECHO_REPLY = {socket.AF_INET: 8, socket.AF_INET6: 128}, {socket.AF_INET: 0, socket.AF_INET6: 129}
PROTOCOLS = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}
HEAD = struct.Struct("!BBHHH")  # type, code, checksum, id and number; the kernel fills in checksum and id
TOKEN_BYTES = 16
LARGEST = 2048  # bytes of an answer
NO_ANSWER = {errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ECONNREFUSED, errno.ECONNRESET, errno.ETIMEDOUT}
FORBIDDEN = {errno.EACCES, errno.EPERM}
MAY_NOT = (
    "this user may not ask by ICMP: sudo penates install allows it, as sysctl net.ipv4.ping_group_range='0 2147483647'"
    " does; or set by = 'tcp:443'"
)


@dataclass(frozen=True)
class PingedAddress:
    """An address of a host, as `socket.getaddrinfo` returns it."""

    family: socket.AddressFamily
    address: tuple[str | int, ...]

    @classmethod
    def of(cls, host: str, port: int = 0) -> "PingedAddress":
        """Return the first address of a host, as those who connect to it use it.

        Raises:
            OSError: its name has no address.
        """
        try:
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        except socket.gaierror as error:
            raise OSError(f"the name {host!r} has no address: {error.strerror}") from None
        return cls(family, address)  # type: ignore[arg-type]

    def echo(self, number: int, limit_s: float) -> float | None:
        """Return the milliseconds until an ICMP echo came back, or None if it did not in time.

        Raises:
            OSError: none can be sent.
        """
        token = os.urandom(TOKEN_BYTES)
        try:
            with socket.socket(self.family, socket.SOCK_DGRAM, PROTOCOLS[self.family]) as asking:
                asking.connect(self.address)
                began = time.monotonic()
                asking.send(HEAD.pack(ECHO[self.family], 0, 0, 0, number) + token)
                if self._comes_back(asking, token, began + limit_s):
                    return 1000 * (time.monotonic() - began)
        except OSError as error:
            self._check(error)
        return None

    def _comes_back(self, asking: socket.socket, token: bytes, until: float) -> bool:
        while (left_s := until - time.monotonic()) > 0:
            asking.settimeout(left_s)
            try:
                answer = asking.recv(LARGEST)
            except TimeoutError:
                return False
            if answer[:1] == bytes([ECHO_REPLY[self.family]]) and answer[HEAD.size :] == token:
                return True
        return False

    def connect(self, limit_s: float) -> float | None:
        """Return the milliseconds until a TCP connection was made, or None if it was not in time.

        Raises:
            OSError: none can be tried.
        """
        try:
            with socket.socket(self.family, socket.SOCK_STREAM) as asking:
                asking.settimeout(limit_s)
                began = time.monotonic()
                asking.connect(self.address)
                return 1000 * (time.monotonic() - began)
        except TimeoutError:
            return None
        except OSError as error:
            self._check(error)
        return None

    def _check(self, error: OSError) -> None:
        """Raise the error unless it means that the host, or whoever speaks for it, does not answer."""
        if error.errno in FORBIDDEN:
            raise PermissionError(error.errno, MAY_NOT) from None
        if error.errno not in NO_ANSWER:
            raise OSError(error.errno, f"this machine cannot ask {self.address[0]}: {error.strerror}") from None


@dataclass(frozen=True, kw_only=True)
class PingQuestions:
    """How often a host is asked, and how: by ICMP, or by a connection to a TCP port.

    Attributes:
        by: `icmp`, or `tcp:` and a port.
        count: how many questions.
        limit_s: seconds after which no answer counts.
        pause_s: seconds from one to the next.
    """

    by: str
    count: int
    limit_s: float
    pause_s: float

    def ask(self, host: str) -> dict[str, bool | float]:
        """Return `reachable`, the `loss` in percent, and the quickest `round_trip` in ms, if there was any.

        Raises:
            OSError: the host cannot be asked.
        """
        port = int(self.by.partition(":")[2] or 0)
        where, came = PingedAddress.of(host, port), list[float]()
        for number in range(1, self.count + 1):
            time.sleep(self.pause_s if number > 1 else 0)
            took = where.connect(self.limit_s) if port else where.echo(number, self.limit_s)
            came += [] if took is None else [took]
        quickest = {"round_trip": round(min(came), 3)} if came else {}
        return {"reachable": bool(came), **quickest, "loss": round(100 - 100 * len(came) / self.count, 1)}
