"""What keeps a cover from closing: an obstruction, and a last closing that nobody knows the end of."""

from typing import Any

from gpiozero import DigitalOutputDevice

from bootstrap.contact import contact_to_ground
from bootstrap.covers.ends import Ends
from bootstrap.covers.settings import CoverSettings
from bootstrap.device import Reading
from bootstrap.errors import Refused

FREE = "free"  # the name of a timer
OBSTRUCTED = "it is obstructed; take away what is in its way"
NEEDS_PERSON = (
    "the last closing, or the last run of this sensor, did not end in order; somebody who sees it must close it once, "
    "by its button or by hand"
)


class ClosingGuard:
    """Knows whether a cover may be closed, and warns before it is, where nobody sees it.

    What is kept is the worst, until the sensor ends in order: so it is after a kill and a power cut, too, at the first
    start, and after a kept file that was lost or damaged.
    """

    def __init__(self, cover: CoverSettings, ends: Ends) -> None:
        self._cover, self._ends = cover, ends
        self._obstruction: Any = None
        self._seen = False  # whether it was obstructed, and has not been free for `bounce_s` since
        self._warning: Any = None
        if cover.obstruction is not None:
            self._obstruction = cover.watch(contact_to_ground(cover.obstruction))
        self._seen = self.obstructed
        if cover.warning is not None:
            self._warning = cover.own(DigitalOutputDevice(cover.warning, active_high=cover.active_high))
        self._kept = cover.keep("unfinished", default=True)
        self.needs_person = self._kept.value and cover.remote_close
        self.on_end()
        if cover.remote_close:
            self._kept.value = True

    @property
    def obstructed(self) -> bool:
        """Whether something is in its way."""
        return self._obstruction is not None and (self._seen or self._obstructs(active=self._obstruction.is_active))

    def _obstructs(self, *, active: bool) -> bool:
        """Return whether its contact tells an obstruction when it is closed (`active`), or open."""
        return bool(active) == (self._cover.obstructed_when == "closed")

    @property
    def warns(self) -> bool:
        """Whether light and sound are on."""
        return self._warning is not None and bool(self._warning.is_active)

    def is_obstruction(self, source: object) -> bool:
        """Return whether this is the contact that tells an obstruction."""
        return self._obstruction is not None and source is self._obstruction

    def on_obstruction(self, *, active: bool) -> bool:
        """Take note of a change of that contact. Return whether that is a new obstruction.

        It counts at once, however short it is; that the way is free counts after `bounce_s`, so a contact that chatters
        is an obstruction, and is told once.
        """
        if not self._obstructs(active=active):
            self._cover.after(self._cover.bounce_s, self._free, name=FREE)
            return False
        self._cover.cancel(FREE)
        before, self._seen = self._seen, True
        return not before

    def _free(self) -> Reading:
        self._seen = False
        return self._cover.read()

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
        self.needs_person = self._cover.remote_close and not self._ends.closed

    def on_end(self) -> None:
        """Take note of what the contact at the closed end says."""
        if self._ends.closed:
            self.needs_person = False

    def keep(self) -> None:
        """Keep whether somebody is needed: the sensor ends in order. What nobody asks for now stays as it is."""
        if self._cover.remote_close:
            self._kept.value = self.needs_person
