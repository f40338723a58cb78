"""SML: what a meter sends, written after BSI TR-03109-1 annex IV, with errors in it."""

import struct
from contextlib import suppress

import pytest

from bootstrap.serial_frames import sml
from bootstrap.serial_frames.crc import kermit, x25
from bootstrap.serial_frames.smart_meter import BY_STANDARD, MeterPort
from daemons.smartmeter import SmartMeter
from penates.testing import Bench
from support.spoken import Spoken, patiently

ESCAPE, START = b"\x1b" * 4, b"\x1b" * 4 + b"\x01" * 4
NONE = b"\x01"


def octets(data: bytes) -> bytes:
    length = len(data) + 1
    return bytes((length,)) + data if length < 16 else bytes((0x80 | length + 1 >> 4, length + 1 & 15)) + data


def listed(*nodes: bytes) -> bytes:
    return bytes((0x70 | len(nodes),)) + b"".join(nodes)


def number(value: int, size: int) -> bytes:
    return bytes((0x50 | size + 1,)) + value.to_bytes(size, signed=True)


def entry(code: str, value: bytes, unit: int = 0, scaler: int = 0, rest: tuple[int, int] = (0, 255)) -> bytes:
    """One value; `rest` of its name are the channel, and the last group."""
    name = bytes((1, rest[0], *map(int, code.split(".")), rest[1]))
    known = (b"\x62" + bytes((unit,)), b"\x52" + struct.pack("b", scaler)) if unit else (NONE, NONE)
    return listed(octets(name), NONE, NONE, *known, value, NONE)


def file(*entries: bytes) -> bytes:
    """A whole file: a message with a list of these entries, and the end of the file."""
    body = listed(NONE, octets(b"SERVER-ID-OF-TWENTY!"), NONE, NONE, listed(*entries), NONE, NONE)
    message = listed(octets(b"\x01"), b"\x62\x00", b"\x62\x00", listed(b"\x63\x07\x01", body), b"\x63\x12\x34", b"\x00")
    message = message.replace(ESCAPE, ESCAPE * 2)
    fill = -len(message) % 4
    whole = START + message + b"\x00" * fill + ESCAPE + bytes((0x1A, fill))
    return whole + struct.pack("<H", x25(whole))


HOUSE = file(
    entry("96.50.1", octets(b"ISK")),
    entry("1.8.0", number(123_456_789, 8), 30, -1),
    entry("2.8.0", number(0, 2), 30, -1),
    entry("16.7.0", number(-1500, 4), 27, 0),
    entry("36.7.0", number(-70, 4), 27, -1),
    entry("32.7.0", number(2345, 2), 35, -1),
    entry("31.7.0", number(0x1B1B1B1B, 4), 33, -7),
    entry("14.7.0", number(500, 2), 44, -1),
)
SAYS = {
    "energy_in": 12345.6789,
    "energy_out": 0.0,
    "power": -1500.0,
    "power_l1": -7.0,
    "voltage_l1": 234.5,
    "current_l1": 45.4761243,
    "frequency": 50.0,
}


def found(data: bytes) -> list[bytes | ValueError]:
    return [*sml.messages(bytearray(data))]


def test_a_file_is_found_among_damaged_ones(port: Spoken) -> None:
    wrong = HOUSE.replace(b"ISK", b"ISL")
    port.plays(HOUSE[20:], b"\x1b\x1b\x1b", wrong, HOUSE[:40], HOUSE[:33] + HOUSE[34:], HOUSE)
    with Bench(SmartMeter(port=port.place, standard="sml")) as bench:
        assert bench.read() == SAYS


def test_earlier_billing_periods_and_other_channels_are_not_what_the_meter_has_now() -> None:
    now, then, other = (number(value, 4) for value in (1000, 900, 70))
    entries = (entry("1.8.0", now, 30), entry("1.8.0", then, 30, 0, (0, 96)), entry("1.8.0", other, 30, 0, (1, 255)))
    (content,) = found(file(*entries))
    assert isinstance(content, bytes)
    assert sml.reading_of(content) == {"energy_in": 1.0}


@pytest.mark.parametrize("count", range(1, 20))
def test_files_of_every_length_are_filled_up_to_words(count: int) -> None:
    (content,) = found(file(entry("96.50.1", octets(b"x" * count)), entry("1.8.0", number(7, 1), 30, 3)))
    assert isinstance(content, bytes)
    assert sml.reading_of(content) == {"energy_in": 7.0}


def test_what_is_cut_off_or_wrong_is_told() -> None:
    assert "cut off" in str(found(HOUSE[:40] + HOUSE)[0])
    assert "cut off" in str(found(HOUSE[:-9] + HOUSE)[0])
    assert "wrong checksum" in str(found(HOUSE.replace(b"ISK", b"ISL"))[0])
    assert found(HOUSE[:-1]) == []
    assert len(found(HOUSE[:41] + HOUSE)) == 2


def test_a_meter_with_the_other_checksum() -> None:
    whole = HOUSE[:-2]
    (content,) = found(whole + struct.pack(">H", kermit(whole)))
    assert isinstance(content, bytes)
    assert sml.reading_of(content) == SAYS


def test_damaged_files_alone_are_told(port: Spoken, monkeypatch: pytest.MonkeyPatch) -> None:
    short = MeterPort(9600, "8N1", sml.messages, sml.reading_of, 0.5)
    monkeypatch.setitem(BY_STANDARD, "sml", short)
    port.plays(HOUSE.replace(b"ISK", b"ISL"))
    with pytest.raises(ValueError, match="what was sent has a wrong checksum"):
        patiently(SmartMeter(port=port.place, standard="sml").read)


def test_content_that_ends_too_early_says_nothing_else() -> None:
    (content,) = found(HOUSE)
    assert isinstance(content, bytes)
    for size in range(len(content)):
        with suppress(ValueError):
            assert sml.reading_of(content[:size]) == SAYS


@pytest.mark.parametrize("content", [b"", b"\x71" * 400, b"\xf1\x80", b"\x21\x00", b"\x77" + b"\x01" * 7])
def test_what_is_no_list_of_a_meter_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"known|nested|early"):
        sml.reading_of(content)
