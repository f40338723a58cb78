"""A dimmer."""

from dataclasses import dataclass
from typing import ClassVar

from bootstrap import Json, Reading, Seconds, seconds, takes
from bootstrap.contract.commands import number
from bootstrap.fade import STEP_S, Fade
from bootstrap.modulated import ModulatedLine
from bootstrap.proof import DRIVEN_LINES


@dataclass(kw_only=True)
class Dimmer(ModulatedLine):
    """An LED, or an LED strip behind a MOSFET. It is dark when the sensor starts and when it stops.

    Wiring: the MOSFET's gate or TRIG to `pin`, its GND to GND; 10 kohm from `pin` to GND, because a line floats when
    its process dies. The strip is between its own supply and the MOSFET's drain, and that supply shares our GND.
    """

    fade_s: Seconds = 0.5  # seconds that a change takes, such as 2 for a soft one; 0 for at once

    parts: ClassVar = dict.fromkeys(("IRLZ44N", "IRF520", "LR7843", "LED strip", "KY-016"), DRIVEN_LINES)

    bright = 100.0  # what `on` means: as bright as it was last

    @takes("on", "off", sets="level", unit="%", low=0, high=100, keys=("level", "fade_s"))
    def act_set(self, value: Json) -> Reading | None:
        """Accept `on` (as bright as last), `off`, per cent, or `{"level": 40, "fade_s": 3}`."""
        fade_s = value.get("fade_s", self.fade_s) if isinstance(value, dict) else self.fade_s
        to = number(value, "level", {"on": self.bright, "off": 0.0})
        self.fade = Fade(self.percent, to, seconds(fade_s or None) or 0.0)
        self.bright = to or self.bright
        return self.step()

    def step(self) -> Reading | None:
        """Go on with a change; report the level at its end."""
        level, last = self.fade.now()
        self.set_level(level)
        if last:
            self.cancel("fade")
            return self.read()
        self.after(STEP_S, self.step, name="fade")
        return None
