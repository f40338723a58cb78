"""What goes to the broker, and what the broker may say to it."""

from dataclasses import dataclass
from enum import Enum, auto


@dataclass(slots=True, frozen=True)
class Message:
    """What is published at QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False


class Verdict(Enum):
    """What an acknowledgement means."""

    DELIVERED = auto()
    NOBODY = auto()  # was there to hear it
    DENIED = auto()  # to us, for now: somebody may change that
    BAD = auto()  # for ever, as it is
    LATER = auto()  # the broker cannot, for now
    FULL = auto()  # the broker cannot, for now, whatever the message


# PUBACK reasons (MQTT 5, 3.4.2.1). What is not here and above 0x7F passes, or is given up after some tries.
VERDICTS = {0x10: Verdict.NOBODY, 0x87: Verdict.DENIED, 0x90: Verdict.BAD, 0x97: Verdict.FULL, 0x99: Verdict.BAD}
REFUSED_FOR_NOW = frozenset({Verdict.DENIED, Verdict.LATER, Verdict.FULL})
FAILURE = 0x80  # reason codes from here up are failures


def verdict(code: int) -> Verdict:
    """Of a PUBACK's reason code; 0x80 and above is never delivery."""
    return VERDICTS.get(code, Verdict.LATER if code >= FAILURE else Verdict.DELIVERED)
