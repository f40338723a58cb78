"""NMEA 0183: what a receiver of GPS and other satellites says, each second, in sentences."""

import re
from collections.abc import Iterator, Mapping
from functools import reduce

from bootstrap.device import Reading
from bootstrap.serial_frames.frame_channel import FrameChannel

SENTENCE = re.compile(rb"\$([A-Z]{2})([A-Z]{3}),([^$*\r\n]*)\*([0-9A-Fa-f]{2})\r?\n")
ANGLE = re.compile(r"(\d{2,3})(\d\d(?:\.\d+)?)")
WITHIN_S = 5.0
KNOT_KMH = 1.852
GGA, RMC = "GGA", "RMC"
VALID, SPEED = "A", 6  # the state of an RMC, and which of its fields is the speed in knots
# By the digit in GGA: how the position was found.
FIXES = {
    "0": "none",
    "1": "gps",
    "2": "differential",
    "3": "precise",
    "4": "rtk",
    "5": "rtk_float",
    "6": "estimated",
    "7": "manual",
    "8": "simulated",
}
MEASURED = ("gps", "differential", "precise", "rtk", "rtk_float")  # the others are no measured position


def sentences(buffer: bytearray) -> Iterator[bytes | ValueError]:
    """Split sentences; each is yielded without its checksum and the system it is of, as `GGA,…`."""
    end = buffer.rfind(b"\n") + 1
    text = bytes(buffer[:end])
    del buffer[:end]
    for found in SENTENCE.finditer(text):
        system, kind, fields, said = found.groups()
        if reduce(lambda one, other: one ^ other, system + kind + b"," + fields) == int(said, 16):
            yield kind + b"," + fields
        else:
            yield ValueError(f"a sentence has a wrong checksum: {found[0].decode('ascii', 'replace').strip()}")


def hear(channel: FrameChannel) -> Mapping[str, list[str]]:
    """Return the fields of the next GGA, and of an RMC of the same time if there is one.

    Raises:
        OSError: nothing comes.
        ValueError: nothing that comes is such a sentence.
    """
    found = dict[str, list[str]]()
    for sentence in channel.frames(sentences, WITHIN_S):
        kind, *fields = sentence.decode("ascii", "replace").split(",")
        if kind == GGA or (kind == RMC and len(fields) > SPEED):
            found[kind] = fields
        if len(found) == len((GGA, RMC)) and found[GGA][0] == found[RMC][0]:
            break
    if GGA not in found:
        raise ValueError("no GGA sentence came; the receiver must send GGA and RMC")
    if RMC in found and found[RMC][0] != found[GGA][0]:
        del found[RMC]
    return found


def position(said: Mapping[str, list[str]]) -> Reading:
    """Return what the sentences say. Without a fix there is no position: a ValueError stands in its place.

    Raises:
        ValueError: a sentence is too short, or is no such sentence.
    """
    try:
        _time, latitude, north, longitude, east, quality, satellites, _hdop, altitude, *_ = said[GGA]
        fix, seen = FIXES[quality], int(satellites or 0)
    except (ValueError, KeyError):
        raise ValueError(f"a GGA sentence is not one: {','.join(said[GGA])[:80]}") from None
    speed = said.get(RMC, [])
    if speed and speed[1] != VALID and fix in MEASURED:
        fix = FIXES["0"]
    if fix not in MEASURED:
        none = ValueError(f"no fix (satellites: {seen}); can its aerial see the sky?")
        names = ("latitude", "longitude", "altitude", *(("speed",) if speed else ()))
        return {"fix": fix, "satellites": seen, **dict.fromkeys(names, none)}
    found: dict[str, float | str] = {"fix": fix, "satellites": seen}
    found |= {"latitude": degrees(latitude, north, "NS"), "longitude": degrees(longitude, east, "EW")}
    if altitude:
        found["altitude"] = float(altitude)
    if speed and speed[SPEED]:
        found["speed"] = round(float(speed[SPEED]) * KNOT_KMH, 2)
    return found


def degrees(angle: str, side: str, sides: str) -> float:
    """Return `4916.45` and `S` as degrees, here -49.27417; `sides` has the letter of the positive one first.

    Raises:
        ValueError: it is no such angle.
    """
    found = ANGLE.fullmatch(angle)
    if found is None or len(side) != 1 or side not in sides or float(found[2]) >= 60:  # noqa: PLR2004 - minutes
        raise ValueError(f"{angle},{side} is no angle such as 4916.45,{sides[0]}")
    value = round(int(found[1]) + float(found[2]) / 60, 7)
    return value if side == sides[0] else 0.0 - value
