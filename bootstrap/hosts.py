"""Names and addresses of hosts, as settings, options and invitations hold them."""

import re
import socket
from contextlib import suppress

HOST_NAME = re.compile(r"(?=.{1,253}$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.|$))+", re.ASCII)
SECRET = "{secret}"  # noqa: S105 - in the address of a page, what stands in a file takes its place
HOST_AND_PORT = re.compile(r"(?:[^:/]*|\[[^]]*\]):(\d+)", re.ASCII)


def _is_address(text: str) -> bool:
    """Return whether `text` is an IPv4 or IPv6 address; a zone may follow the latter."""
    address, percent, zone = text.partition("%")
    for family in (socket.AF_INET6, *(() if percent else (socket.AF_INET,))):
        with suppress(OSError, ValueError):
            socket.inet_pton(family, address)
            return zone.isalnum() or not percent
    return False


def a_host(text: str) -> None:
    """Raise ValueError, saying what is allowed, if `text` is not a host's name or address and nothing else."""
    if _is_address(text):
        return
    if ":" in text or "/" in text or not text.isascii():
        found = HOST_AND_PORT.fullmatch(text)
        port = f" (port = {found[1]})" if found else ""
        raise ValueError(f"a host name or address alone, without scheme or port{port}")
    if not HOST_NAME.fullmatch(text):
        raise ValueError("a host name or address: letters, digits and '-', which is neither first nor last")
    if text.rstrip(".").rpartition(".")[2].isdecimal():
        raise ValueError("a host name, or an IPv4 address of four numbers up to 255")


def a_url(text: str) -> None:
    """Raise ValueError, saying what is allowed, if `text` is not the address of a web server."""
    if not _is_on_the_web(text) or "?" in text:
        raise ValueError("http://HOST:PORT or https://HOST, without user and password")


def a_page(text: str) -> None:
    """Raise ValueError, saying what is allowed, if `text` is not the address of a page of a web server."""
    if not _is_on_the_web(text) or SECRET in text.partition("//")[2].partition("/")[0]:
        raise ValueError("the address of a page, such as http://HOST:PORT/PATH?NAME=VALUE, without user and password")


def _is_on_the_web(text: str) -> bool:
    try:
        from urllib.parse import urlsplit  # noqa: PLC0415 - for the few devices that use a web server

        url = urlsplit(text)
        a_host(url.hostname or "")
        good = url.scheme in ("http", "https") and url.port != 0 and "@" not in url.netloc
    except ValueError:
        return False
    return good and "#" not in text and text.isascii() and text.isprintable() and " " not in text


def host_of(url: str) -> str:
    """Return the host of a URL that `a_url` accepts."""
    from urllib.parse import urlsplit  # noqa: PLC0415 - as above

    return urlsplit(url).hostname or ""
