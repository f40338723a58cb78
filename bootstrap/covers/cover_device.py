"""The base class of what opens and closes by a motor: garage doors, gates, shutters, awnings."""

from dataclasses import dataclass

from bootstrap.contact import contact_to_ground
from bootstrap.contract.payload import Json
from bootstrap.covers.closing_guard import ClosingGuard
from bootstrap.covers.ends import Ends
from bootstrap.covers.motor import CoverMotor
from bootstrap.covers.opener import Opener
from bootstrap.covers.settings import CoverSettings
from bootstrap.device import Measure, Reading, takes
from bootstrap.errors import Refused
from bootstrap.logs import log
from bootstrap.pins.edge import Edge

PROBLEM = "cover"
POSITION = "position"


@dataclass(kw_only=True)
class CoverDevice(CoverSettings):
    """A motor, its contacts, and what may be done with it. It rests when the sensor starts and when it stops."""

    state = Measure(str, words=("open", "opening", "closed", "closing", "stopped", "unknown"))
    position = Measure("%", low=0, high=100)  # 100 is open; by time, once it was at an end
    obstructed = Measure(bool)
    warning_on = Measure(bool)  # light and sound
    needs_person = Measure(bool)  # to close it once, before a command may do so again

    def setup(self) -> None:
        """Own the relays, which are off from the first moment, and watch the contacts."""
        self.ends = Ends(self)
        self.guard = ClosingGuard(self, self.ends)
        self.mover = (CoverMotor if self.button is None else Opener)(self, self.ends, self.guard)
        self.push_button = None
        if self.local is not None:
            self.push_button = self.watch(contact_to_ground(self.local, self.bounce_s))
        self.forgotten = False

    @takes(
        "open", "close", "stop", "press",
        sets="state", unit="%", low=0, high=100, keys=("state",), once=("open", "close", "press"), control="cover",
    )  # fmt: skip
    def act_set(self, value: Json) -> Reading:
        """Accept `open`, `stop`, and where it may, `close` or a position; of an opener with one button, `press`."""
        self.mover.command(value["state"] if isinstance(value, dict) else value)
        return self.read()

    def on_edge(self, edge: Edge) -> Reading | None:
        """Stop where a contact says so; do what the button beside it means."""
        if edge.source is self.push_button:
            if not edge.active:
                return None
            self.pushed()
        elif self.guard.is_obstruction(edge.source):
            if not self.guard.on_obstruction(active=edge.active):
                return None
            self.mover.on_obstruction()
        elif (end := self.ends.of(edge.source)) is not None:
            self.ends.note_change(end)
            self.mover.on_contact(end, closed=edge.active)
            self.guard.on_end()
        return self.read()

    def pushed(self) -> None:
        """Do what the button beside it means, if that may be now."""
        try:
            self.mover.push()
        except Refused as why:
            log.warning("its button does nothing now", reason=str(why))

    def read(self) -> Reading:
        """Return what it does, and where it is if anybody knows."""
        self.context.set_problem(PROBLEM, self.ends.problem)
        position = self.mover.position
        state = "unknown" if self.ends.problem else self.mover.way or self.ends.rest(position)
        found: dict[str, str | float | bool] = {
            "state": state,
            "obstructed": self.guard.obstructed,
            "warning_on": self.guard.warns,
            "needs_person": self.guard.needs_person,
        }
        if position is not None:
            found[POSITION] = round(position)
        elif not self.forgotten and POSITION in self.measures:
            self.context.clear(POSITION)
        self.forgotten = position is None
        return {name: value for name, value in found.items() if name in self.measures}

    def excuses(self, name: str) -> bool:
        """Excuse a position that nobody knows."""
        return name == POSITION and self.mover.position is None

    def teardown(self) -> None:
        """Stop, and keep whether somebody has to close it."""
        if hasattr(self, "forgotten"):
            self.mover.end()
            self.guard.keep()
