"""Reaching a broker: the part that blocks (name server, SYN, TLS handshake), so it runs in the worker."""

import socket
import ssl
from pathlib import Path

DIAL_S = 5.0


def tls(ca_file: Path) -> ssl.SSLContext:
    """The trust in one CA; the host name is always verified.

    Raises:
        OSError: the file cannot be read, or is no certificate (ssl.SSLError).
    """
    return ssl.create_default_context(cafile=ca_file)


def dial(host: str, port: int, ca_file: Path | None, patience_s: float = DIAL_S) -> socket.socket:
    """A connected socket, TLS hands shaken, within about `patience_s` seconds for each address of the host.

    Raises:
        OSError: nobody there, no such host, or no trust.
    """
    try:
        plain = socket.create_connection((host, port), timeout=patience_s)
    except UnicodeError:  # from the IDNA encoding of a malformed name
        raise OSError(f"{host!r} is not a host name") from None
    # Else a small message waits for the acknowledgement of the one before: 12 ms instead of 1.
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if ca_file is None:
        return plain
    try:
        return tls(ca_file).wrap_socket(plain, server_hostname=host)
    except OSError as error:
        plain.close()
        raise OSError(f"no TLS: {error}") from None
