"""What a Mosquitto says of itself below `$SYS`."""

import re
from typing import NamedTuple, Self

from penates.fleet.probe import MqttProbe

VERSION, DROPPED = "$SYS/broker/version", "$SYS/broker/publish/messages/dropped"
OLDEST = (2, 0)  # Mosquitto that our settings are for


class BrokerFacts(NamedTuple):
    """What a broker says of itself.

    Attributes:
        version: its name and version; empty if it does not say.
        dropped: how many messages it has dropped since its start, because a queue was full.
    """

    version: str
    dropped: int

    @classmethod
    def of(cls, probe: MqttProbe) -> Self:
        """Ask the broker.

        Raises:
            Silent: it does not answer.
        """
        held = probe.retained([VERSION, DROPPED])
        dropped = held.get(DROPPED, b"")  # until the first one it may not be there
        return cls(held.get(VERSION, b"").decode(errors="replace"), int(dropped) if dropped.isdigit() else 0)

    @property
    def too_old(self) -> bool:
        """Whether it is a Mosquitto that does not know all of our settings."""
        found = re.search(r"mosquitto version (\d+)\.(\d+)", self.version)
        return found is not None and (int(found[1]), int(found[2])) < OLDEST
