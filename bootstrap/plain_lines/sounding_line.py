"""The base class of buzzers, and their patterns: `.` is a short tone, `-` a long one, and a space is a pause."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from gpiozero import DigitalOutputDevice

from bootstrap.contract.payload import Json
from bootstrap.device import Device, Measure, Reading, Seconds, takes
from bootstrap.errors import Refused
from bootstrap.limits import Limits
from bootstrap.needs import Output

LONG = 3  # times as long as a short one
MOST_SIGNS, MOST_TIMES = 100, 100
SIGNS = {".": 1, "-": LONG}
NEXT, LONGEST = "next", "longest"  # names of timers


def pattern_of(text: object, times: object) -> str:
    """Return a pattern as often as it is wanted.

    Raises:
        Refused: it is none; the message says what one is.
    """
    if not isinstance(text, str) or not 0 < len(text) <= MOST_SIGNS or {*text} - {*SIGNS, " "}:
        raise Refused(f'send a pattern such as "..-": `.` short, `-` long, space a pause, at most {MOST_SIGNS} signs')
    if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= MOST_TIMES:
        raise Refused(f"'times' must be a whole number from 1 to {MOST_TIMES}")
    return " ".join([text] * times)


def tones(pattern: str, short_s: float) -> Iterator[tuple[bool, float]]:
    """Yield whether it sounds, and for how many seconds; after each tone there is a short silence."""
    for sign in pattern:
        if sign in SIGNS:
            yield True, SIGNS[sign] * short_s
            yield False, short_s
        else:
            yield False, (LONG - 1) * short_s


@dataclass(kw_only=True)
class SoundingLine(Device):
    """A GPIO line that is on while something sounds. It is off when the sensor starts and when it stops."""

    pin: Output
    active_high: bool = True  # false for boards that sound at 0, such as MH-FMD
    short_s: Annotated[float, Limits(0.01, 10)] = 0.1  # seconds of a `.` in a pattern; a `-` is three times as long
    longest_s: Seconds = 60.0  # seconds after which it is silent, whatever it was told

    must_end: ClassVar[bool] = True

    sounding = Measure(bool)

    def setup(self) -> None:
        """Own the line, which is off from the first moment."""
        self.line = self.own(DigitalOutputDevice(self.pin, active_high=self.active_high))
        self.left: Iterator[tuple[bool, float]] = iter(())

    @takes("on", "off", sets="sounding")
    def act_set(self, value: Json) -> Reading:
        """Sound until `off` comes, or `longest_s` has passed."""
        return self.play([(True, self.longest_s)]) if value == "on" else self.stop()

    @takes(keys=("pattern", "times"))
    def act_play(self, value: Json) -> Reading:
        """Sound a pattern such as `..-`, or `{"pattern": "..-", "times": 3}`, in place of what sounds now."""
        given = value if isinstance(value, dict) else {"pattern": value}
        return self.play(tones(pattern_of(given["pattern"], given.get("times", 1)), self.short_s))

    def play(self, wanted: Iterable[tuple[bool, float]]) -> Reading:
        """Begin: each item is whether it sounds, and for how many seconds."""
        self.left = iter(wanted)
        self.after(self.longest_s, self.stop, name=LONGEST)
        return self.next_tone() or self.read()

    def next_tone(self) -> Reading | None:
        """Go on to the next tone or pause; report the end."""
        if (tone := next(self.left, None)) is None:
            return self.stop()
        self.line.value, seconds = tone
        self.after(seconds, self.next_tone, name=NEXT)
        return None

    def stop(self) -> Reading:
        """Be silent."""
        self.cancel(NEXT)
        self.cancel(LONGEST)
        self.line.off()
        return self.read()

    def read(self) -> Reading:
        """Return whether tones are still to come."""
        return {"sounding": self.waits_for(LONGEST)}
