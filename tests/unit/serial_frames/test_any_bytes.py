"""Whatever comes, and in whatever parts, is split alike, and is never more than refused."""

import struct
from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.serial_frames import dsmr, mhz19, nmea, particles, sml
from bootstrap.serial_frames.crc import crc16, x25
from bootstrap.serial_frames.frame_channel import Splitter

SPLITTERS: dict[str, Splitter] = {
    "plantower": particles.PLANTOWER,
    "sds011": particles.SDS011,
    "sps30": particles.shdlc_frames,
    "mh-z19": mhz19.ANSWER,
    "nmea": nmea.sentences,
    "dsmr5": dsmr.telegrams(with_crc=True),
    "dsmr3": dsmr.telegrams(with_crc=False),
    "sml": sml.messages,
}
TELEGRAM = b"/X\r\n\r\n1-0:1.7.0(00.250*kW)\r\n!"
FILE = sml.START + bytes.fromhex("7601010101010100 1b1b1b1b1a00")
GOOD = {
    "plantower": b"\x42\x4d" + struct.pack(">15H", 28, *[0] * 13, 0x42 + 0x4D + 28),
    "sds011": b"\xaa\xc0\x19\x00\xc8\x00\x00\x00\xe1\xab",
    "sps30": bytes.fromhex("7e 00 00 43 00 bc 7e"),
    "mh-z19": bytes.fromhex("ff8602200000000058"),
    "nmea": b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n",
    "dsmr5": TELEGRAM + f"{crc16(TELEGRAM):04X}\r\n".encode(),
    "dsmr3": TELEGRAM + b"\r\n",
    "sml": FILE + x25(FILE).to_bytes(2, "little"),
}
PIECES = [*{piece for good in GOOD.values() for piece in (good, good[: len(good) // 2], good[1:], good[:1])}]
SAID = st.lists(st.one_of(st.binary(max_size=8), st.sampled_from(sorted(PIECES))), max_size=8)


def split(splitter: Splitter, parts: Sequence[bytes]) -> list[bytes]:
    """The frames that a splitter finds where these parts come one after the other."""
    buffer, found = bytearray(), list[bytes | ValueError]()
    for part in parts:
        buffer += part
        found += splitter(buffer)
    return [one for one in found if isinstance(one, bytes)]


@pytest.mark.parametrize("name", SPLITTERS)
@given(parts=SAID)
def test_it_does_not_matter_in_which_parts_it_comes(name: str, parts: list[bytes]) -> None:
    whole = b"".join(parts)
    singly = [whole[at : at + 1] for at in range(len(whole))]
    assert split(SPLITTERS[name], parts) == split(SPLITTERS[name], [whole]) == split(SPLITTERS[name], singly)


@pytest.mark.parametrize("name", SPLITTERS)
def test_the_good_frame_is_one(name: str) -> None:
    assert len(split(SPLITTERS[name], [GOOD[name]])) == 1


def fields(text: bytes) -> None:
    nmea.position({"GGA": text.decode("latin-1").split(",")})


@pytest.mark.parametrize("read", [dsmr.reading_of, sml.reading_of, fields])
@given(content=st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(sorted(PIECES))).map(b"".join)))
def test_no_content_is_more_than_refused(read: Callable[[bytes], object], content: bytes) -> None:
    with suppress(ValueError):
        read(content)
