"""The base class of dimmers: a line whose level changes in steps that nobody sees."""

import time
from dataclasses import dataclass

from bootstrap.contract.commands import number, seconds
from bootstrap.contract.payload import Json
from bootstrap.device import Reading, Seconds, takes
from bootstrap.plain_lines.modulated_line import ModulatedLine

STEP_S = 0.02  # between two steps: fifty a second look smooth
FADE = "fade"  # the name of a timer


class Fade:
    """A straight way from one level to another, which begins now."""

    def __init__(self, begin: float, end: float, lasts_s: float) -> None:
        self._begin, self._end, self._lasts_s = begin, end, lasts_s
        self._since = time.monotonic()

    def now(self) -> tuple[float, bool]:
        """Return the level now, and whether it is the last one."""
        passed_s = time.monotonic() - self._since
        if passed_s >= self._lasts_s:
            return self._end, True
        return self._begin + (self._end - self._begin) * passed_s / self._lasts_s, False


@dataclass(kw_only=True)
class FadingLine(ModulatedLine):
    """A line that is dimmed. It is off when the sensor starts and when it stops."""

    fade_s: Seconds = 0.5  # seconds that a change takes, such as 2 for a soft one; 0 for at once

    bright = 100.0  # what `on` means: as bright as it was last

    @takes("on", "off", sets="level", unit="%", low=0, high=100, keys=("level", "fade_s"))
    def act_set(self, value: Json) -> Reading | None:
        """Accept `on` (as bright as last), `off`, per cent, or `{"level": 40, "fade_s": 3}`."""
        told = value.get("fade_s") if isinstance(value, dict) else None
        to = number(value, "level", {"on": self.bright, "off": 0.0})
        self.fade = Fade(self.percent, to, self.fade_s if told is None else _lasts_s(told))
        self.bright = to or self.bright
        return self.step()

    def step(self) -> Reading | None:
        """Go on with a change; report the level at its end."""
        level, last = self.fade.now()
        self.set_level(level)
        if last:
            self.cancel(FADE)
            return self.read()
        self.after(STEP_S, self.step, name=FADE)
        return None


def _lasts_s(told: Json) -> float:
    """Return the seconds of a fade that a command tells; 0 is one at once. Refused: it is no duration."""
    return 0.0 if told == 0 and not isinstance(told, bool) else seconds(told) or 0.0
