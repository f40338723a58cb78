"""Which kind reads which chip, and what each must publish for what the chip holds."""

from dataclasses import dataclass, field

Values = dict[str, float]


@dataclass(frozen=True)
class Held:
    """What a chip measures, and what has to be published for it; nothing for a measure that has to be refused."""

    arguments: tuple[float, ...]  # of the chip's `hold`
    published: Values


@dataclass(frozen=True, kw_only=True)
class Case:
    """A part, read by a kind."""

    part: str
    kind: str
    good: Held
    edges: tuple[Held, ...] = ()  # of the data sheet's range; all of it is published
    refused: tuple[Held, ...] = ()  # beyond it
    settings: str = ""  # more lines of the device's file
    near: Values = field(default_factory=dict)  # how far a published value may be from the one promised
    one_transfer: bool = False  # a read is one transfer on the bus, within which nothing can be unplugged
    checksum: bool = False  # the driver checks one
    sleeps_for_ever: bool = False  # after an unplug its driver answers again only when it is bound anew


NEAR: Values = {"temperature": 0.05, "humidity": 0.1, "pressure": 0.1, "illuminance": 1.0, "voltage": 0.005}


def climate(temperature: float, humidity: float) -> Held:
    return Held((temperature, humidity), {"temperature": temperature, "humidity": humidity})


def dry(temperature: float) -> Held:
    """What a thermometer holds."""
    return Held((temperature,), {"temperature": temperature})


def weather(temperature: float, pressure: float, humidity: float) -> Held:
    published = {"temperature": temperature, "pressure": pressure, "humidity": humidity}
    return Held((temperature, pressure, humidity), published)


def light(illuminance: float) -> Held:
    return Held((illuminance,), {"illuminance": illuminance})


GOOD = climate(21.5, 45.0)
FROST = climate(-12.3, 5.0)
JUST_BELOW_ZERO = climate(-0.5, 99.0)

CASES = (
    Case(
        part="BME280",
        kind="climate",
        good=weather(21.5, 1013.25, 45.0),
        edges=(weather(-40.0, 300.0, 0.0), weather(85.0, 1100.0, 99.9), weather(-0.5, 990.0, 50.0)),
        refused=(Held((95.0, 1013.25, 45.0), {"pressure": 1013.25, "humidity": 45.0}),),
    ),
)
