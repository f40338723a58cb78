"""What the owner of a garage door, a gate, a shutter or an awning says of it, and what does not go together."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

from bootstrap.config.toml_file import Wrong
from bootstrap.covers.travel import CLOSING, OPENING, Travel
from bootstrap.device import Device, Seconds
from bootstrap.limits import Limits
from bootstrap.needs import Input, Output

DOORS = ("sectional", "one-piece", "swinging", "gate")
SHOWN_AS = {"gate": "gate", "shutter": "shutter", "awning": "awning"}  # in Home Assistant; the others are a garage's
LEAST_WARN_S = 5.0  # of light and sound before an unattended closing: 16 CFR 1211.14 (c)
UNATTENDED = "sectional"  # the type that may be closed unattended: 16 CFR 1211.14 (a)


@dataclass(kw_only=True)
class CoverSettings(Device):
    """The lines of a cover, its times, and who may close it."""

    # What it is, such as "sectional": a door or a gate is closed by whoever sees it; a shutter or an awning by anybody.
    type: Literal["sectional", "one-piece", "swinging", "gate", "shutter", "awning"]
    opens: Output | None = None  # the line of the relay whose motor opens it, such as 17
    closes: Output | None = None  # the line of the relay whose motor closes it, such as 27
    button: Output | None = None  # or, in place of both, of the relay beside an opener's one push button
    pulse_s: Annotated[float, Limits(0.05, 5)] = 0.5  # seconds for which that button is pressed
    active_high: bool = True  # false for relay boards that switch on at 0
    dead_s: Annotated[float, Limits(0.2, 30)] = 1.0  # seconds for which both relays are off before one goes on
    closed_contact: Input | None = None  # the line of the contact that closes when it is closed
    open_contact: Input | None = None  # the line of the contact that closes when it is open
    bounce_s: Seconds = 0.05  # seconds a contact must be stable before a change counts; an obstruction counts at once
    opening_s: Annotated[float, Limits(1, 600)] | None = None  # seconds from closed to open: then it has positions
    closing_s: Annotated[float, Limits(1, 600)] | None = None  # seconds from open to closed, if they are others
    longest_s: Annotated[float, Limits(1, 900)] = 60.0  # seconds after which its motor is off, whatever was told
    leave_s: Annotated[float, Limits(0.1, 60)] = 5.0  # seconds within which it must have left the end where it was
    obstruction: Input | None = None  # the line of a light barrier or a safety edge
    obstructed_when: Literal["open", "closed"] = "open"  # that contact; so that a broken wire is an obstruction
    local: Input | None = None  # the line of a push button beside it: open, stop, close, stop
    remote_close: bool = False  # whether a command may close a door or a gate that nobody sees
    warning: Output | None = None  # the line of a relay with light and sound, which warn before that
    warn_s: Annotated[float, Limits(0, 120)] = LEAST_WARN_S  # seconds for which they warn before it moves
    stops_itself: bool = False  # whether you have seen its motor stop, or turn back, at an obstacle by itself

    must_end: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check what no single setting tells; have those words and measures alone that it can carry out."""
        if wrong := dict(self._wrong()):
            raise Wrong(wrong)
        act, words = type(self).commands["set"], self._words()
        low, high = (act.low, act.high) if self.has_positions and "close" in words else (-math.inf, math.inf)
        once = tuple(word for word in words if word in act.once and self.is_door)  # what lets in, or may hurt
        taken = replace(act, words=words, once=once, low=low, high=high)
        self.commands = {**type(self).commands, "set": taken}  # type: ignore[misc]
        self.shown_as = {**type(self).shown_as, "state": SHOWN_AS.get(self.type, "garage")}  # type: ignore[misc]
        lacks = {name for name, there in self._optional().items() if not there}
        self.measures = {name: one for name, one in type(self).measures.items() if name not in lacks}  # type: ignore[misc]

    @property
    def is_door(self) -> bool:
        """Whether somebody can be under it, or between its leaves."""
        return self.type in DOORS

    @property
    def has_positions(self) -> bool:
        """Whether the time of a whole way is known."""
        return self.button is None and (self.opening_s or self.closing_s) is not None

    def travel(self) -> Travel:
        """Return a way that nobody has been on."""
        return Travel(self.opening_s, self.closing_s, self.longest_s)

    def _words(self) -> tuple[str, ...]:
        if self.button is not None:
            return ("press",)
        return ("open", "close", "stop") if self.remote_close or not self.is_door else ("open", "stop")

    def _optional(self) -> dict[str, bool]:
        """Return which measures there are."""
        return {
            "position": self.has_positions,
            "obstructed": self.obstruction is not None,
            "warning_on": self.warning is not None,
            "needs_person": self.remote_close,
        }

    def _wrong(self) -> Iterator[tuple[str, str]]:
        """Yield settings that do not go together, each with what is wrong."""
        if self.button is None and None in (self.opens, self.closes):
            what = "'opens' and 'closes' are the lines of two relays; for an opener with one push button set 'button'"
            yield "closes" if self.closes is None else "opens", what
        if self.button is not None:
            if (self.opens, self.closes) != (None, None):
                yield "button", "'button' is in place of 'opens' and 'closes'"
            if self.closed_contact is None:
                yield "button", "'button' also needs 'closed_contact', or nobody knows whether a push closes it"
            if (self.opening_s, self.closing_s) != (None, None):
                name = "opening_s" if self.opening_s is not None else "closing_s"
                yield name, f"{name!r} is for two relays: with one push button it has no positions"
        whole_s = max(self.travel().whole_s(way) for way in (OPENING, CLOSING))
        if whole_s > self.longest_s:
            yield "longest_s", f"'longest_s' must be at least {whole_s:g}: the longer way, with a tenth and 0.5 s more"
        if self.remote_close and (missing := [*self._missing()]):
            yield "remote_close", f"'remote_close' also needs {'; '.join(missing)}"

    def _missing(self) -> Iterator[str]:
        """Yield what an unattended closing lacks."""
        if not self.is_door:
            yield f'a door: a command may close a type = "{self.type}" as it is'
            return
        if self.type != UNATTENDED:
            yield f'type = "{UNATTENDED}": others must not close unattended'
        if self.closed_contact is None:
            yield "'closed_contact'"
        if self.warning is None:
            yield "'warning', the line of light and sound"
        if self.warn_s < LEAST_WARN_S:
            yield f"'warn_s' of at least {LEAST_WARN_S:g}"
        if not self.stops_itself:
            yield "'stops_itself', once you have seen that its motor stops, or turns back, at an obstacle by itself"
