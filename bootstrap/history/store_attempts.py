"""Storing batches, again and again while the store is unavailable, and for how long that blocks the thread."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bootstrap.contract.subscription import OnBatch, ReceivedMessage
from bootstrap.eventloop.backoff import Retry
from bootstrap.logs import log


class StoreUnavailable(OSError):  # noqa: N818 - named like the state
    """The store is unavailable, for at least `wait_s` seconds."""

    def __init__(self, text: str, wait_s: float) -> None:
        super().__init__(text)
        self.wait_s = wait_s


class Blocking:
    """Since when a thread has been blocked by one call, for whoever watches it."""

    def __init__(self) -> None:
        self.since: float | None = None  # monotonic, in seconds

    @contextmanager
    def call(self) -> Iterator[None]:
        """Note that a call begins, and that it ends."""
        self.since = time.monotonic()
        try:
            yield
        finally:
            self.since = None

    def longer_than(self, limit_s: float) -> bool:
        """Return whether the call that blocks the thread, if any, has lasted longer than this."""
        since = self.since
        return since is not None and time.monotonic() - since > limit_s


class StoreAttempts:
    """Stores batches, and knows when to try again after a failure."""

    def __init__(self, on_batch: OnBatch, blocking: Blocking, retry: Retry) -> None:
        self._on_batch, self._blocking, self._retry = on_batch, blocking, retry

    @property
    def wait_s(self) -> float:
        """Seconds until the next attempt; 0 is now."""
        return self._retry.wait_s

    @property
    def failing(self) -> bool:
        """Whether the last attempt failed."""
        return bool(self._retry.due)

    def store(self, batch: Sequence[ReceivedMessage]) -> str | None:
        """Store a batch. Returns why that failed, or None."""
        try:
            with self._blocking.call():
                self._on_batch(batch)
        except OSError as error:
            if not self.failing:
                log.error("the store is unavailable; the broker keeps the messages meanwhile", error=str(error))
            self._retry.failed(error.wait_s if isinstance(error, StoreUnavailable) else 0.0)
            return f"the store is unavailable: {error}"
        if self.failing:
            log.info("the store is available again")
        self._retry.succeeded()
        return None
