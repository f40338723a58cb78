"""What chips hold for what they measure, as their data sheets describe it."""

import struct
from collections.abc import Callable

Registers = dict[int, bytes]
Hold = Callable[..., Registers]  # returns them for values in the units that are published


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


def sensirion(base: int, humidity_span: int = 100, humidity_from: int = 0) -> Hold:
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


def ds18b20(temperature: float) -> Registers:
    """Millidegrees, as the simulated 1-Wire bus has them."""
    return {0: str(round(temperature * 1000)).encode()}


def tmp117(temperature: float) -> Registers:
    """Counts of 7.8125 mK (data sheets TMP117, 7.6.3; ADT7410, "Temperature Data Format")."""
    return {0x00: word(temperature * 128)}


def mcp9808(temperature: float) -> Registers:
    """Sixteenths of a degree in 13 bits (data sheet MCP9808, 5.1.3)."""
    return {0x05: word(round(temperature * 16) & 0x1FFF)}


def tsl4531(illuminance: float) -> Registers:
    """Lux, the low byte first (data sheet TSL4531, "DATALOW Register")."""
    return {0x84: struct.pack("<H", round(illuminance))}


def clamped(value: float, bits: int) -> int:
    """Return what so many bits hold of a number with a sign."""
    return min(max(round(value), -(1 << bits - 1)), (1 << bits - 1) - 1)


def ads1115(volts: float) -> Registers:
    """16 bits of ±2.048 V, the gain after power-on (data sheet ADS1115, 9.6.2)."""
    return {0x00: word(clamped(volts / 2.048 * 32768, 16))}


def ads1015(volts: float) -> Registers:
    """12 bits of ±2.048 V, left-justified."""
    return {0x00: word(clamped(volts / 2.048 * 2048, 12) << 4)}


def ads7830(volts: float) -> Registers:
    """8 bits of 2.5 V, for the commands of its eight inputs (data sheet ADS7830, "Command Byte")."""
    held = bytes([min(max(round(volts / 2.5 * 256), 0), 255)])
    return dict.fromkeys(range(0x8C, 0x100, 0x10), held)


def mcp3422(volts: float) -> Registers:
    """12 bits of ±2.048 V, behind each channel's configuration (data sheet MCP3422, 5.2)."""
    return dict.fromkeys((0x10, 0x30, 0x50, 0x70), word(clamped(volts / 2.048 * 2048, 12)))


SHUNT = 0.1  # ohms, as the boards have that people buy


def ina219(voltage: float, current: float) -> Registers:
    """Steps of 4 mV; of 10 uV over the shunt, which is the current as the driver calibrates it (data sheet, 8.6)."""
    shunt = word(current * SHUNT / 10e-6)
    return {0x01: shunt, 0x02: word(round(voltage / 0.004) << 3 | 2), 0x04: shunt}


def ina226(voltage: float, current: float) -> Registers:
    """Steps of 1.25 mV; of 2.5 uV over the shunt, which is the current (data sheet INA226, 7.6)."""
    shunt = word(current * SHUNT / 2.5e-6)
    return {0x01: shunt, 0x02: word(voltage / 0.00125), 0x04: shunt}


def ina238(voltage: float, current: float) -> Registers:
    """Steps of 3.125 mV; of 5 uV over the shunt, and of 20 uV for the current (data sheet INA238, 7.6)."""
    drop = current * SHUNT
    return {0x04: word(drop / 5e-6), 0x05: word(voltage / 0.003125), 0x07: word(drop / 20e-6)}


def ina3221(voltage: float, current: float) -> Registers:
    """The first of three channels: steps of 40 uV over the shunt, and of 8 mV (data sheet INA3221, 8.6)."""
    return {0x01: word(round(current * SHUNT / 40e-6) << 3), 0x02: word(round(voltage / 0.008) << 3)}


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


# Coefficients of a BMP388 of which all that bend its curves are 0 (data sheet BMP388, 9.1).
BMP388_T1, BMP388_T2, BMP388_P1, BMP388_P2 = 25000, 18000, 16384 + 8192, 16384
BMP388_ASLEEP: Registers = {0x1B: b"\x00\x02\x00\x00\x00", 0x04: bytes([0, 0, 0x80, 0, 0, 0x80])}
BMP388_CALIBRATION: Registers = {
    0x31: struct.pack("<HHbhhbbHHbbhbb", BMP388_T1, BMP388_T2, 0, BMP388_P1, BMP388_P2, *[0] * 9)
}


def bmp388(temperature: float, pressure: float) -> Registers:
    """24 bits each, the low byte first; the pressure in hectopascals (data sheet BMP388, 9.2 and 9.3)."""
    warm = round(temperature * 2**30 / BMP388_T2) + (BMP388_T1 << 8)
    press = round(pressure * 100 * 2**20 / (BMP388_P1 - 16384))
    return {0x04: press.to_bytes(3, "little") + warm.to_bytes(3, "little")}


# Coefficients of a BME680 of which all that bend its curve of humidity are 0 (data sheet BME680, 3.3).
GAS_T1, GAS_T2, GAS_T3 = 26000, 26300, 3
GAS_P1, GAS_P2, GAS_P3, GAS_P4, GAS_P5 = 36000, -10300, 88, 6800, -120
GAS_H1, GAS_H2 = 700, 1020
GAS_CALIBRATION: Registers = {
    0xE9: struct.pack("<H", GAS_T1),
    0x8A: struct.pack("<hb", GAS_T2, GAS_T3),
    0x8E: struct.pack("<Hhb", GAS_P1, GAS_P2, GAS_P3),
    0x94: struct.pack("<hh", GAS_P4, GAS_P5),
    0xE1: bytes([GAS_H2 >> 4, (GAS_H2 & 15) << 4 | (GAS_H1 & 15), GAS_H1 >> 4]),
}


def gas_temperature(raw: int) -> float:
    """Temperature in 1/5120 of a degree."""
    return (raw / 16384 - GAS_T1 / 1024) * GAS_T2 + (raw / 131072 - GAS_T1 / 8192) ** 2 * GAS_T3 * 16


def gas_pressure(raw: int, fine: float) -> float:
    """Pressure in pascals."""
    base = fine / 2 - 64000
    offset = base * GAS_P5 * 2 / 4 + GAS_P4 * 65536
    slope = (1 + (GAS_P3 * base * base / 16384 + GAS_P2 * base) / 524288 / 32768) * GAS_P1
    return (1048576 - raw - offset / 4096) * 6250 / slope


def bme680(temperature: float, pressure: float, humidity: float, gas_resistance: float) -> Registers:
    """20, 20, 16 and 10 bits, after a measurement whose heater was warm, in the sixth range of resistance."""
    warm = solved(gas_temperature, temperature * 5120, 20)
    fine = gas_temperature(warm)
    press = solved(lambda raw: gas_pressure(raw, fine), pressure * 100, 20)
    wet = round(humidity * 262144 / GAS_H2) + GAS_H1 * 16
    gas = round(167_500_000 / gas_resistance - 828)
    measured = (press << 4).to_bytes(3, "big") + (warm << 4).to_bytes(3, "big") + word(wet)
    return {0x1D: b"\x80", 0x1F: measured, 0x2A: word(gas << 6 | 0x30 | 6)}
