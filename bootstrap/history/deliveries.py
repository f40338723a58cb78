"""Recognising what a broker delivers again, so that it keeps the time of its first arrival."""

from collections.abc import Iterable
from itertools import islice
from typing import TypeAlias

from bootstrap.contract.subscription import ReceivedMessage
from bootstrap.mqtt.packets import Publish

REMEMBERED = 1000  # acknowledged messages

Waiting: TypeAlias = tuple[int, ReceivedMessage]  # the packet id to be acknowledged, and the message


class Deliveries:
    """The messages that the broker may deliver again, by packet id."""

    def __init__(self) -> None:
        self._acknowledged: dict[int, ReceivedMessage] = {}  # the last ones, known to the broker or not
        self._earlier: dict[int, ReceivedMessage] = {}  # perhaps unacknowledged on earlier connections

    def first(self, message: Publish, received: ReceivedMessage) -> ReceivedMessage:
        """Return the message as it arrived the first time: a duplicate has its old packet id."""
        if message.duplicate:
            before = self._earlier.pop(message.packet_id, received)
            return before if before[:2] == received[:2] else received
        if message.packet_id:
            self._earlier.clear()  # duplicates come before anything new (MQTT 5, 4.6)
        return received

    def acknowledged(self, batch: Iterable[Waiting]) -> None:
        """Note that these are being acknowledged, which the broker may never learn."""
        for packet_id, received in batch:
            self._acknowledged.pop(packet_id, None)
            self._acknowledged[packet_id] = received
        for packet_id in [*islice(self._acknowledged, max(0, len(self._acknowledged) - REMEMBERED))]:
            del self._acknowledged[packet_id]

    def connection_lost(self, waiting: Iterable[Waiting]) -> None:
        """Expect what was acknowledged last, and what is `waiting`, once more."""
        self._earlier |= self._acknowledged | dict(waiting)
        self._acknowledged = {}
