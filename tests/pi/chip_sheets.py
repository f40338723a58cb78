"""The chips that are simulated: where they are on the bus, and by which of the kernel's drivers they are read."""

from dataclasses import dataclass, field

from pi import chip_registers as hold
from pi.chip_registers import Hold, Registers

ONE_WIRE = "w1_therm"  # the module of all chips on the 1-Wire bus; all others are on I2C


@dataclass(frozen=True, kw_only=True)
class Chip:
    """One part, and how it holds what it measures."""

    part: str
    driver: str  # the name by which an overlay asks for the driver
    module: str
    address: int  # on I2C; on 1-Wire its serial number
    hold: Hold
    byte_registers: bool = False  # registers of one byte; else of two
    power_on: Registers = field(default_factory=dict)  # what it holds when it has not measured yet
    awake: tuple[int, int, int] | None = None  # register, mask and value by which it has been told to measure


CHIPS = {
    chip.part: chip
    for chip in (
        Chip(
            part="BME280",
            driver="bme280",
            module="bmp280-i2c",
            address=0x76,
            byte_registers=True,
            power_on={0xD0: b"\x60", **hold.BOSCH_CALIBRATION, **hold.BOSCH_ASLEEP},
            awake=(0xF4, 0x0300, 0x0300),
            hold=hold.bosch,
        ),
        Chip(
            part="BMP280",
            driver="bmp280",
            module="bmp280-i2c",
            address=0x77,
            byte_registers=True,
            power_on={0xD0: b"\x58", **hold.BOSCH_CALIBRATION, **hold.BOSCH_ASLEEP},
            awake=(0xF4, 0x0300, 0x0300),
            hold=hold.bosch,
        ),
        Chip(
            part="BMP388",
            driver="bmp380",
            module="bmp280-i2c",
            address=0x76,
            byte_registers=True,
            power_on={0x00: b"\x50", 0x02: bytes(1), 0x03: b"\x10", **hold.BMP388_CALIBRATION, **hold.BMP388_ASLEEP},
            awake=(0x1B, 0x3000, 0x3000),
            hold=hold.bmp388,
        ),
        Chip(
            part="BME680",
            driver="bme680",
            module="bme680_i2c",
            address=0x76,
            byte_registers=True,
            power_on={0xD0: b"\x61", **hold.GAS_CALIBRATION},
            hold=hold.bme680,
        ),
        Chip(
            part="SHT31",
            driver="sht3x",
            module="sht3x",
            address=0x44,
            byte_registers=True,
            hold=hold.sensirion(0x25),
        ),
        Chip(
            part="SHT40",
            driver="sht4x",
            module="sht4x",
            address=0x44,
            byte_registers=True,
            hold=hold.sensirion(0xFD, 125, -6),
        ),
        Chip(
            part="SHTC3",
            driver="shtc3",
            module="shtc1",
            address=0x70,
            byte_registers=True,
            power_on={0xF0: b"\x08\x87"},
            hold=hold.sensirion(0x79),
        ),
        Chip(part="SHT21", driver="sht21", module="sht21", address=0x40, hold=hold.sht2x),
        Chip(
            part="HTU21D",
            driver="htu21",
            module="htu21",
            address=0x40,
            byte_registers=True,
            power_on={0xFB: bytes(5)},  # its serial number, over which drivers have written their command
            hold=hold.htu21,
        ),
        Chip(part="SI7021", driver="si7020", module="si7020", address=0x40, hold=hold.si7021),
        Chip(part="HDC1080", driver="hdc1000", module="hdc100x", address=0x40, hold=hold.hdc),
        Chip(part="AHT10", driver="aht10", module="aht10", address=0x38, byte_registers=True, hold=hold.aht),
        Chip(part="BH1750", driver="bh1750", module="bh1750", address=0x23, byte_registers=True, hold=hold.bh1750),
        Chip(
            part="TSL2561",
            driver="tsl2561",
            module="tsl2563",
            address=0x39,
            byte_registers=True,
            power_on={0x8A: b"\x50"},
            hold=hold.tsl2561,
        ),
        Chip(
            part="TSL4531",
            driver="tsl4531",
            module="tsl4531",
            address=0x29,
            byte_registers=True,
            power_on={0x80: bytes(2), 0x84: bytes(2), 0x8A: b"\xb0"},
            awake=(0x80, 0x0300, 0x0300),
            hold=hold.tsl4531,
        ),
        Chip(
            part="VEML6030",
            driver="veml6030",
            module="veml6030",
            address=0x10,
            power_on={0x00: b"\x01\x00", 0x04: bytes(2)},
            awake=(0x00, 0x0100, 0),
            hold=hold.veml,
        ),
        Chip(
            part="OPT3001",
            driver="opt3001",
            module="opt3001",
            address=0x44,
            power_on={0x01: b"\xc8\x90", 0x7E: b"TI", 0x7F: b"\x30\x01"},
            hold=hold.opt3001,
        ),
        Chip(
            part="TMP102",
            driver="tmp102",
            module="tmp102",
            address=0x48,
            power_on={0x01: b"\x60\xa0"},
            awake=(0x01, 0x0010, 0x0010),  # extended mode
            hold=hold.tmp102,
        ),
        Chip(part="DS18B20", driver="w1_slave_temp", module=ONE_WIRE, address=0xC1, hold=hold.ds18b20),
        Chip(part="LM75", driver="lm75", module="lm75", address=0x48, hold=hold.lm75),
        Chip(part="ADT7410", driver="adt7410", module="adt7410", address=0x48, hold=hold.tmp117),
        Chip(part="MCP9808", driver="jc42", module="jc42", address=0x18, hold=hold.mcp9808),
        Chip(
            part="TMP117",
            driver="tmp117",
            module="tmp117",
            address=0x48,
            power_on={0x0F: b"\x01\x17"},
            hold=hold.tmp117,
        ),
        Chip(part="ADS1015", driver="ads1015", module="ti-ads1015", address=0x48, hold=hold.ads1015),
        Chip(part="ADS1115", driver="ads1115", module="ti-ads1015", address=0x48, hold=hold.ads1115),
        Chip(
            part="ADS7830",
            driver="ads7830",
            module="ads7828",
            address=0x48,
            byte_registers=True,
            hold=hold.ads7830,
        ),
        Chip(part="MCP3422", driver="mcp3422", module="mcp3422", address=0x68, hold=hold.mcp3422),
        Chip(part="MCP3424", driver="mcp3424", module="mcp3422", address=0x68, hold=hold.mcp3422),
        Chip(part="INA219", driver="ina219", module="ina2xx", address=0x40, hold=hold.ina219),
        Chip(part="INA226", driver="ina226", module="ina2xx", address=0x40, hold=hold.ina226),
        Chip(part="INA238", driver="ina238", module="ina238", address=0x40, hold=hold.ina238),
        Chip(part="INA3221", driver="ina3221", module="ina3221", address=0x40, hold=hold.ina3221),
        Chip(
            part="VL53L0X", driver="vl53l0x", module="vl53l0x-i2c", address=0x29, byte_registers=True, hold=hold.vl53l0x
        ),
    )
}
