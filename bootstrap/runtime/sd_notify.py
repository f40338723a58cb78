"""Telling systemd how we are (sd_notify(3)): one datagram, no library."""

import os
import socket
import time


def notify(*lines: str) -> None:
    """Send facts such as `READY=1`, each a line, to whoever started us, if it asked.

    A supervisor that went away is not our fault.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # abstract
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as messenger:
        messenger.setblocking(False)
        try:
            messenger.sendto("\n".join(" ".join(line.splitlines()) for line in lines).encode(), address)
        except OSError:
            return


def notify_reloading() -> None:
    """Say that settings are being taken over; READY=1 ends that. The time is for Type=notify-reload, systemd 253."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def watchdog_s() -> float | None:
    """How often systemd wants to hear `WATCHDOG=1` from this process, in seconds, halved to be safe."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    meant = os.environ.get("WATCHDOG_PID", str(os.getpid()))
    if not microseconds.isdecimal() or int(microseconds) == 0 or meant != str(os.getpid()):
        return None
    return int(microseconds) / 2_000_000
