"""Whether something is here that is not always seen: it is absent only after a while."""

import time
from collections.abc import Callable


class LastSeen:
    """Remembers when something was seen last."""

    def __init__(self, absent_s: float, now: Callable[[], float] = time.monotonic) -> None:
        """Take it for absent once it was not seen for so many seconds."""
        self._absent_s, self._now, self._since = absent_s, now, now()
        self.present: bool | None = None  # None: not known yet

    def note_blindness(self) -> None:
        """Note that nobody could look: that time is none of absence."""
        self._since = self._now()

    def note(self, *, seen: bool) -> bool | None:
        """Note whether it is seen now, and return whether it is here; None as long as nobody can know."""
        now = self._now()
        if seen:
            self._since, self.present = now, True
        elif now - self._since >= self._absent_s:
            self.present = False
        return self.present
