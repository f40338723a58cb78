"""Connecting to a broker: the part that blocks (name server, SYN, TLS handshake), so it runs outside the loop."""

import socket
import ssl
from pathlib import Path

from bootstrap.tls import shared_tls

TIMEOUT_S = 5.0


def connect(host: str, port: int, trust: Path | ssl.SSLContext | None, timeout_s: float = TIMEOUT_S) -> socket.socket:
    """Return a connected socket, after the TLS handshake if there is something to `trust`: a CA's file, or a context.

    Each address of the host may take about `timeout_s` seconds.

    Raises:
        OSError: nobody is there, there is no such host, or its certificate is not trusted.
    """
    try:
        plain = socket.create_connection((host, port), timeout=timeout_s)
    except UnicodeError:  # from the IDNA encoding of a malformed name
        raise OSError(f"{host!r} is not a host name") from None
    # Otherwise a small message waits for the acknowledgement of the one before: 12 ms instead of 1.
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if trust is None:
        return plain
    try:
        return (shared_tls(trust) if isinstance(trust, Path) else trust).wrap_socket(plain, server_hostname=host)
    except OSError as error:
        plain.close()
        raise OSError(f"no TLS: {error}") from None
