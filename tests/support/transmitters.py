"""Transmitters for tests: weather stations and remotes as pulses and gaps in microseconds, with any value on demand.

`ook` writes them as the pulse text that `rtl_433 -r ook:…` reads, `samples` as what a receiver's radio would see.
"""

import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

Pulses: TypeAlias = list[tuple[int, int]]  # carrier on, then off, each in microseconds

SILENCE_US = 20_000  # after a transmission: longer than any gap in one
RATE = 250_000  # samples a second
ALECTO = {"pulse": 500, "zero": 2000, "one": 4000, "end": 9000}
TONE_HZ = 20_000  # by which a transmitter is beside the middle
LOUD = 90  # of 127


def _bits(value: int, width: int) -> str:
    """The bits of a number, highest first; a negative one as two's complement."""
    return format(value & ((1 << width) - 1), f"0{width}b")


def _by_gap(bits: str, *, pulse: int, zero: int, one: int, end: int) -> Pulses:
    """Bits that differ by the gap after a pulse."""
    return [*((pulse, one if bit == "1" else zero) for bit in bits), (pulse, end)]


def nexus(  # noqa: PLR0913 - the last two are keywords
    id_: int, channel: int, temperature: float, humidity: int = 50, *, battery: bool = True, rows: int = 12
) -> Pulses:
    """A Nexus thermometer, such as the TFA 30.3209: °C and %; its row of bits is sent twelve times."""
    bits = f"{_bits(id_, 8)}{battery:d}0{_bits(channel - 1, 2)}{_bits(round(temperature * 10), 12)}1111"
    return _by_gap(bits + _bits(humidity, 8), pulse=500, zero=1000, one=2000, end=4000) * rows


def _alecto(id_: int, kind: int, *messages: Sequence[int], plus: int = 15, minus: int = -1) -> Pulses:
    """A transmission of an AlectoV1 station: its nibbles come lowest bit first, the last is their checksum.

    One message is sent six times in a row, two in turn with a pause after each.
    """
    found, pause = _by_gap("1" * 8, **ALECTO), [(500, 9000)] * 3 if len(messages) > 1 else []
    for message in messages * (6 // len(messages)):
        row = [id_ & 15, id_ >> 4, kind, *message]
        row.append((plus + minus * sum(row)) & 15)
        found += _by_gap("".join(_bits(nibble, 4)[::-1] for nibble in row), **ALECTO) + pause
    return found


def _low_first(value: int, count: int) -> list[int]:
    return [value >> 4 * place & 15 for place in range(count)]


def alecto_temperature(id_: int, temperature: float, humidity: int = 50, *, battery: bool = True) -> Pulses:
    """An AlectoV1 station's temperature in °C and humidity in %."""
    message = [*_low_first(round(temperature * 10), 3), humidity % 10, humidity // 10]
    return _alecto(id_, 4 if battery else 5, message)


def alecto_wind(id_: int, average: float, gust: float, direction: int) -> Pulses:
    """An AlectoV1 station's wind in m/s, and where it comes from in degrees: two messages in turn."""
    mean = [1, 0, 0, *_low_first(round(average * 5), 2)]
    return _alecto(id_, 6, mean, [*_low_first(7 | direction << 3, 3), *_low_first(round(gust * 5), 2)])


def alecto_rain(id_: int, rain: float) -> Pulses:
    """An AlectoV1 station's rain in mm, since it has its battery."""
    return _alecto(id_, 6, [3, *_low_first(round(rain * 4), 4)], plus=7, minus=1)


def old_remote(house: str, device: int, *, on: bool, repeats: int = 4) -> Pulses:
    """A remote with code wheels, such as old Intertechno ones: house A to P, device 1 to 16."""
    number = ord(house) - ord("A") | device - 1 << 4
    floating = [bool(number >> place & 1) for place in range(8)] + [False, True, True, on]
    short, long = 350, 1050
    bits = [(short, long), (long, short)]
    return [*(pair for bit in floating for pair in (bits[0], bits[bit])), (short, 10_850)] * repeats


def new_remote(id_: int, unit: int, *, on: bool, repeats: int = 4) -> Pulses:
    """A remote that its sockets learn, such as KlikAanKlikUit's, with a number of 26 bits."""
    pulse = 260
    bits = {"0": [(pulse, pulse), (pulse, 1300)], "1": [(pulse, 1300), (pulse, pulse)]}
    row = f"{_bits(id_, 26)}0{on:d}{_bits(unit, 4)}"
    return [(pulse, 2680), *(pair for bit in row for pair in bits[bit]), (pulse, 10_400)] * repeats


def ook(pulses: Pulses) -> str:
    """A transmission as pulse text."""
    *most, (last, _gap) = pulses
    return "".join(f"{on} {off}\n" for on, off in [*most, (last, SILENCE_US)]) + ";end\n"


def samples(transmissions: Iterable[Pulses], apart_s: float = 0.1) -> bytes:
    """Transmissions as unsigned 8-bit IQ samples, with silence around each."""
    quiet = bytes([127, 128]) * round(apart_s * RATE)
    return quiet + b"".join(_carrier(one) + quiet for one in transmissions)


def _carrier(pulses: Pulses) -> bytes:
    turn = 2 * math.pi * TONE_HZ / RATE
    found, at = bytearray(), 0
    for on, off in pulses:
        for _ in range(on * RATE // 1_000_000):
            found += bytes((round(127.5 + LOUD * math.cos(turn * at)), round(127.5 + LOUD * math.sin(turn * at))))
            at += 1
        found += bytes([127, 128]) * (off * RATE // 1_000_000)
    return bytes(found)
