"""Somebody's phone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from bootstrap import Device, Host, Measure, NoReading, Reading, Seconds
from bootstrap.lan.arp_watch import ArpWatch, a_hardware_address
from bootstrap.lan.last_seen import LastSeen
from bootstrap.lan.phone_watch import PhoneWatch
from bootstrap.proof import REAL_SYSTEM


@dataclass(kw_only=True)
class Presence(Device):
    """Who is at home, by a phone in the WLAN. In the router, give it a fixed address, and in the phone a fixed MAC.

    Wiring: none. A phone that sleeps may not answer for minutes, so it is absent only after `absent_s`.
    """

    host: Host  # the phone's fixed address, such as "192.168.1.23"
    mac: Annotated[str, a_hardware_address] | None = None  # its MAC, such as "a4:83:e7:01:02:03": no other one counts
    absent_s: Seconds = 600.0  # time in seconds without an answer after which it is absent
    root: Path = Path("/")  # the folder that contains the machine's own proc

    parts: ClassVar = {"phone by ARP": REAL_SYSTEM}
    private = True
    blocks = True

    present = Measure(bool)

    def setup(self) -> None:
        """Begin to watch."""
        self.phone = PhoneWatch(ArpWatch(self.host, self.root), self.mac, LastSeen(self.absent_s))

    def read(self) -> Reading:
        """Return whether the phone is here, once that is known."""
        if (present := self.phone.look()) is None:
            raise NoReading
        return {"present": present}

    def excuses(self, name: str) -> bool:  # noqa: ARG002 - it measures one thing
        """Excuse that it is unknown at first: absence takes its time."""
        return self.phone.seen.present is None
