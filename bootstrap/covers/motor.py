"""A cover's motor by two relays: one opens, the other closes, and neither for longer than it may."""

import time
from functools import partial
from typing import Any

from gpiozero import DigitalOutputDevice

from bootstrap.contract.payload import Json
from bootstrap.covers.closing_guard import ClosingGuard
from bootstrap.covers.ends import AWAY, CLOSED, OPEN, POSITIONS, TOWARDS, Ends
from bootstrap.covers.interlock import Interlock
from bootstrap.covers.settings import CoverSettings
from bootstrap.covers.travel import CLOSING, OPENING
from bootstrap.device import Reading
from bootstrap.errors import Refused

GOALS = {"open": POSITIONS[OPEN], "close": POSITIONS[CLOSED]}
OPPOSITE = {OPENING: CLOSING, CLOSING: OPENING}
BEGIN, END, LEAVE, SHOW = "begin", "end", "leave", "show"  # names of timers
SHOW_S = 1.0  # between two positions that are told while it moves


class CoverMotor:
    """Carries out what is told by a command or by the button beside the cover, and ends it in time."""

    def __init__(self, cover: CoverSettings, ends: Ends, guard: ClosingGuard) -> None:
        self._cover, self._ends, self._guard = cover, ends, guard
        relays = {OPENING: self._relay(cover.opens), CLOSING: self._relay(cover.closes)}
        self._interlock = Interlock(relays, cover.dead_s)
        self._travel = cover.travel()
        self._travel.end(ends.position)
        self._goal, self._begun = 0.0, 0.0
        self._next = self._last = ""  # the way that is to begin, and the last one that has begun

    def _relay(self, line: int | None) -> Any:  # noqa: ANN401 - gpiozero has no types
        return self._cover.own(DigitalOutputDevice(line, active_high=self._cover.active_high))

    @property
    def way(self) -> str | None:
        """Which way it moves now; None if it does not."""
        return self._interlock.way

    @property
    def position(self) -> float | None:
        """Where it is, in per cent; None while nobody knows."""
        return self._travel.now

    # What it is told.

    def command(self, value: Json) -> None:
        """Carry out a command: `open`, `close`, `stop`, or a position in per cent."""
        if value == "stop":
            self.halt()
        else:
            self._go(GOALS[value] if isinstance(value, str) else float(value), attended=False)  # type: ignore[arg-type]

    def push(self) -> None:
        """Do what the button beside it means: stop, or else the other way than last."""
        if self.way or self._next:
            self.halt()
            return
        closes = self._ends.at(OPEN) or (not self._ends.at(CLOSED) and self._last == OPENING)
        self._go(POSITIONS[CLOSED if closes else OPEN], attended=True)

    def _go(self, goal: float, *, attended: bool) -> None:
        """Move to a position, after a warning and a dead time, where they are due."""
        self._ends.require_one()
        way = self._way_to(goal)
        if way == CLOSING:
            self._guard.require(attended=attended)
        if way in (None, OPPOSITE.get(self.way or self._next)):
            self.halt()
        self._goal = goal
        if way is None or way == self._next:
            return
        if way == self.way:
            self._end_in_time()
            return
        self._next = way
        warn_s = self._guard.warn(attended=attended) if way == CLOSING else 0.0
        self._cover.after(max(warn_s, self._interlock.wait_s), partial(self._begin, way), name=BEGIN)

    def _way_to(self, goal: float) -> str | None:
        """Return the way to a position; None if it is there."""
        for way, end in TOWARDS.items():
            if goal == POSITIONS[end]:
                return None if self._ends.at(end) else way
        if (now := self._travel.now) is None:
            raise Refused("nobody knows its position yet: open it, or close it, once")
        return None if goal == now else OPENING if goal > now else CLOSING

    # How it moves.

    def _begin(self, way: str) -> Reading:
        if self._ends.at(TOWARDS[way]):  # somebody else has moved it there meanwhile
            self._halt()
            return self._cover.read()
        self._next, self._last, self._begun = "", way, time.monotonic()
        self._ends.begin()
        self._interlock.drive(way)
        self._travel.begin(way)
        self._end_in_time()
        if self._ends.at(AWAY[way]):
            self._cover.after(self._cover.leave_s, partial(self._not_left, way), name=LEAVE)
        return self._show()

    def _end_in_time(self) -> None:
        """Let it be driven until it is there, and for `longest_s` at most from when it began."""
        way = self.way or ""
        left_s = self._begun + self._cover.longest_s - time.monotonic()
        if self._goal in POSITIONS.values() and self._ends.has(TOWARDS[way]):
            self._cover.after(left_s, partial(self._too_long, way), name=END)
        else:
            self._cover.after(min(left_s, self._travel.seconds_to(self._goal, way)), self._arrived, name=END)

    def _show(self) -> Reading:
        """Report where it is, now and again while it moves, if anybody can tell."""
        if self._travel.measures and self.way:
            self._cover.after(SHOW_S, self._show, name=SHOW)
        return self._cover.read()

    def _arrived(self) -> Reading:
        """End a run whose end the time tells."""
        self._halt(self._goal)
        return self._cover.read()

    def _too_long(self, way: str) -> Reading:
        end = TOWARDS[way]
        self._fail(f"the contact of the {end} end did not close within {self._cover.longest_s:g} s")
        return self._cover.read()

    def _not_left(self, way: str) -> Reading | None:
        if not self._ends.at(end := AWAY[way]):
            return None
        why = f"the contact of the {end} end was still closed after {self._cover.leave_s:g} s of {way}"
        self._fail(f"{why}: it is stuck, or the motor does not turn")
        return self._cover.read()

    def _fail(self, why: str) -> None:
        """End a run that did not end as it should."""
        self.halt(in_order=False)
        self._travel.forget()
        self._ends.doubt(why)

    def halt(self, *, in_order: bool = True) -> None:
        """Stop at once, and forget what was to begin."""
        if self.way == CLOSING and not in_order:
            self._guard.failed()
        self._halt()

    def end(self) -> None:
        """Stop, because the sensor does; a closing then did not end as it should."""
        self.halt(in_order=False)

    def _halt(self, at: float | None = None) -> None:
        self._interlock.release()
        told = self._ends.position
        self._travel.end(at if told is None else told)
        self._guard.end_warning()
        self._next = ""
        for timer in (BEGIN, END, LEAVE, SHOW):
            self._cover.cancel(timer)

    # What happens to it.

    def on_contact(self, end: str, *, closed: bool) -> None:
        """Take note that the contact at an end has changed."""
        way = self.way
        if self._ends.at_both or self._ends.chatters(end):
            self.halt(in_order=False)
            self._travel.forget()
        elif way is None:
            self._ends.doubt(None)
            self._rest_at(self._ends.position)
        elif closed and end == TOWARDS[way]:
            self._ends.doubt(None)
            self._halt(POSITIONS[end])
        elif closed:
            self._fail(f"the contact of the {end} end closed while it was {way}: perhaps the relays are exchanged")

    def _rest_at(self, position: float | None) -> None:
        """Take note of where it is when nobody drives it; without a contact that tells, nobody knows."""
        if position is None:
            self._travel.forget()
        else:
            self._travel.end(position)

    def on_obstruction(self) -> None:
        """Stop closing, at once. What opens goes on, because that frees what is caught."""
        if CLOSING in (self.way, self._next):
            self.halt(in_order=False)
