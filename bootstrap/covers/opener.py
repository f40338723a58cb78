"""A garage door opener or a gate's, of which nothing but its one push button can be reached."""

from gpiozero import DigitalOutputDevice

from bootstrap.contract.payload import Json
from bootstrap.covers.closing_guard import ClosingGuard
from bootstrap.covers.ends import BOTH, CLOSED, Ends
from bootstrap.covers.settings import CoverSettings
from bootstrap.covers.travel import CLOSING, OPENING
from bootstrap.device import Reading
from bootstrap.errors import Refused

BEGIN, RELEASE, LEAVE, END = "begin", "release", "leave", "end"  # names of timers
MAY_CLOSE = "it is not closed, so a push may close it, and nobody sees that: see 'remote_close'"


class Opener:
    """Presses the button. What that does is up to the opener: which way it moves, the contacts tell."""

    def __init__(self, cover: CoverSettings, ends: Ends, guard: ClosingGuard) -> None:
        self._cover, self._ends, self._guard = cover, ends, guard
        self._relay = cover.own(DigitalOutputDevice(cover.button, active_high=cover.active_high))
        self.way: str | None = None
        self._unattended = False  # whether the last push may have closed it while nobody saw it

    @property
    def position(self) -> float | None:
        """Where it is: nobody knows but at its ends."""
        return None

    def command(self, _value: Json) -> None:
        """Press, if that opens it; or after a warning, if it may close unattended. Another one ends the warning."""
        self._ends.require_one()
        if self._relay.is_active or self._cover.waits_for(LEAVE):
            raise Refused("it was pressed a moment ago, and has not moved yet")
        if self._cover.waits_for(BEGIN):
            self._call_off()
        elif self._ends.closed:
            self._press(unattended=False)
        else:
            if self._cover.is_door and not self._cover.remote_close:
                raise Refused(self._ends.problem or MAY_CLOSE)
            self._guard.require(attended=False)
            self._cover.after(self._guard.warn(attended=False), self._begin, name=BEGIN)

    def push(self) -> None:
        """Press, because somebody who sees it has pushed the button beside it."""
        if self._cover.waits_for(BEGIN):
            self._call_off()
        elif not self._relay.is_active:
            self._press(unattended=False)

    def _begin(self) -> Reading:
        self._press(unattended=True)
        return self._cover.read()

    def _press(self, *, unattended: bool) -> None:
        self._relay.on()
        self._cover.after(self._cover.pulse_s, self._release, name=RELEASE)
        if self._ends.at(CLOSED):
            self._cover.after(self._cover.leave_s, self._not_left, name=LEAVE)
        if unattended:
            self._unattended = True
            self._cover.after(self._cover.longest_s, self._rests, name=END)

    def _release(self) -> None:
        self._relay.off()

    def _rests(self) -> Reading:
        """Take note that it must have come to rest by now."""
        self.way = None
        self._end_unattended()
        return self._cover.read()

    def _end_unattended(self) -> None:
        if self._unattended:
            self._unattended = False
            self._guard.failed()
        self._call_off()

    def end(self) -> None:
        """Release the button, and forget what was to begin. What moves cannot be stopped."""
        self._release()
        self._end_unattended()

    def _call_off(self) -> None:
        """Do not press, and end the warning, unless it is also that of a push before, which may be closing it."""
        self._cover.cancel(BEGIN)
        if not self._unattended:
            self._guard.end_warning()

    def _not_left(self) -> Reading | None:
        if not self._ends.at(CLOSED):
            return None
        why = f"the contact of the closed end was still closed {self._cover.leave_s:g} s after a push"
        self._ends.doubt(f"{why}: it is stuck, or the opener does nothing")
        return self._cover.read()

    def on_contact(self, end: str, *, closed: bool) -> None:
        """Take note of where it goes: away from an end, or to one. A push that was to come would do something else."""
        if self._cover.waits_for(BEGIN):
            self._call_off()
        self._cover.cancel(END)
        self._cover.cancel(LEAVE)
        if self._ends.at_both:
            self._ends.doubt(BOTH)
        elif end == CLOSED:
            self._ends.doubt(None)
        self.way = None if closed else OPENING if end == CLOSED else CLOSING
        if closed:
            self._end_unattended()
        else:
            self._cover.after(self._cover.longest_s, self._rests, name=END)

    def on_obstruction(self) -> None:
        """Do not press. Its own motor stops, or turns back, by itself."""
        if self._cover.waits_for(BEGIN):
            self._call_off()
