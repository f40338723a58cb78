"""Another host on the network."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from bootstrap import Device, Host, Limits, Measure, Reading, WayToAsk
from bootstrap.lan.ping import PingQuestions
from bootstrap.proof import REAL_SYSTEM


@dataclass(kw_only=True)
class Ping(Device):
    """Whether a host answers, and how soon: a router, a server, or the way to the internet.

    Wiring: none.
    """

    host: Host  # its name or address, such as "192.168.1.1"
    by: WayToAsk = "icmp"  # how it is asked: by an ICMP echo, or by a TCP connection to a port, such as "tcp:443"
    count: Annotated[int, Limits(1, 5)] = 3  # how often a reading asks
    answer_s: Annotated[float, Limits(0.1, 4)] = 2.0  # seconds after which no answer counts
    pause_s: Annotated[float, Limits(0, 1)] = 0.5  # seconds from one question to the next

    parts: ClassVar = {"ping": REAL_SYSTEM, "ICMP": REAL_SYSTEM, "TCP port": REAL_SYSTEM}
    blocks = True

    reachable = Measure(bool)
    round_trip = Measure("ms", low=0)  # the quickest one; none while the host is not reachable
    loss = Measure("%", low=0, high=100)  # questions without an answer

    def read(self) -> Reading:
        """Return what came back. That nothing does is a value, and no fault."""
        how = PingQuestions(by=self.by, count=self.count, limit_s=self.answer_s, pause_s=self.pause_s)
        return how.ask(self.host)

    def excuses(self, name: str) -> bool:
        """Excuse the round trip, which nobody has made while the host does not answer."""
        return name == "round_trip"
