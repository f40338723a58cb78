"""A message to the broker, and what the broker's acknowledgement of it means."""

from dataclasses import dataclass
from enum import Enum, auto


@dataclass(slots=True, frozen=True)
class Message:
    """A message to be published at QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False


class AckOutcome(Enum):
    """What an acknowledgement means for the message."""

    DELIVERED = auto()
    NOBODY = auto()  # delivered, but nobody is subscribed
    DENIED = auto()  # we may not publish to this topic, until somebody changes that
    BAD = auto()  # the message can never be delivered
    LATER = auto()  # the broker cannot accept this message now
    FULL = auto()  # the broker cannot accept messages now, whatever they are


# PUBACK reason codes (MQTT 5, 3.4.2.1). After any other failure the message is sent again a few times, then given up.
ACK_OUTCOMES = {
    0x10: AckOutcome.NOBODY,
    0x87: AckOutcome.DENIED,
    0x90: AckOutcome.BAD,
    0x97: AckOutcome.FULL,
    0x99: AckOutcome.BAD,
}
REFUSED_FOR_NOW = frozenset({AckOutcome.DENIED, AckOutcome.LATER, AckOutcome.FULL})
FAILURE = 0x80  # reason codes from here up are failures


def ack_outcome(code: int) -> AckOutcome:
    """Return the outcome of a PUBACK by its reason code; 0x80 and above never means delivered."""
    return ACK_OUTCOMES.get(code, AckOutcome.LATER if code >= FAILURE else AckOutcome.DELIVERED)
