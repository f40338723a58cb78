"""The base class of rotary encoders: two contacts that close one after the other, and perhaps a push button."""

from dataclasses import dataclass
from typing import Literal

from bootstrap.contact import contact_to_ground
from bootstrap.device import Device, Measure, Reading
from bootstrap.needs import Input
from bootstrap.pins.edge import Edge
from bootstrap.pins.quadrature import Quadrature

GATHER_S = 0.05  # for which edges are gathered: a quick turn is one report
BOUNCE_S = 0.02  # for which the button must be stable
TURNED = "turned"  # the name of a timer, and of a measure


@dataclass(kw_only=True)
class Encoder(Device):
    """A knob that turns without an end. Its contacts pull their lines to GND."""

    clk: Input
    dt: Input
    button: Input | None = None  # the line of its push button, such as 22, if it has one
    edges: Literal[1, 2, 4] = 4  # from one step that one feels to the next

    turned = Measure("1", event=True)  # steps at once, clockwise; below 0 the other way
    position = Measure("1")  # steps since the start
    pressed = Measure(bool)

    def setup(self) -> None:
        """Watch the lines."""
        self.first, self.second = (self.watch(contact_to_ground(line)) for line in (self.clk, self.dt))
        self.turns = Quadrature(self.first.is_active, self.second.is_active, self.edges)
        self.push, self.at = None, 0
        if self.button is not None:
            self.push = self.watch(contact_to_ground(self.button, BOUNCE_S))

    def on_edge(self, edge: Edge) -> Reading | None:
        """Report a press at once, and what was turned a moment later."""
        if edge.source is self.push:
            return {"pressed": edge.active}
        at_ns = getattr(edge.source.pin, "edge_ns", edge.time_ns)  # exact, where the pin tells it
        self.turns.add(at_ns, first=edge.source is self.first, closed=edge.active)
        if not self.waits_for(TURNED):
            self.after(GATHER_S, self.report, name=TURNED)
        return None

    def report(self) -> Reading | None:
        """Report the steps since the last report."""
        steps = self.turns.steps()
        self.at += steps
        return {TURNED: steps, "position": self.at} if steps else None

    def read(self) -> Reading:
        """Return where it is, counted from where it was at the start."""
        return {"position": self.at, **({"pressed": bool(self.push.is_active)} if self.push else {})}
