"""The languages of radio sockets: what `on` and `off` are in pulses.

Timing and meaning of the bits are those of the makers' remotes; rtl_433 decodes what is made here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bootstrap.needs import TextSetting
from bootstrap.pins.pulse_frame import Frame

IDS = 1 << 26  # of self-learning sockets
UNITS = frozenset(map(str, range(1, 17)))
KAKU_US, WHEELS_US, DIP_US, PT2262_US = 260, 350, 320, 350
KAKU_GAP, PT2262_GAP = 40, 31  # in units of the shortest pulse
KAKU_REPEATS, PT2262_REPEATS = 6, 8

EXAMPLES = (
    '"kaku 12345678 1" (self-learning: an id up to 67108863, and unit 1 to 16)',
    '"kaku-old A1" (two wheels: A to P, 1 to 16)',
    '"elro 11001 B" (five switches, and A to E)',
    '"pt2262 ON OFF" (twelve of 0, 1 and F each)',
    '"raw ON OFF" (pulses, as penates radio learn prints them)',
)


@dataclass(frozen=True)
class SocketCode(TextSetting):
    """To which socket a transmitter speaks: a protocol, and the socket's code in it."""

    def __post_init__(self) -> None:
        protocol, _, code = " ".join(self.text.split()).partition(" ")
        if protocol not in PROTOCOLS:
            raise ValueError(f"one of {', '.join(EXAMPLES)}")
        object.__setattr__(self, "text", f"{protocol} {code}")  # so that equal codes are equal
        PROTOCOLS[protocol](code, on=True)
        PROTOCOLS[protocol](code, on=False)

    def frame(self, *, on: bool) -> Frame:
        """Return what switches the socket on or off."""
        protocol, _, code = self.text.partition(" ")
        return PROTOCOLS[protocol](code, on=on)


def kaku(code: str, *, on: bool) -> Frame:
    """Return a frame of self-learning sockets: KlikAanKlikUit, Intertechno, Nexa, HomeEasy, DIO, Trust."""
    found = re.fullmatch(r"(?P<id>\d{1,8}) (?P<unit>\d{1,2}|all)", code)
    if not found or int(found["id"]) >= IDS or found["unit"] not in {*UNITS, "all"}:
        raise ValueError(f"{EXAMPLES[0]}, with the unit all for every socket that has learnt the id")
    every = found["unit"] == "all"
    unit = 0 if every else int(found["unit"]) - 1
    bits = f"{int(found['id']):026b}{every:b}{on:b}{unit:04b}"
    zero, one = (1, 1, 1, 5), (1, 5, 1, 1)
    units = [1, 10, *(length for bit in bits for length in (one if bit == "1" else zero)), 1, KAKU_GAP]
    return Frame(tuple(KAKU_US * length for length in units), KAKU_REPEATS)


def kaku_old(code: str, *, on: bool) -> Frame:
    """Return a frame of sockets with two wheels: KlikAanKlikUit and Intertechno before they learnt."""
    found = re.fullmatch(r"(?P<house>[A-Pa-p]) ?(?P<unit>\d{1,2})", code)
    if not found or found["unit"] not in UNITS:
        raise ValueError(EXAMPLES[1])
    numbers = (ord(found["house"].upper()) - ord("A"), int(found["unit"]) - 1)
    wheels = "".join("F" if number >> bit & 1 else "0" for number in numbers for bit in range(4))
    return trits(f"{wheels}0FF{'F' if on else '0'}", WHEELS_US)


def elro(code: str, *, on: bool) -> Frame:
    """Return a frame of sockets with a row of switches: Elro, Brennenstuhl, Intertek, Mumbi."""
    found = re.fullmatch(r"(?P<house>[01]{5}) (?P<unit>[A-Ea-e])", code)
    if not found:
        raise ValueError(EXAMPLES[2])
    house = found["house"].translate({ord("0"): "F", ord("1"): "0"})
    unit = "".join("0" if one == found["unit"].upper() else "F" for one in "ABCDE")
    return trits(f"{house}{unit}{'0F' if on else 'F0'}", DIP_US)


def pt2262(code: str, *, on: bool) -> Frame:
    """Return a frame of the encoder chip PT2262, by its twelve pins: low, high or floating."""
    found = re.fullmatch(r"(?P<on>[01F]{12}) (?P<off>[01F]{12})", code)
    if not found:
        raise ValueError(EXAMPLES[3])
    return trits(found["on" if on else "off"], PT2262_US)


def raw(code: str, *, on: bool) -> Frame:
    """Return a frame that was learnt from a remote."""
    match code.split(" "):
        case [switches_on, switches_off]:
            return Frame.parse(switches_on if on else switches_off)
    raise ValueError(EXAMPLES[4])


def trits(code: str, unit_us: int) -> Frame:
    """Return a frame of the chip PT2262: each pin is two bits, short or long, and a short pulse ends it."""
    short, long = (1, 3), (3, 1)
    pins = {"0": (*short, *short), "1": (*long, *long), "F": (*short, *long)}
    units = [*(length for pin in code for length in pins[pin]), 1, PT2262_GAP]
    return Frame(tuple(unit_us * length for length in units), PT2262_REPEATS)


Encoder = Callable[..., Frame]
PROTOCOLS: Mapping[str, Encoder] = {
    "kaku": kaku,
    "kaku-old": kaku_old,
    "elro": elro,
    "pt2262": pt2262,
    "raw": raw,
}
