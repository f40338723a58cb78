"""Whether the far site's state reaches our broker: what the bridge's notification says, and whether to believe it."""

import time
from collections.abc import Callable

from bootstrap.bridge.far_states import Flow
from bootstrap.contract import timestamps

CONFIRM_S = 2.0  # for a sign that a word which the broker had stored is still true
UP = b"1"


class SiteLink:
    """The link to a far site.

    A broker that was killed restores the notification `1` of a bridge that is gone; nobody corrects it before that
    bridge connects again. So a stored `1` is believed only once something has come over the link.
    """

    def __init__(self, check: Callable[[], None], changed: Callable[[], None], later: Callable[[float], None]) -> None:
        """Call `changed` when `flow` has changed, and `check` to provoke a sign; call `expire` after `later(s)`."""
        self._check, self._changed, self._later = check, changed, later
        self.flow = Flow.DOWN
        self.since = timestamps.now()  # when it went up or down
        self.why = "no bridge has said yet that it is up"
        self.changed_at = time.monotonic()
        self._says_up = False

    def on_word(self, payload: bytes, *, stored: bool) -> None:
        """Note what the notification says. `stored` means that the broker had it, so that it may be old."""
        self._says_up = payload == UP
        if not self._says_up:
            self._set(Flow.DOWN, "the bridge says that it is down" if payload else "the bridge says nothing")
        elif not stored:
            self._set(Flow.UP, "")
        elif self.flow is Flow.DOWN:
            self._verify()

    def on_doubt(self) -> None:
        """Have it checked, because another connection to the far site has broken.

        After a cut that nobody is told of, Mosquitto calls again without saying meanwhile that its bridge is down.
        """
        if self.flow is Flow.UP:
            self._verify()

    def _verify(self) -> None:
        self._set(Flow.UNSURE, "whether it is up is being checked")
        self._later(CONFIRM_S)
        self._check()

    def on_sign(self) -> None:
        """Note that something has just come over the link."""
        if self._says_up:
            self._set(Flow.UP, "")

    def expire(self) -> None:
        """Believe the stored word no longer, if nothing has come over the link."""
        if self.flow is Flow.UNSURE:
            self._set(Flow.DOWN, "the bridge said that it was up, but nothing comes")

    def on_broker_lost(self, why: str) -> None:
        """Note that nobody knows: our own broker is away."""
        self._says_up = False
        self._set(Flow.DOWN, f"our own broker: {why}")

    def _set(self, flow: Flow, why: str) -> None:
        before, self.flow, self.why = self.flow, flow, why
        if before is flow:
            return
        if Flow.UP in (before, flow):
            self.since = timestamps.now()
            self.changed_at = time.monotonic()
        self._changed()
