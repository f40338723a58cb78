"""What a subscriber is handed: messages as they arrived, a batch at a time."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias


class ReceivedMessage(NamedTuple):
    """A message as it arrived; `retained` if the broker had kept it, so that it is no news.

    `at_us` is when it arrived, in microseconds since 1970, later than any message before it. It is the same however
    often the message is stored, even if it comes again on the next connection because our acknowledgement was lost.
    """

    topic: str
    payload: bytes
    retained: bool
    at_us: int = 0


OnBatch: TypeAlias = Callable[[Sequence[ReceivedMessage]], None]  # stores them all, or raises OSError


class SubscriptionHandle(Protocol):
    """A subscription that runs, as the device that began it sees it."""

    @property
    def trouble(self) -> str | None:
        """That the broker or the store is away, and why; None if all is well."""

    def progress(self) -> dict[str, float | None]:
        """Return what a heartbeat says of it."""
