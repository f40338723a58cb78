"""The base class of fans: a speed, by command or by a temperature; what it is when nobody cares; perhaps a tacho."""

import math
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from bootstrap.config.toml_file import Wrong
from bootstrap.contract.commands import number, seconds
from bootstrap.contract.heard import Heard, Silence, sender_of
from bootstrap.contract.payload import Json
from bootstrap.contract.topic_filters import WILD
from bootstrap.device import Measure, Reading, Seconds, takes
from bootstrap.errors import Refused
from bootstrap.limits import Limits
from bootstrap.needs import Input, TopicFilter
from bootstrap.plain_lines.fan_curve import FULL, FanCurve
from bootstrap.plain_lines.modulated_line import ModulatedLine
from bootstrap.plain_lines.tacho import Tacho

MANUAL, FOLLOWING, SAFE = MODES = ("manual", "following", "safe")
AUTO = "auto"
BACK = "back"  # the name of a timer
COLDEST_C = -90.0  # °C; it is nowhere colder, and a sensor that is not connected often says -127


def a_temperature(heard: Heard) -> float:
    """Return the temperature in a message. Refused: it is none."""
    if isinstance(heard.value, bool) or not COLDEST_C <= heard.number < math.inf:
        raise Refused(f"{heard.topic}: {heard.value!a} is no temperature")
    return heard.number


@dataclass(kw_only=True)
class FanLine(ModulatedLine):
    """A line that gives a fan its speed. It rests at full speed, if its owner does not say otherwise."""

    # when the sensor starts and stops, and while nobody knows the temperature that it follows: it is stale, its sender
    # lost, the broker away; what cools something must not stop
    safe: Literal["full", "off"] = "full"
    lowest: Annotated[float, Limits(0, 100)] = 0.0  # per cent below which it would not turn, such as 20: less is off
    follows: TopicFilter | None = None  # a temperature that sets its speed, such as "home/cellar/data/temperature"
    # seconds after which that no longer counts, such as 600; of a measure of penates 3 times its `every_s`, unless set
    stale_s: Seconds | None = None
    starts_c: float = 30.0  # °C at which it starts, at its lowest speed
    full_c: float = 60.0  # °C from which on it runs at full speed, in proportion between
    hysteresis_c: Annotated[float, Limits(0, 100)] = 2.0  # °C below `starts_c` at which it stops again
    manual_s: Seconds = 3600.0  # seconds for which a command counts before it follows again; 0 until `auto` comes
    tacho: Input | None = None  # the line of its tacho, such as 27, if it has one
    pulses: Annotated[int, Limits(1, 12)] = 2  # of the tacho in one turn

    rpm = Measure("rpm", low=0, high=30_000)
    mode = Measure(str, words=MODES)  # why it runs as it does

    def __post_init__(self) -> None:
        """Check what no single setting tells."""
        super().__post_init__()
        if not self.starts_c < self.full_c:
            raise Wrong({"full_c": f"'full_c' must be above 'starts_c', which is {self.starts_c:g}"})
        if self.follows is not None and WILD & {*self.follows}:
            raise Wrong({"follows": "'follows' must be one topic, without + and #"})
        if self.follows is not None and self.stale_s is None and sender_of(self.follows) is None:
            raise Wrong({"stale_s": "'stale_s' must be set: nobody else tells when this topic has no news"})
        if self.follows is None:
            act = type(self).commands["set"]
            taken = replace(act, words=tuple(word for word in act.words if word != AUTO))
            self.commands = {**type(self).commands, "set": taken}  # type: ignore[misc]

    @property
    def rests_at(self) -> float:
        """At how many per cent it is while nobody says otherwise."""
        return FULL if self.safe == "full" else 0.0

    def setup(self) -> None:
        """Own the line, count the tacho's pulses, and listen to the temperature."""
        self.curve = FanCurve(self.starts_c, self.full_c, self.hysteresis_c, self.lowest)
        self.celsius: float | None = None  # while it counts
        self.wrong: Refused | None = None  # what came in place of a temperature
        self.why = SAFE
        self.told: Reading = {}
        super().setup()
        self.turning = Tacho(self, self.tacho, self.pulses)
        if self.follows is not None:
            self.listen(self.follows, self.on_temperature, self.on_silence, self.stale_s)

    @takes("on", "off", AUTO, sets="level", unit="%", low=0, high=100, keys=("level", "for_s"), control="fan")
    def act_set(self, value: Json) -> Reading:
        """Accept `on` (full speed), `off`, per cent, `{"level": 40, "for_s": 600}`, or, to follow again, `auto`."""
        for_s = seconds(value.pop("for_s", None)) if isinstance(value, dict) else None
        if value in (AUTO, {"level": AUTO}):
            return self.resume()
        level = number(value, "level", {"on": FULL, "off": 0.0})
        self.cancel(BACK)
        if for_s := for_s or (self.manual_s if self.follows is not None else None):
            self.after(for_s, self.resume, name=BACK)
        return self.run(level, MANUAL)

    def resume(self) -> Reading:
        """Follow again, after a command; without a temperature that is the safe speed."""
        self.cancel(BACK)
        return self.follow()

    def follow(self) -> Reading:
        """Run as the temperature wants it, or at the safe speed if nobody knows that."""
        if self.celsius is None:
            return self.run(self.rests_at, SAFE)
        return self.run(self.curve.level(self.celsius, running=self.percent > 0), FOLLOWING)

    def on_temperature(self, heard: Heard) -> Reading | None:
        """Follow what was measured elsewhere. What is stored of a sender that nobody watches may be old."""
        if heard.retained and sender_of(heard.topic) is None:
            return None
        self.celsius = self.wrong = None
        try:
            self.celsius = a_temperature(heard)
        except Refused as why:
            self.wrong = why
        return self.changed()

    def on_silence(self, _silence: Silence) -> Reading | None:
        """Run at the safe speed: the last temperature does not count any more."""
        self.celsius = self.wrong = None
        return self.changed()

    def changed(self) -> Reading | None:
        """Return what has changed by following, if anything; a command still counts."""
        before = self.told
        found = self.shown() if self.why == MANUAL else self.follow()
        return found if found != before else None

    def run(self, level: float, why: str) -> Reading:
        """Set the speed."""
        if not self.percent:
            self.turning.begin()
        self.set_level(level if level >= self.lowest else 0.0)
        self.why = why
        return self.shown()

    def shown(self) -> Reading:
        """Return the speed and why that is so; or, in place of that, what is wrong with the temperature."""
        self.told = {"level": self.percent, "mode": self.wrong or self.why}
        return self.told

    def read(self) -> Reading:
        """Return how much of the time it has power, why, and how fast it turns."""
        return {**super().read(), **self.shown(), **self.turning.reading(driven=self.percent > 0)}
