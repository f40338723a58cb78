"""What goes to the broker, and what the broker may say to it."""

from dataclasses import dataclass
from enum import Enum, auto


@dataclass(slots=True, frozen=True)
class Message:
    """What is published at QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False


class AckOutcome(Enum):
    """What an acknowledgement means."""

    DELIVERED = auto()
    NOBODY = auto()  # was there to hear it
    DENIED = auto()  # to us, for now: somebody may change that
    BAD = auto()  # for ever, as it is
    LATER = auto()  # the broker cannot, for now
    FULL = auto()  # the broker cannot, for now, whatever the message


# PUBACK reasons (MQTT 5, 3.4.2.1). What is not here and above 0x7F passes, or is given up after some tries.
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
    """Of a PUBACK's reason code; 0x80 and above is never delivery."""
    return ACK_OUTCOMES.get(code, AckOutcome.LATER if code >= FAILURE else AckOutcome.DELIVERED)
