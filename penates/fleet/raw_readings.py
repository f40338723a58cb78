"""What a sensor says before its filters: several readings in a row, from the wire."""

import math
import time
from collections.abc import Iterator
from contextlib import closing

from bootstrap.contract.payload import decode
from bootstrap.contract.topics import Topics
from bootstrap.errors import Exit, Fatal, Refused
from penates.fleet.access import Access
from penates.fleet.client import Connected, Disconnected, FleetClient, MessageReceived, Subscribed

NOW = b"now"
AGAIN_S = 2.0


def raw_readings(access: Access, topics: Topics, measure: str, count: int, wait_s: float) -> list[float]:
    """Return so many values of a measure, which is asked to be read again after each.

    Raises:
        Fatal: they have not come within `wait_s` seconds, or the broker refused us.
    """
    found: list[float] = []
    with closing(FleetClient(access)) as client:
        for value in _values(client, topics, measure, time.monotonic() + wait_s):
            found.append(value)
            if len(found) == count:
                return found
    missing = f"{len(found)} of {count} readings with {measure!r} have come from {topics.client_id} in {wait_s:g} s"
    raise Fatal(Exit.REFUSED, f"{missing}; is it running, and was it reloaded? see penates status")


def _values(client: FleetClient, topics: Topics, measure: str, deadline: float) -> Iterator[float]:
    """Yield the values as they come, until the deadline (monotonic), and ask for the next after each.

    It is asked again if none comes: a jump is believed only at the third reading that agrees.
    """
    ask_at = math.inf
    while (now := time.monotonic()) < deadline:
        if now >= ask_at:
            client.publish(topics.action("read"), NOW)
            ask_at = now + AGAIN_S
        for event in client.events(min(deadline, ask_at) - now):
            match event:
                case Connected():
                    client.subscribe(topics.data(measure))
                case Subscribed():
                    ask_at = now
                case Disconnected(why, refused=True):
                    raise Fatal(Exit.REFUSED, why)
                case MessageReceived(_, payload, retained=False) if (value := _value(payload)) is not None:
                    ask_at = now
                    yield value


def _value(payload: bytes) -> float | None:
    """Return the number in a payload, or None."""
    try:
        found = decode(payload)
    except Refused:
        return None
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
