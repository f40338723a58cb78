"""What stands for a module of mqtt-io: the kind that reads its part, and the settings it needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from penates.datasheet import toml
from penates.mqtt_io.yaml_lines import Entry

Settings = dict[str, str]  # in TOML
BOARD = ("raspberrypi", "gpiozero", "gpiod")  # modules that mean the Pi's own lines, by their BCM numbers
FAMILIES = {"DS18B20": "28", "DS18S20": "10", "DS1822": "22", "DS1825": "3b", "DS28EA00": "42"}


@dataclass(frozen=True)
class Counterpart:
    """A kind for a sensor module.

    Attributes:
        kind: its name.
        settings: what makes them of a module, and of one of its inputs.
        measures: our measure for each `type` of an input; the empty one is that without a type.
        each: whether each input is a sensor of its own; otherwise all of a module are one.
    """

    kind: str
    settings: Callable[[Entry, Entry], Settings]
    measures: Mapping[str, str]
    each: bool = False


def _chip(part: str, usual: int | None = None) -> Callable[[Entry, Entry], Settings]:
    """Return what names a chip on I2C, at an address unless it is always at the same one."""

    def settings(module: Entry, _sensor: Entry) -> Settings:
        bus, address = module.take("i2c_bus_num", 1), usual and module.take("chip_addr", usual)
        module.ignore("chip_addr")
        at = f" at {address:#04x}" if address else ""
        return {"chip": toml(f"{part}{at}{f' on i2c-{bus}' if at and bus != 1 else ''}")}

    return settings


def _dht(module: Entry, _sensor: Entry) -> Settings:
    return {"chip": toml(f"{module.text('type').upper() or 'DHT22'} at GPIO{module.text('pin')}")}


def _probe(module: Entry, _sensor: Entry) -> Settings:
    family = FAMILIES.get(module.text("type").upper(), "28")
    return {"serial": toml(f"{family}-{module.text('address').lower().removeprefix(f'{family}-')}")}


def _shunt(module: Entry, sensor: Entry) -> Settings:
    shunt = module.take("shunt_ohms", 0.1)
    module.ignore("max_amps", "voltage_range", "gain", "low_power")
    return {**_chip("INA219", 0x40)(module, sensor), "shunt": toml(shunt)}


def _ads(module: Entry, sensor: Entry) -> Settings:
    module.ignore("pins", "gain")
    part = module.text("type").upper() or "ADS1115"
    return {**_chip(part, 0x48)(module, sensor), "channel": toml(sensor.take("pin", 0))}


def _mcp3008(module: Entry, sensor: Entry) -> Settings:
    return {**_on_spi("MCP3008", module), "channel": toml(sensor.take("channel", 0))}


def _mcp3xxx(module: Entry, _sensor: Entry) -> Settings:
    found = _on_spi(module.text("type").upper(), module)
    return {**found, "full_v": toml(module.take("max_voltage", 3.3)), "channel": toml(module.take("channel", 0))}


def _on_spi(part: str, module: Entry) -> Settings:
    place = f"spi{module.take('spi_port', 0)}.{module.take('spi_device', 0)}"
    module.ignore("chip_addr")
    return {"chip": toml(f"{part} at {place}")}


def _echo(_module: Entry, sensor: Entry) -> Settings:
    sensor.ignore("burst")
    return {"chip": toml(f"HC-SR04 at GPIO{sensor.text('pin_trigger')} GPIO{sensor.text('pin_echo')}")}


def _co2(module: Entry, _sensor: Entry) -> Settings:
    module.ignore("range")
    return {"port": toml(module.text("device")), "make": toml("mh-z19")}


def _dust(module: Entry, _sensor: Entry) -> Settings:
    return {"port": toml(module.text("serial_port")), "make": toml("pms5003")}


CLIMATE = {"": "temperature", "temperature": "temperature", "humidity": "humidity"}
AIR = {**CLIMATE, "pressure": "pressure"}
LIGHT = {"": "illuminance", "lux": "illuminance", "lux_corrected": "illuminance"}
VOLTS = {"": "voltage", "value": "voltage", "voltage": "voltage"}
DUST = {"": "pm2_5", "pm25_std": "pm2_5", "pm10_std": "pm1", "pm100_std": "pm10"}
COUNTERPARTS: Mapping[str, Counterpart] = {
    "aht20": Counterpart("climate", _chip("AHT20"), CLIMATE),
    "bme280": Counterpart("climate", _chip("BME280", 0x76), AIR),
    "bme680": Counterpart("gas", _chip("BME680", 0x76), AIR),
    "bmp085": Counterpart(
        "pressure", _chip("BMP180"), {"": "temperature", **{one: one for one in AIR if one[:1] in "tp"}}
    ),
    "dht22": Counterpart("climate", _dht, CLIMATE),
    "lm75": Counterpart("climate", _chip("LM75", 0x48), {"": "temperature"}),
    "sht4x": Counterpart("climate", _chip("SHT40", 0x44), CLIMATE),
    "ds18b": Counterpart("thermometer", _probe, {"": "temperature"}),
    "bh1750": Counterpart("light", _chip("BH1750", 0x23), LIGHT),
    "tsl2561": Counterpart("light", _chip("TSL2561", 0x39), LIGHT),
    "veml7700": Counterpart("light", _chip("VEML7700"), LIGHT),
    "ina219": Counterpart(
        "power", _shunt, {"": "power", "power": "power", "current": "current", "bus_voltage": "voltage"}
    ),
    "ads1x15": Counterpart("adc", _ads, VOLTS, each=True),
    "mcp3008": Counterpart("adc", _mcp3008, VOLTS, each=True),
    "mcp3xxx": Counterpart("adc", _mcp3xxx, VOLTS, each=True),
    "hcsr04": Counterpart("distance", _echo, {"": "distance"}, each=True),
    "mhz19": Counterpart("co2_serial", _co2, {"": "co2"}),
    "pms5003": Counterpart("air", _dust, DUST),
}
# Where something else does the same.
HINTS = {
    "flowsensor": "see `penates kinds meter`: it counts the pulses, and its total is kept",
    "frequencycounter": "see `penates kinds anemometer` and `penates kinds meter`",
    "ens160": "see `penates kinds gas` for similar parts",
    "serial": "see `penates kinds lines`, docs/SERIAL_LINES.md",
}
