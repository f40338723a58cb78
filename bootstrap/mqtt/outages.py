"""Outages of the link: what is logged of them, how long to wait after each, and whether there are too many."""

import time

from bootstrap.eventloop.backoff import Backoff
from bootstrap.logs import log

FIRST_RETRY_S, LAST_RETRY_S, JITTER = 0.5, 5.0, 0.3
REFUSED_RETRY_S = 15.0  # longest wait after a refusal: a broker that starts may not know its users yet
STEADY_S = 10.0  # after a connection that lasted this long, the next failure counts as the first
FLAPS = 3  # shorter connections in a row that are reported, and again each time that they have doubled


class Outages:
    """Logs each outage once, and a connection that keeps breaking with its count."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all outages, for another broker."""
        self._backoff = Backoff(FIRST_RETRY_S, LAST_RETRY_S, JITTER)
        self._refused_backoff = Backoff(FIRST_RETRY_S, REFUSED_RETRY_S, JITTER)
        self._logged = False  # whether this outage is
        self._refusal = ""  # as it was last logged
        self._breaks = 0  # of short connections in a row
        self._first_break_at = 0.0
        self._cause, self._known = (
            "",
            False,
        )  # of the last break, and whether the broker has named it

    @property
    def flapping(self) -> str | None:
        """What to report of a connection that keeps breaking; None if it does not."""
        if self._breaks < FLAPS:
            return None
        seconds = time.monotonic() - self._first_break_at
        return f"the connection to the broker broke {self._breaks} times in {seconds:.0f} s: {self._cause}"

    def connected(self, broker: str) -> None:
        """Log that the broker has accepted us, unless the last connection did not last."""
        level = log.debug if self._breaks else log.info
        level("connected", broker=broker)
        self._refusal = ""
        self._refused_backoff.reset()

    def steady(self) -> None:
        """Note that the connection lasts."""
        if self.flapping:
            log.info("the connection lasts again", breaks=self._breaks)
        self._breaks, self._known, self._logged = 0, False, False
        self._backoff.reset()

    def refused(self, why: str, cure: str) -> None:
        """Log why the broker refuses us, once for each reason."""
        if why != self._refusal:
            log.error("the broker refuses us; readings are kept meanwhile", reason=why, cure=cure)
        self._refusal, self._logged = why, True

    def lost(self, why: str, up_s: float | None, cause: str, suspicion: str) -> None:
        """Log an outage. `cause` explains `why`; if it is empty, `suspicion` is reported if there are many.

        `up_s` is how long the connection has lasted, in seconds; None if there was none.
        """
        if up_s is not None and up_s >= STEADY_S:
            self.steady()
        level = log.debug if self._logged else log.warning
        level("no broker; readings are kept meanwhile", reason=why)
        self._logged = True
        if up_s is not None and up_s < STEADY_S:
            self._count(up_s, cause, f"{why}; {suspicion}")

    def _count(self, up_s: float, cause: str, otherwise: str) -> None:
        if not self._breaks:
            self._first_break_at = time.monotonic() - up_s
        self._breaks += 1
        if cause or not self._known:  # a connection that ends while we write may not tell the cause
            self._cause, self._known = cause or otherwise, bool(cause)
        doublings, rest = divmod(self._breaks, FLAPS)
        if not rest and doublings & (doublings - 1) == 0:
            seconds = round(time.monotonic() - self._first_break_at, 1)
            log.warning("the connection keeps breaking", breaks=self._breaks, in_s=seconds, cause=self._cause)

    def explained(self) -> None:
        """Note that the cause was found and is avoided, so the next attempt is a first one."""
        self._backoff.reset()

    def retry_s(self, already_s: float, *, refused: bool) -> float:
        """Return how long to wait for the next attempt, in seconds; the last one took `already_s`."""
        return (self._refused_backoff if refused else self._backoff).advance(already_s)
