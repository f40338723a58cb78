"""The proof that a recorder receives and stores what is published: its own readings."""

from collections.abc import Iterable
from math import inf

from bootstrap.contract.subscription import PublishedReading
from bootstrap.history.points import Point

PROOF_S = 30.0  # from the broker's acknowledgement of a reading until it must be stored
AGAIN_S = 10.0  # until another reading is published because the proof is missing


class Proof:
    """Follows the recorder's own readings from the broker to the store; the thread notes them, the loop checks."""

    def __init__(self, sensor: str, last: PublishedReading) -> None:
        """Follow the readings of this sensor (`group/sensor`) after the `last` one."""
        self._sensor, self._run = sensor, last.run
        self._received = self._stored = 0
        self._wanted = last.seq + 1
        self._since, self._read_at = -inf, -inf
        self._again = True
        self._overdue: str | None = None

    # In the thread of the subscription.

    def receive(self, points: Iterable[Point]) -> None:
        """Note which of our own readings have been received."""
        self._received = max(self._received, self._newest(points))

    def store(self, points: Iterable[Point]) -> None:
        """Note which of our own readings have been stored."""
        self._stored = max(self._stored, self._newest(points))

    def _newest(self, points: Iterable[Point]) -> int:
        own = (one.seq for one in points if one.sensor == self._sensor and one.run == self._run)
        return max(own, default=0)

    # In the loop.

    @property
    def complete(self) -> bool:
        """Whether a reading was stored since the last interruption, and none is overdue."""
        return not self._again and self._overdue is None

    @property
    def trouble(self) -> str | None:
        """Why nothing proves that readings are received and stored; None if all is well, or it is too early to say."""
        return self._overdue

    def interrupt(self, last: PublishedReading) -> None:
        """Demand a new proof, by a reading after the `last` one, which should be published soon."""
        self._wanted, self._again, self._overdue, self._read_at = last.seq + 1, True, None, -inf

    def check(self, last: PublishedReading, now: float, *, catching_up: bool) -> None:
        """Compare what is published with what is stored. `catching_up` means that earlier readings are being stored."""
        if last.run != self._run:  # because the clock was set back
            self._run, self._received, self._stored = last.run, 0, 0
            self.interrupt(last)
        if self._stored >= self._wanted:
            self._wanted, self._since, self._again, self._overdue = last.seq + 1, now, False, None
        elif catching_up or last.unacknowledged is None or last.unacknowledged > last.seq - self._wanted:
            self._since = now
        elif now - self._since > PROOF_S:
            self._overdue = self._why()

    def wants_reading(self, now: float) -> bool:
        """Return whether to publish another reading at once, because the proof is missing."""
        wanted = not self.complete and now - self._read_at >= AGAIN_S
        if wanted:
            self._read_at = now
        return wanted

    def _why(self) -> str:
        if self._received >= self._wanted:
            return f"its own reading is not stored {PROOF_S:g} s after the broker had it: the store does not answer"
        return (
            f"its own reading has not come back {PROOF_S:g} s after the broker had it: "
            f"it may not read {self._sensor}/data/reading, or the store does not answer"
        )
