"""What a device hears of others, and what it is subscribed to for that."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bootstrap.contract.payload import Json, parse_number
from bootstrap.contract.topics import Kind, is_id
from bootstrap.errors import Refused

SHOWN = 40  # characters of a value in a message
READING = "reading"  # the name, below `data`, of the history
CLEARED = "it was cleared"  # why nothing counts of a topic whose stored message was removed
VOUCHERS = ("state", "about", "heartbeat")  # below a sender's `status`: whether it is alive, and how often it speaks


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of somebody else.

    Attributes:
        topic: the topic.
        payload: as it arrived.
        value: the payload as JSON, or as text if it is none.
        retained: whether the broker had stored it, so that it may be old.
        at_us: when it arrived, in microseconds since 1970.
        time: when it was measured, as the sender says; only a record of the history (`data/reading`) says so.
    """

    topic: str
    payload: bytes
    value: Json
    retained: bool
    at_us: int
    time: str | None = None

    @property
    def number(self) -> float:
        """The value as a number: `true` is 1.

        Raises:
            Refused: it is none; that is a ValueError.
        """
        found: Json = parse_number(self.value) if isinstance(self.value, str) else self.value
        if not isinstance(found, int | float):
            raise Refused(f"{self.topic}: {ascii(self.value)[:SHOWN]} is not a number")
        return float(found)


class Silence(NamedTuple):
    """Nothing that counts comes from a topic, or from any that matches the filter; `why` is for people."""

    topic: str
    why: str


class ListeningHandle(Protocol):
    """One filter that a device listens to."""

    @property
    def last(self) -> Heard | None:
        """The newest message, even if it is too old to count; None before the first."""

    @property
    def value(self) -> Json:
        """The value of the newest message; None before the first."""

    @property
    def age_s(self) -> float | None:
        """The seconds since the newest message arrived, which at the broker may have been stored before that."""

    @property
    def problem(self) -> str | None:
        """Why the newest message does not count; None if it does. With + or # only that nothing can be heard."""

    def forget(self) -> None:
        """Drop the newest message: who has taken from it what it needs saves its memory."""


def sender_of(text: str) -> tuple[str, str] | None:
    """Return sender and measure if a topic, or a filter of single levels, is a measure of penates; None if not.

    `home/cellar/data/temperature` is `home/cellar` and `temperature`; `home/+/data/+` is `home/+` and `+`.
    """
    match text.split("/"):
        case [group, sensor, Kind.DATA, name] if all(one == "+" or is_id(one) for one in (group, sensor, name)):
            return f"{group}/{sensor}", name
    return None


def heard_with(text: str) -> list[str]:
    """Return the filters that are subscribed to by who listens to one: of a measure, its sender's state comes first."""
    found = sender_of(text)
    vouchers = [f"{found[0]}/{Kind.STATUS}/{name}" for name in VOUCHERS] if found else []
    return [*vouchers, text]
