"""The contacts at the two ends of a cover's way: where they say it is, and when they cannot be true."""

import time
from typing import Any

from bootstrap.chatter import CHATTER, CHATTER_S, Chatter
from bootstrap.contact import contact_to_ground
from bootstrap.covers.settings import CoverSettings
from bootstrap.covers.travel import CLOSING, ENDS, OPENING
from bootstrap.errors import Refused

OPEN, CLOSED = "open", "closed"
TOWARDS = {OPENING: OPEN, CLOSING: CLOSED}
AWAY = {OPENING: CLOSED, CLOSING: OPEN}
POSITIONS = {TOWARDS[way]: at for way, at in ENDS.items()}
BOTH = "the contacts of both ends are closed at once: one is stuck, or its wires touch"


class Ends:
    """The contacts that a cover has: both, one or none."""

    def __init__(self, cover: CoverSettings) -> None:
        lines = {OPEN: cover.open_contact, CLOSED: cover.closed_contact}
        contacts = {
            end: cover.watch(contact_to_ground(line, cover.bounce_s)) for end, line in lines.items() if line is not None
        }
        self._contacts: dict[str, Any] = contacts
        self._chatter = {end: Chatter() for end in contacts}
        self._doubt = cover.keep("doubt", "")

    def has(self, end: str) -> bool:
        """Return whether there is a contact at this end."""
        return end in self._contacts

    def at(self, end: str) -> bool:
        """Return whether a contact says that it is there."""
        return end in self._contacts and bool(self._contacts[end].is_active)

    def of(self, source: object) -> str | None:
        """Return the end whose contact this is."""
        return next((end for end, contact in self._contacts.items() if contact is source), None)

    @property
    def position(self) -> float | None:
        """The position that a contact tells, in per cent; None if none does, or both."""
        told = [POSITIONS[end] for end in POSITIONS if self.at(end)]
        return told[0] if len(told) == 1 else None

    @property
    def closed(self) -> bool:
        """Whether it is closed for certain."""
        return self.position == POSITIONS[CLOSED] and self.problem is None

    @property
    def at_both(self) -> bool:
        """Whether it is at both ends at once, which cannot be."""
        return self.at(OPEN) and self.at(CLOSED)

    @property
    def problem(self) -> str | None:
        """Why the contacts cannot be true; None if they can."""
        return BOTH if self.at_both else self._doubt.value or None

    def note_change(self, end: str) -> None:
        """Note that the contact at an end has changed; if that happens too often, do not believe it."""
        self._chatter[end].note(time.monotonic())
        if self.chatters(end):
            self.doubt(f"the contact of the {end} end has changed {CHATTER} times within {CHATTER_S:g} s: it is loose")

    def chatters(self, end: str) -> bool:
        """Return whether the contact at an end changes too often."""
        return self._chatter[end].lasts(time.monotonic())

    def doubt(self, why: str | None) -> None:
        """Do not believe the contacts, not after a restart either, until one of them changes as it should."""
        if why is None and any(self.chatters(end) for end in self._chatter):
            return
        if (why or "") != self._doubt.value:
            self._doubt.value = why or ""

    def begin(self) -> None:
        """Believe the contacts again, because it is about to be driven: they will tell."""
        self._chatter = {end: Chatter() for end in self._contacts}
        self.doubt(None)

    def require_one(self) -> None:
        """Do nothing unless it is at both ends at once.

        Raises:
            Refused: it is, so nobody would see where its motor takes it.
        """
        if self.at_both:
            raise Refused(BOTH)

    def rest(self, position: float | None) -> str:
        """Return what a cover is that does not move, and is at this position by time."""
        for end, at in POSITIONS.items():
            if self.at(end) or (position == at and not self.has(end)):
                return end
        if position is not None or (self.has(OPEN) and self.has(CLOSED)):
            return "stopped"
        return OPEN if self.has(CLOSED) else "unknown"
