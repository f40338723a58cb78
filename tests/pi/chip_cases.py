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
    found_by: str = ""  # the lines by which it finds the chip, unless by its part and place
    near: Values = field(default_factory=dict)  # how far a published value may be from the one promised
    one_transfer: bool = False  # a read is one transfer on the bus, within which nothing can be unplugged
    checked: tuple[str, ...] = ()  # the measures whose checksum the driver checks, of those that the last byte is for
    may_sleep_for_ever: bool = False  # after an unplug its driver may answer again only when it is bound anew


NEAR: Values = {
    "temperature": 0.05,
    "humidity": 0.1,
    "pressure": 0.1,
    "illuminance": 1.0,
    "gas_resistance": 500.0,
    "voltage": 0.005,
    "current": 0.003,
    "power": 0.2,
    "level": 0.1,
    "moisture": 0.1,
    "direction": 0.0,
    "distance": 0.0005,
}


def climate(temperature: float, humidity: float) -> Held:
    return Held((temperature, humidity), {"temperature": temperature, "humidity": humidity})


def dry(temperature: float, held: float | None = None) -> Held:
    """What a thermometer holds: the temperature itself, or volts that stand for it."""
    return Held((temperature if held is None else held,), {"temperature": temperature})


def weather(temperature: float, pressure: float, humidity: float) -> Held:
    published = {"temperature": temperature, "pressure": pressure, "humidity": humidity}
    return Held((temperature, pressure, humidity), published)


def air(temperature: float, pressure: float, humidity: float, gas_resistance: float) -> Held:
    held = weather(temperature, pressure, humidity)
    return Held((*held.arguments, gas_resistance), {**held.published, "gas_resistance": gas_resistance})


def power(voltage: float, current: float) -> Held:
    published = {"voltage": voltage, "current": current, "power": voltage * current}
    return Held((voltage, current), published)


def level(volts: float, full: float) -> Held:
    return Held((volts,), {"voltage": volts, "level": 100 * volts / full})


def light(illuminance: float) -> Held:
    return Held((illuminance,), {"illuminance": illuminance})


def metres(distance: float) -> Held:
    return Held((distance,), {"distance": distance})


GOOD, FROST, FOG = climate(21.5, 45.0), climate(-12.3, 5.0), climate(-0.5, 99.5)
NOT_AIR = Held((128.0, 45.0), {"humidity": 45.0})  # a temperature that only a broken chip has

CASES = (
    Case(
        part="BME280",
        kind="climate",
        good=weather(21.5, 1013.25, 45.0),
        edges=(weather(-40.0, 300.1, 0.0), weather(85.0, 1099.9, 99.9), weather(-0.5, 990.0, 50.0)),
        refused=(Held((95.0, 1013.25, 45.0), {"pressure": 1013.25, "humidity": 45.0}),),
    ),
    Case(
        part="BMP280",
        kind="pressure",
        good=Held((21.5, 1013.25), {"temperature": 21.5, "pressure": 1013.25}),
        edges=(Held((-0.5, 300.1), {"temperature": -0.5, "pressure": 300.1}),),
        refused=(Held((21.5, 1150.0), {"temperature": 21.5}),),
    ),
    Case(
        part="BMP388",
        kind="pressure",
        good=Held((21.5, 1013.25), {"temperature": 21.5, "pressure": 1013.25}),
        edges=(Held((-0.5, 300.1), {"temperature": -0.5, "pressure": 300.1}),),
    ),
    Case(
        part="BME680",
        kind="gas",
        good=air(21.5, 1013.25, 45.0, 125_000.0),
        edges=(air(-0.5, 990.0, 99.0, 100_000.0), air(-12.3, 990.0, 5.0, 200_000.0)),
    ),
    Case(
        part="BMP280",
        kind="climate",
        good=Held((21.5, 1013.25), {"temperature": 21.5, "pressure": 1013.25}),
        edges=(Held((-40.0, 1099.9), {"temperature": -40.0, "pressure": 1099.9}),),
    ),
    Case(
        part="SHT31",
        kind="climate",
        good=GOOD,
        edges=(FROST, FOG, climate(-39.9, 0.0), climate(124.9, 99.9)),
        refused=(NOT_AIR, Held((-45.0, 45.0), {"humidity": 45.0})),
    ),
    Case(
        part="SHT40",
        kind="climate",
        good=GOOD,
        edges=(FROST, FOG, Held((-0.5, 101.5), {"temperature": -0.5, "humidity": 100.0}), climate(124.9, 99.9)),
        refused=(NOT_AIR, Held((21.5, 118.0), {"temperature": 21.5}), Held((21.5, -6.0), {"temperature": 21.5})),
        checked=("temperature", "humidity"),
    ),
    Case(part="SHTC3", kind="climate", good=GOOD, edges=(FROST, FOG, climate(-39.9, 0.0)), refused=(NOT_AIR,)),
    Case(part="SHT21", kind="climate", good=GOOD, edges=(FROST, FOG, climate(-39.9, 0.1)), refused=(NOT_AIR,)),
    Case(
        part="HTU21D",
        kind="climate",
        good=GOOD,
        edges=(FROST, FOG, climate(-39.0, 0.1), climate(124.0, 99.9)),
        refused=(NOT_AIR,),
        near={"temperature": 0.6},  # see `htu21`
        checked=("humidity",),
    ),
    Case(
        part="SI7021",
        kind="climate",
        good=GOOD,
        edges=(FROST, FOG, climate(-39.9, 0.1), climate(124.9, 99.9)),
        refused=(NOT_AIR,),
        one_transfer=True,
    ),
    Case(
        part="HDC1080",
        kind="climate",
        good=GOOD,
        edges=(FROST, FOG, climate(-40.0, 0.0), climate(124.9, 99.9)),
    ),
    Case(
        part="AHT10",
        kind="climate",
        good=GOOD,
        edges=(FROST, FOG, climate(-39.9, 0.0), climate(85.0, 99.9)),
        refused=(Held((95.0, 45.0), {"humidity": 45.0}), Held((-50.0, 45.0), {"humidity": 45.0})),
    ),
    Case(
        part="LM75",
        kind="climate",
        good=dry(21.5),
        edges=(dry(-0.5), dry(-55.0), dry(125.0)),
        refused=(Held((127.5,), {}),),
        one_transfer=True,
    ),
    Case(
        part="TMP102",
        kind="climate",
        good=dry(21.5),
        edges=(dry(-0.5), dry(-40.0), dry(125.0)),
        refused=(Held((150.0,), {}),),
        one_transfer=True,
        may_sleep_for_ever=True,
    ),
    Case(
        part="MCP9808",
        kind="climate",
        good=dry(21.5),
        edges=(dry(-0.5), dry(-40.0), dry(125.0)),
        refused=(Held((150.0,), {}),),
        one_transfer=True,
    ),
    Case(
        part="ADT7410",
        kind="climate",
        good=dry(21.5),
        edges=(dry(-0.5), dry(-55.0), dry(150.0)),
        refused=(Held((160.0,), {}),),
        one_transfer=True,
    ),
    Case(
        part="DS18B20",
        kind="thermometer",
        good=dry(21.5),
        edges=(dry(-0.5), dry(-12.25), dry(-55.0), dry(125.0)),
        checked=("temperature",),
        near={"temperature": 0.07},
    ),
    Case(part="BH1750", kind="light", good=light(120.0), edges=(light(0.0), light(54600.0))),
    Case(
        part="TSL2561",
        kind="light",
        good=Held((1000, 200), {"illuminance": 25}),
        edges=(Held((0, 0), {"illuminance": 0}), Held((40000, 10000), {"illuminance": 918})),
    ),
    Case(part="TSL4531", kind="light", good=light(120), edges=(light(0), light(65535)), one_transfer=True),
    Case(
        part="VEML6030",
        kind="light",
        good=light(120.0),
        edges=(light(0.0), light(35231.0)),
        one_transfer=True,
    ),
    Case(part="OPT3001", kind="light", good=light(120.0), edges=(light(0.0), light(83700.0))),
    Case(
        part="VL53L0X",
        kind="distance",
        good=metres(0.42),
        edges=(metres(0.03), metres(2.0)),
        refused=(Held((8.19,), {}), Held((0.0,), {})),  # no target; not measured yet
    ),
    Case(
        part="ADS1115",
        kind="adc",
        settings="full_v = 2.0",
        good=level(1.25, 2.0),
        edges=(level(0.0, 2.0), level(2.0, 2.0)),
        refused=(Held((2.048,), {}), Held((-0.5,), {"voltage": -0.5})),  # the end of its range; no level
        may_sleep_for_ever=True,
    ),
    Case(
        part="ADS1015",
        kind="adc",
        settings="full_v = 2.0",
        good=level(1.25, 2.0),
        edges=(level(0.0, 2.0), level(2.0, 2.0)),
        refused=(Held((2.048,), {}), Held((-0.5,), {"voltage": -0.5})),
        may_sleep_for_ever=True,
    ),
    Case(
        part="MCP3422",
        kind="adc",
        settings="full_v = 2.0",
        good=level(1.25, 2.0),
        edges=(level(0.0, 2.0), level(2.0, 2.0)),
        refused=(Held((2.047,), {}), Held((-0.5,), {"voltage": -0.5})),  # the end of its range; no level
        one_transfer=True,
    ),
    Case(
        part="MCP3424",
        kind="adc",
        settings="full_v = 2.0",
        good=level(1.25, 2.0),
        edges=(level(0.0, 2.0), level(2.0, 2.0)),
        refused=(Held((2.047,), {}), Held((-0.5,), {"voltage": -0.5})),  # the end of its range; no level
        one_transfer=True,
    ),
    Case(
        part="ADS7830",
        kind="adc",
        settings="full_v = 2.5",
        good=level(1.25, 2.5),
        edges=(level(0.0, 2.5), level(2.47, 2.5)),
        refused=(Held((2.495,), {}),),  # the end of its range
        near={"voltage": 0.006, "level": 0.3},
        one_transfer=True,
    ),
    Case(
        part="ADS1115",
        kind="soil",
        good=Held((1.6,), {"moisture": 50.0}),
        edges=(Held((1.0,), {"moisture": 100.0}), Held((2.02,), {"moisture": 15.0})),
        refused=(Held((0.5,), {}),),
        may_sleep_for_ever=True,
    ),
    Case(
        part="ADS1115",
        kind="thermistor",
        good=dry(25.0, 1.65),
        edges=(dry(15.0, 2.0228), dry(80.0, 0.37193)),
        refused=(Held((0.0,), {}),),
        may_sleep_for_ever=True,
    ),
    Case(
        part="ADS1115",
        kind="wind_vane",
        good=Held((0.3,), {"direction": 90.0}),
        edges=(Held((0.926,), {"direction": 180.0}),),
        refused=(Held((0.0,), {}),),
        may_sleep_for_ever=True,
    ),
    Case(
        part="INA219",
        kind="power",
        good=power(12.0, 1.5),
        edges=(power(0.0, 0.0), power(26.0, 3.19), power(12.0, -1.5)),
        refused=(Held((12.0, 3.27), {"voltage": 12.0}),),
        near={"current": 0.003, "power": 0.1},
    ),
    Case(part="INA226", kind="power", good=power(12.0, 0.5), edges=(power(36.0, 0.8), power(12.0, -0.5))),
    Case(
        part="INA238",
        kind="power",
        good=power(48.0, 1.0),
        edges=(power(85.0, 1.6), power(48.0, -1.0)),
        may_sleep_for_ever=True,
    ),
    Case(part="INA3221", kind="power", good=power(12.0, 1.5), edges=(power(26.0, 1.6), power(12.0, -1.5))),
    Case(
        part="TMP117",
        kind="sysfs",
        found_by='name = "tmp117"\nat = "0x48"',
        settings='channels = ["temp"]',
        good=Held((21.5,), {"temp": 21.5}),
        edges=(Held((-0.5,), {"temp": -0.5}), Held((-55.0,), {"temp": -55.0})),
        near={"temp": 0.05},
        one_transfer=True,
    ),
    Case(
        part="LM75",
        kind="sysfs",
        found_by='name = "lm75"\nat = "0x48"',
        settings='channels = ["temp1"]',
        good=Held((21.5,), {"temp1": 21.5}),
        edges=(Held((-0.5,), {"temp1": -0.5}), Held((-55.0,), {"temp1": -55.0})),
        near={"temp1": 0.05},
        one_transfer=True,
    ),
)
