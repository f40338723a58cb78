"""TCP connections that are there in time, however many addresses a host has."""

import socket
import time


def connected_within(host: str, port: int, limit_s: float) -> socket.socket:
    """Return a connection, whose timeout is what is left of `limit_s`.

    Each address of the host has an equal share of the time that those before it have left. The time that the name
    server takes counts, but cannot be cut short.

    Raises:
        TimeoutError: the time is over.
        OSError: there is no such host, or nobody listens there.
    """
    until = time.monotonic() + limit_s
    failed: OSError = TimeoutError(f"no connection after {limit_s:g} s")
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for number, (family, kind, protocol, _name, address) in enumerate(found):
        left_s = until - time.monotonic()
        if left_s <= 0:
            break
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(left_s / (len(found) - number))
            made.connect(address)
            made.settimeout(max(0.001, until - time.monotonic()))
        except OSError as error:
            made.close()
            failed = error
        else:
            return made
    raise failed
