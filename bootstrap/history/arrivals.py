"""When messages have arrived, as far as the clock can be trusted."""

from bootstrap.contract.subscription import ReceivedMessage
from bootstrap.contract.timestamps import ArrivalClock
from bootstrap.history.deliveries import Waiting
from bootstrap.logs import log
from bootstrap.mqtt.packets import Publish


class Arrivals:
    """Stamps messages as they arrive, and corrects that once the clock is set."""

    def __init__(self, known: float) -> None:
        """Trust no clock that is earlier than `known`, in seconds since 1970."""
        self._clock = ArrivalClock(known)
        self._held = False

    def stamped(self, message: Publish) -> ReceivedMessage:
        """Return a message with the time at which it has arrived: now."""
        at_us, boot_us = self._clock.stamp()
        return ReceivedMessage(message.topic, message.payload, message.retained, at_us, boot_us=boot_us)

    def hold_s(self) -> float:
        """Return for how many seconds messages should wait until their times are known."""
        return self._clock.hold_s()

    def must_hold(self) -> bool:
        """Return whether the times of what has arrived may soon be known. Logs it once each time."""
        held = self._clock.hold_s() > 0
        if held and not self._held:
            log.warning("the clock is not set; what is received waits until it is, or for ten minutes")
        self._held = held
        return held

    def settled(self, one: Waiting) -> Waiting:
        """Return a message with the time at which it arrived."""
        packet_id, received = one
        if received.boot_us is None:
            return one
        at_us, unsure = self._clock.settle(received.boot_us)
        return packet_id, received._replace(at_us=at_us, unsure=unsure, boot_us=None)
