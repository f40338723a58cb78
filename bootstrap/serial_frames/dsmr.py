"""The telegrams of Dutch, Belgian and Luxembourgish smart meters on their port P1 (DSMR 2.2 to 5, eMUCS-P1)."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bootstrap.device import Reading
from bootstrap.errors import reason
from bootstrap.serial_frames.crc import crc16
from bootstrap.serial_frames.frame_channel import Splitter
from bootstrap.serial_frames.meter_measures import BY_OBIS, POWERS, net_powers

START, END = b"/", b"!"  # neither is anywhere else in a telegram
SUM = re.compile(rb"!([0-9A-F]{4})?\r?\n")
OBJECT = re.compile(r"^(\d)-(\d+):(\d+\.\d+\.\d+)(?:\*255)?((?:\([^()\r\n]*\)(?:\r?\n(?=\())?)+)\r?$", re.MULTILINE)
VALUE = re.compile(r"\(([^()\r\n]*)\)")
NUMBER = re.compile(r"(\d+(?:\.\d+)?)\*(kWh|Wh|kW|W|V|A|Hz)")
BARE = re.compile(r"\d+(?:\.\d+)?")
SCALES = {"kW": 1000.0, "Wh": 0.001}  # to W and kWh
SUMMER, WINTER = timezone(timedelta(hours=2)), timezone(timedelta(hours=1))
METERED = {3: "gas", 7: "water"}  # by the type of a meter on the M-Bus
TARIFF, TYPE, OLD_VALUE = "96.14.0", "24.1.0", "24.3.0"
NEW_VALUES = ("24.2.1", "24.2.3")  # the second of gas that is not converted to its normal temperature
POWER_CODES = frozenset(code for codes in POWERS.values() for code in codes)


def telegrams(*, with_crc: bool) -> Splitter:
    """Return what splits telegrams; from version 4 on they have a checksum."""

    def split(buffer: bytearray) -> Iterator[bytes | ValueError]:
        while END in buffer and (found := SUM.search(buffer)):
            text, said = bytes(buffer[: found.start() + 1]), found[1]
            del buffer[: found.end()]
            if (begin := text.rfind(START)) < 0:
                continue
            telegram = text[begin:]
            yield (_wrong_sum(telegram, said) if with_crc or said else _damaged(telegram)) or telegram

    return split


def _wrong_sum(telegram: bytes, said: bytes | None) -> ValueError | None:
    if said is None:
        return ValueError("a telegram has no checksum; older meters have none: set `standard`")
    crc = crc16(telegram)
    return None if crc == int(said, 16) else ValueError(f"a telegram has the checksum {said.decode()}, not {crc:04X}")


def _damaged(telegram: bytes) -> ValueError | None:
    """Return what is wrong with a telegram without a checksum: a byte of a wrong parity, or what is no line of it."""
    if b"\0" in telegram:  # the kernel's for a byte of a wrong parity
        return ValueError("a telegram has a byte of a wrong parity")
    _name, *rest = telegram[:-1].decode("ascii", "replace").split("\n", 1)
    left = OBJECT.sub("", "".join(rest)).strip()
    return ValueError(f"a telegram is damaged: {left.splitlines()[0][:60]!a}") if left else None


def reading_of(telegram: bytes) -> Reading:
    """Return what a telegram says.

    Raises:
        ValueError: it says nothing that is known.
    """
    objects = [*_objects(telegram)]
    main = {code: values[0] for medium, channel, code, values in objects if (medium, channel) == ("1", "0")}
    found: dict[str, float | str | ValueError] = {
        name: value for code, name in BY_OBIS.items() if (value := _number(main.get(code, ""))) is not None
    }
    watts = {code: value for code in POWER_CODES if (value := _number(main.get(code, ""))) is not None}
    found |= net_powers(watts)
    for medium, channel, code, values in objects:
        if (medium, channel, code) == ("0", "0", TARIFF) and values[0].isdecimal():
            found["tariff"] = int(values[0])
    found |= _metered(objects)
    if not found:
        raise ValueError("the telegram has no value that is known")
    return found


Objects = tuple[str, str, str, list[str]]  # medium, channel, code, and what is in brackets


def _objects(telegram: bytes) -> Iterator[Objects]:
    for medium, channel, code, values in OBJECT.findall(telegram.decode("ascii", "replace")):
        yield medium, channel, code, VALUE.findall(values)


def _number(text: str) -> float | None:
    """Return a number in W, kWh, V, A or Hz; None if it is none."""
    found = NUMBER.fullmatch(text)
    return None if found is None else round(float(found[1]) * SCALES.get(found[2], 1.0), 4)


def _metered(objects: list[Objects]) -> Mapping[str, float | str | ValueError]:
    """Return what the gas and water meters say that the smart meter reads, each with its own time."""
    types = {channel: int(values[0]) for _, channel, code, values in objects if code == TYPE and values[0].isdecimal()}
    found = dict[str, float | str | ValueError]()
    for _medium, channel, code, values in objects:
        name = METERED.get(types.get(channel, 0))
        if name is None or code not in (*NEW_VALUES, OLD_VALUE) or len(values) < 2:  # noqa: PLR2004 - time, value
            continue
        try:
            found[f"{name}_time"], found[name] = utc(values[0]), _volume(values)
        except ValueError as error:  # such as of a gas meter that does not answer, whose time is 632525252525
            found[name] = ValueError(f"the {name} meter has no value: {reason(error)}")
    return found


def _volume(values: list[str]) -> float:
    """Return the last value, in m³; before version 4 the unit has brackets of its own.

    Raises:
        ValueError: it is none.
    """
    last = values[-1].removesuffix("*m3")
    if BARE.fullmatch(last) is None:
        raise ValueError(f"{last[:20]!r} is not a volume")
    return float(last)


def utc(text: str) -> str:
    """Return a meter's time, such as `101209112500W`, as UTC: S is summer time, W winter time, neither is local time.

    Raises:
        ValueError: it is no time.
    """
    digits, season = text[:12], text[12:]
    zone = {"S": SUMMER, "W": WINTER}.get(season) if season else _local()
    if zone is None:
        raise ValueError(f"{text[:20]!r} is not a time")
    moment = datetime.strptime(digits, "%y%m%d%H%M%S").replace(tzinfo=zone)
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@cache
def _local() -> ZoneInfo:
    """Return the zone of the meters that do not tell it, which were sold in the Netherlands.

    Raises:
        ValueError: the machine has no list of zones.
    """
    try:
        return ZoneInfo("Europe/Amsterdam")
    except ZoneInfoNotFoundError:
        raise ValueError("this machine has no time zones: install the package tzdata") from None
