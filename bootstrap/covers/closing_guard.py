"""What keeps a cover from closing: an obstruction, and a last closing that nobody knows the end of."""

from typing import Any

from gpiozero import DigitalInputDevice, DigitalOutputDevice

from bootstrap.covers.ends import Ends
from bootstrap.covers.settings import CoverSettings
from bootstrap.errors import Refused

OBSTRUCTED = "it is obstructed; take away what is in its way"
NEEDS_PERSON = (
    "the last closing, or the last run of this sensor, did not end in order; somebody who sees it must close it once, "
    "by its button or by hand"
)


class ClosingGuard:
    """Knows whether a cover may be closed, and warns before it is, where nobody sees it.

    What is kept is the worst, until the sensor ends in order: so it is after a crash, a kill and a power cut, too.
    """

    def __init__(self, cover: CoverSettings, ends: Ends) -> None:
        self._cover, self._ends = cover, ends
        self._obstruction: Any = None
        self._warning: Any = None
        if cover.obstruction is not None:
            by = DigitalInputDevice(cover.obstruction, pull_up=True, bounce_time=cover.bounce_s or None)
            self._obstruction = cover.watch(by)
        if cover.warning is not None:
            self._warning = cover.own(DigitalOutputDevice(cover.warning, active_high=cover.active_high))
        self._kept = cover.keep("unfinished", default=False)
        self.needs_person = self._kept.value and self._applies
        self.on_end()
        if cover.remote_close:
            self._kept.value = True

    @property
    def _applies(self) -> bool:
        return self._cover.remote_close

    @property
    def obstructed(self) -> bool:
        """Whether something is in its way."""
        if self._obstruction is None:
            return False
        return bool(self._obstruction.is_active) == (self._cover.obstructed_when == "closed")

    @property
    def warns(self) -> bool:
        """Whether light and sound are on."""
        return self._warning is not None and bool(self._warning.is_active)

    def is_obstruction(self, source: object) -> bool:
        """Return whether this is the contact that tells an obstruction."""
        return self._obstruction is not None and source is self._obstruction

    def require(self, *, attended: bool) -> None:
        """Do nothing if it may close now.

        Raises:
            Refused: it may not.
        """
        if self.obstructed:
            raise Refused(OBSTRUCTED)
        if self._cover.is_door and not attended:
            if not self._cover.remote_close:
                raise Refused("only somebody who sees it may close it: see 'remote_close'")
            if self.needs_person:
                raise Refused(NEEDS_PERSON)

    def warn(self, *, attended: bool) -> float:
        """Switch light and sound on if nobody sees it. Return for how many seconds they must warn."""
        if attended or self._warning is None:
            return 0.0
        self._warning.on()
        return self._cover.warn_s

    def end_warning(self) -> None:
        """Switch light and sound off."""
        if self._warning is not None:
            self._warning.off()

    def failed(self) -> None:
        """Take note that it did not come to be closed."""
        self.needs_person = self._applies and not self._ends.closed

    def on_end(self) -> None:
        """Take note of what the contact at the closed end says."""
        if self._ends.closed:
            self.needs_person = False

    def keep(self) -> None:
        """Keep whether somebody is needed: the sensor ends in order."""
        self._kept.value = self.needs_person
