"""Notifying systemd (sd_notify(3)): one datagram, no library."""

import os
import socket
import time


def notify(*lines: str) -> bool:
    """Send lines such as `READY=1` to the supervisor, if there is one. A supervisor that is gone is ignored.

    Returns False if it is too busy to receive them.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return True
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.setblocking(False)
        try:
            sender.sendto("\n".join(" ".join(line.splitlines()) for line in lines).encode(), address)
        except BlockingIOError:
            return False
        except OSError:
            return True
    return True


def notify_reloading() -> None:
    """Report that a reload has begun; READY=1 ends it. The time is for Type=notify-reload (systemd 253)."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def watchdog_s() -> float | None:
    """Return how often to send `WATCHDOG=1`, in seconds: half of systemd's limit. None if it has no limit for us."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    watched_pid = os.environ.get("WATCHDOG_PID", str(os.getpid()))
    if not microseconds.isdecimal() or int(microseconds) == 0 or watched_pid != str(os.getpid()):
        return None
    return int(microseconds) / 2_000_000
