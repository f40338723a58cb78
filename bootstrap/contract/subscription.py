"""What a subscriber receives: messages in the order they arrived, in batches."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias


class ReceivedMessage(NamedTuple):
    """A message as it arrived; `retained` if the broker had stored it, so that it is not new.

    `at_us` is when it arrived, in microseconds since 1970, which is true of no other message; `unsure` if the clock was
    never set since. It stays the same however often the message is stored, even if the message is delivered again
    because our acknowledgement was lost. `boot_us` is not None, and counts from the machine's start, as long as the
    clock cannot be right and the message waits for it.
    """

    topic: str
    payload: bytes
    retained: bool
    at_us: int = 0
    unsure: bool = False
    boot_us: int | None = None


class PublishedReading(NamedTuple):
    """The last reading that a sensor has published.

    Attributes:
        run: as in the reading.
        seq: as in the reading; 0 if there was none in this run.
        unacknowledged: how many messages the broker has not acknowledged; None without a connection.
    """

    run: str
    seq: int
    unacknowledged: int | None


OnBatch: TypeAlias = Callable[[Sequence[ReceivedMessage]], None]  # stores them all, or raises OSError


class SubscriptionHandle(Protocol):
    """A running subscription, as its device sees it."""

    @property
    def trouble(self) -> str | None:
        """Why the broker or the store is unavailable; None if all is well."""

    @property
    def times_subscribed(self) -> int:
        """How often the broker has confirmed the subscription."""

    @property
    def denied(self) -> str | None:
        """Why the broker does not let it say that it records; None if it does, or has not been asked."""

    def announce(self, payload: bytes) -> None:
        """Publish this word, retained, if the connection still is the one that `times_subscribed` counted last."""

    def progress(self) -> dict[str, float | None]:
        """Return the fields that a heartbeat reports about it."""
