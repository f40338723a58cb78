"""The parts that drivers of the kernel read: what their data sheets and drivers say, one row each.

Overlays are those of Raspberry Pi's README of overlays (raspberrypi/linux, arch/arm/boot/dts/overlays/README), and
`shipped` is what its kernels are built with (6.12, arch/arm64/configs/bcm2712_defconfig).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

Range = tuple[float, float]


@dataclass(frozen=True)
class ChipSheet:
    """What is known of a part.

    Attributes:
        names: what its driver or its bus calls it; the first is by which the bus is told of it.
        place: where it usually is: an address on I2C, `spi0.0`, or the GPIO lines that it is wired to.
        ranges: what it measures, with the lowest and the highest number that its data sheet has.
        overlay: the line of config.txt after `dtoverlay=`, with its place as `{at}` or `{line0}`; empty if none exists.
        overlay_place: where the overlay looks for it unless told, if that is not its usual place.
        shipped: whether Raspberry Pi OS has its driver.
        hint: what else a failed read may mean.
        mute_is_zero: whether nothing but zeros is read where no chip is, because its bus has no acknowledgement.
        tries: how often it is read before it counts as silent; each `pause_s` after the one before.
        factors: by the type of a channel, what its driver's number has to be multiplied by to be in the kernel's unit.
        forgets: whether a chip that was without power says 0, because its driver does not tell it again to measure.
        set_up_once: the subsystems, `iio` or `hwmon`, whose driver tells the chip only when it is bound how to measure:
            one that was without power goes on with what it was made with, and its numbers mean something else.
        limits: numbers in a channel's own file that mean "at or beyond the end of my range", at any resolution.
    """

    names: tuple[str, ...]
    place: str
    ranges: Mapping[str, Range]
    overlay: str = ""
    overlay_place: str = ""
    shipped: bool = True
    hint: str = ""
    mute_is_zero: bool = False
    tries: int = 1
    pause_s: float = 0.0
    limits: tuple[float, ...] = ()
    factors: Mapping[str, float] = field(default_factory=dict)
    forgets: bool = False
    set_up_once: tuple[str, ...] = ()

    @property
    def fixed(self) -> bool:
        """Whether it can be in one place only."""
        return bool(self.overlay) and "{" not in self.overlay


def _sensor(name: str, place: str, *, also: tuple[str, ...] = (), fixed: bool = False, **ranges: Range) -> ChipSheet:
    """Return a part of the overlay `i2c-sensor`."""
    overlay = f"i2c-sensor,{name}" if fixed else f"i2c-sensor,{name},addr={{at}}"
    return ChipSheet((name, *also), place, ranges, overlay)


def _dht(*, temperature: Range, humidity: Range) -> ChipSheet:
    """Return a part that the driver dht11 reads. It may be read every 2 s, and many a read fails."""
    ranges = {"temperature": temperature, "humidity": humidity}
    return ChipSheet(("dht11",), "GPIO4", ranges, "dht11,gpiopin={line0}", tries=4, pause_s=2.0)


def _thermocouple(name: str, **ranges: Range) -> ChipSheet:
    hint = "the thermocouple is cut or shorted"
    return ChipSheet((name,), "spi0.0", ranges, f"maxtherm,{{at}},{name}", hint=hint, mute_is_zero=True)


def _ads1x15(name: str, limits: tuple[float, ...]) -> ChipSheet:
    """Return a converter of this family. At gain 1, the overlay's default, it measures up to 4.096 V."""
    overlay = f"{name},addr={{at}},cha_enable,chb_enable,chc_enable,chd_enable"
    return ChipSheet((name, "ads1015"), "0x48", {"voltage": (-6.144, 6.144)}, overlay, limits=limits)


def _mcp342x(name: str) -> ChipSheet:
    """Return a converter of this family, whose driver says volts where the kernel's rules want thousandths of one."""
    overlay = f"mcp342x,{name},addr={{at}}"
    ends = tuple(end for bits in (12, 14, 16, 18) for end in (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1))
    return ChipSheet((name,), "0x68", {"voltage": (-2.048, 2.048)}, overlay, factors={"voltage": 1000.0}, limits=ends)


ROOM, WIDE = (-40.0, 85.0), (-40.0, 125.0)  # °C
PERCENT = (0.0, 100.0)
BAROMETER = (300.0, 1100.0)  # hPa

_CHIPS: Mapping[str, ChipSheet] = {
    # Temperature, humidity, pressure.
    "BME280": _sensor("bme280", "0x76", temperature=ROOM, humidity=PERCENT, pressure=BAROMETER),
    "BMP280": _sensor("bmp280", "0x76", temperature=ROOM, pressure=BAROMETER),
    "BMP180": _sensor("bmp180", "0x77", fixed=True, temperature=ROOM, pressure=BAROMETER),
    "BMP388": _sensor("bmp380", "0x76", temperature=ROOM, pressure=(300.0, 1250.0)),
    "MS5637": _sensor("ms5637", "0x76", temperature=ROOM, pressure=(10.0, 2000.0)),
    "SHT31": _sensor("sht3x", "0x44", temperature=WIDE, humidity=PERCENT),
    "SHT40": _sensor("sht4x", "0x44", temperature=WIDE, humidity=PERCENT),
    "SHTC3": _sensor("shtc3", "0x70", fixed=True, temperature=WIDE, humidity=PERCENT),
    "AHT10": _sensor("aht10", "0x38", fixed=True, temperature=ROOM, humidity=PERCENT),
    "AHT20": _sensor("aht20", "0x38", also=("aht10",), fixed=True, temperature=ROOM, humidity=PERCENT),
    "HTU21D": _sensor("htu21", "0x40", fixed=True, temperature=WIDE, humidity=PERCENT),
    "SHT21": ChipSheet(("sht21",), "0x40", {"temperature": WIDE, "humidity": PERCENT}),
    "SI7021": _sensor("si7020", "0x40", fixed=True, temperature=WIDE, humidity=PERCENT),
    "HDC1080": _sensor("hdc100x", "0x40", also=("hdc1000", "hdc1080"), temperature=WIDE, humidity=PERCENT),
    "DHT11": _dht(temperature=(-20.0, 60.0), humidity=(5.0, 95.0)),
    "DHT22": _dht(temperature=(-40.0, 80.0), humidity=PERCENT),
    "LM75": ChipSheet(
        ("lm75",), "0x48", {"temperature": (-55.0, 125.0)}, "i2c-sensor,lm75,addr={at}", overlay_place="0x4f"
    ),
    "TMP102": replace(_sensor("tmp102", "0x48", temperature=WIDE), set_up_once=("hwmon",)),
    "MCP9808": _sensor("jc42", "0x18", also=("mcp9808",), temperature=WIDE),
    "HTS221": _sensor("hts221", "0x5f", fixed=True, temperature=(-40.0, 120.0), humidity=PERCENT),
    "HDC3020": _sensor("hdc3020", "0x44", temperature=WIDE, humidity=PERCENT),
    # No DS1621: where it does not answer, its driver says a temperature, which it makes of the number of the error.
    "ADT7410": _sensor("adt7410", "0x48", temperature=(-55.0, 150.0)),
    # Light. A BH1750 counts to 65535 at 1.2 for each lux, and at its lowest sensitivity 2.23 times as far.
    "BH1750": replace(_sensor("bh1750", "0x23", illuminance=(0.0, 121_557.0)), limits=(65_535.0,)),
    "TSL2561": ChipSheet(("tsl2561",), "0x39", {"illuminance": (0.0, 40_000.0)}, shipped=False),
    "TSL4531": replace(_sensor("tsl4531", "0x29", fixed=True, illuminance=(0.0, 220_000.0)), forgets=True),
    "VEML7700": ChipSheet(("veml7700",), "0x10", {"illuminance": (0.0, 140_000.0)}, shipped=False, forgets=True),
    "VEML6030": ChipSheet(("veml6030",), "0x10", {"illuminance": (0.0, 120_000.0)}, forgets=True),
    "OPT3001": ChipSheet(("opt3001",), "0x44", {"illuminance": (0.0, 83_865.6)}, shipped=False, limits=(83_865.6,)),
    # Converters from voltages to numbers.
    "ADS1115": _ads1x15("ads1115", (-32_768.0, 32_767.0)),
    "ADS1015": _ads1x15("ads1015", (-2048.0, 2047.0)),
    "MCP3008": ChipSheet(("mcp3008",), "spi0.0", {"voltage": (0.0, 5.5)}, "mcp3008,{at}-present"),
    "MCP3202": ChipSheet(("mcp3202",), "spi0.0", {"voltage": (0.0, 5.5)}, "mcp3202,{at}-present"),
    "MCP3422": _mcp342x("mcp3422"),
    "MCP3424": _mcp342x("mcp3424"),
    # At its own reference of 2.5 V, which its overlay leaves it: 255 of 256 steps, in thousandths of a volt.
    "ADS7830": replace(_sensor("ads7830", "0x48", voltage=(0.0, 2.5)), limits=(2490.0,)),
    # Power. The range of a current is that of the voltage over the shunt, in volts.
    # The driver in hwmon of an INA219 or INA226 notices that one has forgotten its calibration; that in IIO does not.
    "INA219": ChipSheet(("ina219",), "0x40", {"voltage": (0.0, 32.0), "shunt": (-0.32, 0.32)}, set_up_once=("iio",)),
    "INA226": ChipSheet(
        ("ina226",), "0x40", {"voltage": (0.0, 40.96), "shunt": (-0.08192, 0.08192)}, set_up_once=("iio",)
    ),
    "INA238": replace(
        _sensor("ina238", "0x40", voltage=(0.0, 85.0), shunt=(-0.16384, 0.16384)), set_up_once=("hwmon",)
    ),
    "INA3221": ChipSheet(("ina3221",), "0x40", {"voltage": (0.0, 32.8), "shunt": (-0.1638, 0.1638)}, shipped=False),
    # Thermocouples.
    "MAX31855": _thermocouple("max31855", temperature=(-270.0, 1800.0), ambient=(-55.0, 125.0)),
    "MAX31856": _thermocouple("max31856", temperature=(-210.0, 1800.0), ambient=(-55.0, 125.0)),
    "MAX6675": _thermocouple("max6675", temperature=(0.0, 1024.0)),
    # Distance; 0 is what a driver may say in place of nothing.
    "HC-SR04": ChipSheet(
        ("srf04",),
        "GPIO23 GPIO24",
        {"distance": (0.02, 4.0)},
        shipped=False,
        hint="nothing that echoes is within 4 m",
        tries=3,
        pause_s=0.06,
    ),
    "VL53L0X": ChipSheet(("vl53l0x",), "0x29", {"distance": (0.03, 2.0)}, shipped=False),
    # Air; 0 ppm is what an SCD30 says before it has measured.
    "SCD40": ChipSheet(
        ("scd40", "scd4x"),
        "0x62",
        {"co2": (1.0, 40_000.0), "temperature": (-10.0, 60.0), "humidity": PERCENT},
        shipped=False,
    ),
    "SCD41": ChipSheet(
        ("scd41", "scd4x"),
        "0x62",
        {"co2": (1.0, 40_000.0), "temperature": (-10.0, 60.0), "humidity": PERCENT},
        shipped=False,
    ),
    "SCD30": ChipSheet(
        ("scd30",),
        "0x61",
        {"co2": (1.0, 40_000.0), "temperature": (-40.0, 70.0), "humidity": PERCENT},
        shipped=False,
    ),
    "BME680": replace(  # its driver says per cent, where the kernel's rules want thousandths of one
        _sensor("bme680", "0x76", temperature=ROOM, humidity=PERCENT, pressure=BAROMETER, gas_resistance=(1.0, 1e8)),
        factors={"humidityrelative": 1000.0},
    ),
    "SGP30": replace(
        _sensor("sgp30", "0x58", fixed=True, eco2=(400.0, 60_000.0), voc=(0.0, 60_000.0)), set_up_once=("iio",)
    ),
    "CCS811": _sensor("ccs811", "0x5b", eco2=(400.0, 32_768.0), voc=(0.0, 32_768.0)),
    # Load cells: 24 bits, which the driver moves so that 0 is the lowest. Where no chip drives the line of the data,
    # all bits are alike, which is the middle and the number below it.
    "HX711": ChipSheet(
        ("hx711",),
        "GPIO5 GPIO6",
        {"raw": (0.0, 16_777_215.0)},
        shipped=False,
        limits=(0, 8_388_607, 8_388_608, 16_777_215),
    ),
}

_LIKE = {  # parts that differ in accuracy or housing alone
    "SHT30": "SHT31",
    "SHT35": "SHT31",
    "SHT41": "SHT40",
    "SHT45": "SHT40",
    "AM2302": "DHT22",
    "BMP390": "BMP388",
}

CATALOG: Mapping[str, ChipSheet] = MappingProxyType({**_CHIPS, **{part: _CHIPS[like] for part, like in _LIKE.items()}})

DRIVER_FACTORS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {name: sheet.factors for sheet in CATALOG.values() if sheet.factors for name in sheet.names}
)  # by what a driver or its bus calls the part
