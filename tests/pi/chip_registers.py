"""Chips as their data sheets describe them: where they are on the bus, and which bytes stand for which values."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

Registers = dict[int, bytes]


@dataclass(frozen=True, kw_only=True)
class Chip:
    """One part, and how it holds what it measures."""

    part: str
    driver: str  # the name by which an overlay asks for the driver
    module: str
    address: int
    hold: Callable[..., Registers]  # the registers for values in the measures' units
    byte_registers: bool = False  # registers of one byte; else of two
    power_on: Registers = field(default_factory=dict)  # what it holds when it has not measured yet
    awake: tuple[int, int, int] | None = None  # register, mask and value by which it has been told to measure


def word(value: float) -> bytes:
    """Return a number of two bytes, the high one first, as nearly all chips have it; negative in two's complement."""
    return struct.pack(">H", round(value) & 0xFFFF)


def crc8(data: bytes, begin: int = 0xFF) -> int:
    """Return Sensirion's checksum: polynomial x8 + x5 + x4 + 1."""
    crc = begin
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x31 if crc & 0x80 else crc << 1) & 0xFF
    return crc


def checked(value: float) -> bytes:
    """Return two bytes and their checksum, within what two bytes hold."""
    data = struct.pack(">H", min(max(round(value), 0), 0xFFFF))
    return data + bytes([crc8(data)])


def sensirion(base: int, humidity_span: int = 100, humidity_from: int = 0) -> Callable[..., Registers]:
    """Sensirion's answer: temperature, checksum, humidity, checksum, behind the command's first byte."""

    def hold(temperature: float, humidity: float) -> Registers:
        ticks = (temperature + 45) / 175 * 65535, (humidity - humidity_from) / humidity_span * 65535
        cells = b"".join(checked(value) for value in ticks)
        return {(base + index) % 256: cells[index : index + 1] for index in range(6)}

    return hold


def aht(temperature: float, humidity: float) -> Registers:
    """20 bits each, behind a byte of status (data sheet AHT10, 5.4)."""
    both = round(humidity / 100 * 2**20) << 20 | round((temperature + 50) / 200 * 2**20)
    return {0xAE: b"\x18" + both.to_bytes(5, "big")}


def sht2x(temperature: float, humidity: float) -> Registers:
    """14 and 12 bits, in hold master mode (data sheet SHT21, 6)."""
    return {
        0xE3: word(round((temperature + 46.85) / 175.72 * 2**14) << 2),
        0xE5: word(round((humidity + 6) / 125 * 2**12) << 4 | 2),
    }


def si7021(temperature: float, humidity: float) -> Registers:
    """As `sht2x`, and 16 bits wide (data sheet Si7021, 5.1)."""
    return {0xE3: word((temperature + 46.85) / 175.72 * 65536), 0xE5: word((humidity + 6) / 125 * 65536)}


def htu21(temperature: float, humidity: float) -> Registers:
    """As `sht2x`, with checksums, in no hold master mode.

    The simulated chip answers command 0xF3 from the cells 0xF3 to 0xF5, and 0xF5 from 0xF5 to 0xF7. So the checksum of
    the temperature must be the humidity's high byte: one that has it is never far.
    """
    wet = checked(int((humidity + 6) / 125 * 65536))
    wet = wet[:2] + bytes([crc8(wet[:2], 0)])
    near = round((temperature + 46.85) / 175.72 * 65536)
    around = range(max(near - 512, 0), min(near + 512, 65536))
    dry = min((raw for raw in around if crc8(struct.pack(">H", raw), 0) == wet[0]), key=lambda raw: abs(raw - near))
    return {0xF3: struct.pack(">H", dry) + wet}


def hdc(temperature: float, humidity: float) -> Registers:
    """16 bits each (data sheet HDC1080, 8.6)."""
    return {0x00: word((temperature + 40) / 165 * 65536), 0x01: word(min(humidity / 100 * 65536, 65535))}


def bh1750(illuminance: float) -> Registers:
    """Counts of 1/1.2 lx (data sheet BH1750FVI, "Measurement Procedure")."""
    return {0x20: word(illuminance * 1.2)}


def veml(illuminance: float) -> Registers:
    """Counts of 0.5376 lx at a gain of 1/8 and 100 ms, the low byte first (application note 84367)."""
    return {0x04: struct.pack("<H", round(illuminance / 0.5376))}


def opt3001(illuminance: float) -> Registers:
    """A mantissa of 12 bits and an exponent, in counts of 0.01 lx (data sheet OPT3001, 7.6.1.1.1)."""
    counts, exponent = round(illuminance * 100), 0
    while counts >> exponent > 0xFFF:
        exponent += 1
    return {0x00: word(exponent << 12 | counts >> exponent)}


def tsl2561(visible: int, infrared: int) -> Registers:
    """Two channels of counts, the low byte first (data sheet TSL2561, "ADC Channel Data Registers")."""
    return {0x8C: struct.pack("<HH", visible, infrared)}


def tmp102(temperature: float) -> Registers:
    """Sixteenths of a degree, in the extended mode that the driver chooses (data sheet TMP102, 6.5.2)."""
    return {0x00: word(round(temperature * 16) << 3)}


def lm75(temperature: float) -> Registers:
    """Halves of a degree, left-justified (data sheet LM75, 7.5.2)."""
    return {0x00: word(round(temperature * 2) << 7)}


def tmp117(temperature: float) -> Registers:
    """Counts of 7.8125 mK (data sheet TMP117, 7.6.3)."""
    return {0x00: word(temperature * 128)}


def mcp9808(temperature: float) -> Registers:
    """Sixteenths of a degree in 13 bits (data sheet MCP9808, 5.1.3)."""
    return {0x05: word(round(temperature * 16) & 0x1FFF)}


def tsl4531(illuminance: float) -> Registers:
    """Lux, the low byte first (data sheet TSL4531, "DATALOW Register")."""
    return {0x84: struct.pack("<H", round(illuminance))}


def ads1115(volts: float) -> Registers:
    """16 bits of ±2.048 V, the gain after power-on (data sheet ADS1115, 9.6.2)."""
    return {0x00: word(volts / 2.048 * 32768)}


def ads1015(volts: float) -> Registers:
    """12 bits of ±2.048 V, left-justified."""
    return {0x00: word(round(volts / 2.048 * 2048) << 4)}


def mcp3422(volts: float) -> Registers:
    """12 bits of ±2.048 V, behind each channel's configuration (data sheet MCP3422, 5.2)."""
    held = word(volts / 2.048 * 2048)
    return dict.fromkeys((0x10, 0x30, 0x50, 0x70), held)


def ina219(voltage: float, current: float, power: float) -> Registers:
    """Steps of 4 mV; of 1 mA and 20 mW, as the driver calibrates it for a shunt of 10 mohm (data sheet INA219, 8.6)."""
    return {
        0x01: word(current * 0.01 / 10e-6),
        0x02: word(round(voltage / 0.004) << 3 | 2),
        0x03: word(power / 0.020),
        0x04: word(current / 0.001),
    }


def ina226(voltage: float, current: float, power: float) -> Registers:
    """Steps of 1.25 mV; of 0.25 mA and 6.25 mW for a shunt of 10 mohm (data sheet INA226, 7.6)."""
    return {
        0x01: word(current * 0.01 / 2.5e-6),
        0x02: word(voltage / 0.00125),
        0x03: word(power / 0.00625),
        0x04: word(current / 0.00025),
    }


def ina3221(voltage: float, current: float) -> Registers:
    """The first of three channels: steps of 40 uV at a shunt of 10 mohm, and of 8 mV (data sheet INA3221, 8.6)."""
    return {0x01: word(round(current * 0.01 / 40e-6) << 3), 0x02: word(round(voltage / 0.008) << 3)}


def vl53l0x(distance: float) -> Registers:
    """Millimetres; the first byte says that a measurement is complete."""
    return {0x14: b"\x01", 0x1E: word(distance * 1000)}


# Of Bosch's worked example (data sheet BMP280, 3.12), and humidity coefficients such as chips have.
BOSCH = (27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
H1, H2, H3, H4, H5, H6 = 75, 370, 0, 310, 50, 30
BOSCH_CALIBRATION: Registers = {
    0x88: struct.pack("<HhhHhhhhhhhh", *BOSCH),
    0xA1: bytes([H1]),
    0xE1: struct.pack("<hB", H2, H3) + bytes([H4 >> 4, (H4 & 15) | (H5 & 15) << 4, H5 >> 4, H6]),
}

BOSCH_ASLEEP: Registers = {0xF2: bytes(4), 0xF7: bytes([0x80, 0, 0, 0x80, 0, 0, 0x80, 0])}


def fine_temperature(raw: int) -> float:
    """Temperature in 1/5120 of a degree (data sheet BME280, 8.1)."""
    t1, t2, t3 = BOSCH[:3]
    return (raw / 16384 - t1 / 1024) * t2 + (raw / 131072 - t1 / 8192) ** 2 * t3


def bosch_pressure(raw: int, fine: float) -> float:
    """Pressure in pascals (data sheet BME280, 8.1)."""
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = BOSCH[3:]
    base = fine / 2 - 64000
    offset = (base * base * p6 / 32768 + base * p5 * 2) / 4 + p4 * 65536
    slope = (1 + (p3 * base * base / 524288 + p2 * base) / 524288 / 32768) * p1
    pressure = (1048576 - raw - offset / 4096) * 6250 / slope
    return pressure + (p9 * pressure * pressure / 2147483648 + pressure * p8 / 32768 + p7) / 16


def bosch_humidity(raw: int, fine: float) -> float:
    """Relative humidity in percent (data sheet BME280, 8.1)."""
    warm = fine - 76800
    wet = raw - (H4 * 64 + H5 / 16384 * warm)
    wet *= H2 / 65536 * (1 + H6 / 67108864 * warm * (1 + H3 / 67108864 * warm))
    return wet * (1 - H1 * wet / 524288)


def solved(value: Callable[[int], float], wanted: float, bits: int) -> int:
    """Return the raw value that comes nearest to what is wanted."""
    rises, low, high = value(1 << bits - 1) > value(0), 0, (1 << bits) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if (value(middle) < wanted) == rises else (low, middle)
    return min(low, high, key=lambda raw: abs(value(raw) - wanted))


def bosch(temperature: float, pressure: float, humidity: float = 0) -> Registers:
    """20, 20 and 16 bits; the pressure in hectopascals."""
    warm = solved(fine_temperature, temperature * 5120, 20)
    fine = fine_temperature(warm)
    press = solved(lambda raw: bosch_pressure(raw, fine), pressure * 100, 20)
    wet = solved(lambda raw: bosch_humidity(raw, fine), humidity, 16)
    return {0xF7: (press << 4).to_bytes(3, "big") + (warm << 4).to_bytes(3, "big") + word(wet)}


CHIPS = {
    chip.part: chip
    for chip in (
        Chip(
            part="BME280",
            driver="bme280",
            module="bmp280-i2c",
            address=0x76,
            byte_registers=True,
            power_on={0xD0: b"\x60", **BOSCH_CALIBRATION, **BOSCH_ASLEEP},
            awake=(0xF4, 0x0300, 0x0300),
            hold=bosch,
        ),
        Chip(
            part="BMP280",
            driver="bmp280",
            module="bmp280-i2c",
            address=0x77,
            byte_registers=True,
            power_on={0xD0: b"\x58", **BOSCH_CALIBRATION, **BOSCH_ASLEEP},
            awake=(0xF4, 0x0300, 0x0300),
            hold=bosch,
        ),
        Chip(
            part="SHT31",
            driver="sht3x",
            module="sht3x",
            address=0x44,
            byte_registers=True,
            hold=sensirion(0x25),
        ),
        Chip(
            part="SHT40",
            driver="sht4x",
            module="sht4x",
            address=0x44,
            byte_registers=True,
            hold=sensirion(0xFD, 125, -6),
        ),
        Chip(
            part="SHTC3",
            driver="shtc3",
            module="shtc1",
            address=0x70,
            byte_registers=True,
            power_on={0xF0: b"\x08\x87"},
            hold=sensirion(0x79),
        ),
        Chip(part="SHT21", driver="sht21", module="sht21", address=0x40, hold=sht2x),
        Chip(part="HTU21D", driver="htu21", module="htu21", address=0x40, byte_registers=True, hold=htu21),
        Chip(part="SI7021", driver="si7020", module="si7020", address=0x40, hold=si7021),
        Chip(part="HDC1080", driver="hdc1000", module="hdc100x", address=0x40, hold=hdc),
        Chip(part="AHT10", driver="aht10", module="aht10", address=0x38, byte_registers=True, hold=aht),
        Chip(part="BH1750", driver="bh1750", module="bh1750", address=0x23, byte_registers=True, hold=bh1750),
        Chip(
            part="TSL2561",
            driver="tsl2561",
            module="tsl2563",
            address=0x39,
            byte_registers=True,
            power_on={0x8A: b"\x50"},
            hold=tsl2561,
        ),
        Chip(
            part="TSL4531",
            driver="tsl4531",
            module="tsl4531",
            address=0x29,
            byte_registers=True,
            power_on={0x80: bytes(2), 0x84: bytes(2), 0x8A: b"\xb0"},
            awake=(0x80, 0x0300, 0x0300),
            hold=tsl4531,
        ),
        Chip(
            part="VEML6030",
            driver="veml6030",
            module="veml6030",
            address=0x10,
            power_on={0x00: b"\x01\x00", 0x04: bytes(2)},
            awake=(0x00, 0x0100, 0),
            hold=veml,
        ),
        Chip(
            part="OPT3001",
            driver="opt3001",
            module="opt3001",
            address=0x44,
            power_on={0x01: b"\xc8\x90", 0x7E: b"TI", 0x7F: b"\x30\x01"},
            hold=opt3001,
        ),
        Chip(part="TMP102", driver="tmp102", module="tmp102", address=0x48, power_on={0x01: b"\x60\xa0"}, hold=tmp102),
        Chip(part="LM75", driver="lm75", module="lm75", address=0x48, hold=lm75),
        Chip(part="MCP9808", driver="jc42", module="jc42", address=0x18, hold=mcp9808),
        Chip(part="TMP117", driver="tmp117", module="tmp117", address=0x48, power_on={0x0F: b"\x01\x17"}, hold=tmp117),
        Chip(part="ADS1015", driver="ads1015", module="ti-ads1015", address=0x48, hold=ads1015),
        Chip(part="ADS1115", driver="ads1115", module="ti-ads1015", address=0x48, hold=ads1115),
        Chip(part="MCP3424", driver="mcp3424", module="mcp3422", address=0x68, hold=mcp3422),
        Chip(part="INA219", driver="ina219", module="ina2xx", address=0x40, hold=ina219),
        Chip(part="INA226", driver="ina226", module="ina2xx", address=0x40, hold=ina226),
        Chip(part="INA3221", driver="ina3221", module="ina3221", address=0x40, hold=ina3221),
        Chip(part="VL53L0X", driver="vl53l0x", module="vl53l0x-i2c", address=0x29, byte_registers=True, hold=vl53l0x),
    )
}
