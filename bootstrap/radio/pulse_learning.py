"""Learn what a remote sends: from pulses to a code for `socket`, or to the reason why it is not to be learnt."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import mean, median

from bootstrap.errors import Refused
from bootstrap.pins.pulse_frame import REPEATS, SHORTEST_US, Frame, pairs
from bootstrap.radio.decoders import Decoder
from bootstrap.radio.socket_protocols import SocketCode

PRESSES = 3  # that must be alike
PAUSE_S = 0.6  # of silence that ends a press
GAP_US = 4000  # shortest gap between two repeats
HEADER = 0.6  # ratio to the usual gap between repeats up to which a gap is inside of one
USUAL_GAP_US = 10_000  # where nobody knows it
TWICE = 2  # repeats of a press at least
LEAST = 8  # durations of a frame; what is shorter is noise
ALIKE = 1.4  # ratio up to which two durations are the same one
MOST_LENGTHS = 8  # different durations of a frame; noise has more

UNDISCERNING = re.compile("Akhan|GS 558|Generic wireless motion")  # of the private decoders: any 24 bits are theirs
PT2262_BITS, KAKU_BITS = 24, 32
KAKU_LONG = 3  # ratio of gap and pulse from which on the gap is a long one
PINS = {"00": "0", "11": "1", "01": "F"}

Durations = tuple[int, ...]


@dataclass
class Press:
    """What was heard while a button was pressed: durations in microseconds, with the carrier on and off in turn."""

    durations: list[int] = field(default_factory=list)

    @property
    def frames(self) -> list[Durations]:
        """The repeats in it, each with the gap after it."""
        long = [gap for gap in self.durations[1::2] if gap >= GAP_US]
        split_us = HEADER * median(long) if long else 0
        found, frame = [], list[int]()
        for pulse, gap in pairs(self.durations):
            frame += [pulse, gap]
            if long and gap >= split_us and len(frame) > LEAST:
                found.append(tuple(frame))
                frame = []
        return found


def lengths(frames: Iterable[Durations]) -> list[int]:
    """Return the durations that frames are made of: each the mean of those that are alike, the shortest first."""
    groups: list[list[int]] = []
    for one in sorted(length for frame in frames for length in frame):
        if groups and one <= ALIKE * groups[-1][0]:
            groups[-1].append(one)
        else:
            groups.append([one])
    return [round(mean(group)) for group in groups]


def _digits(frame: Durations, known: Sequence[int]) -> str:
    """Return a frame without its gap as digits, which choose from lengths."""
    nearest = (min(range(len(known)), key=lambda at: abs(known[at] - one)) for one in frame[:-1])
    return "".join(chr(ord("0") + at) for at in nearest)


def learnt(presses: Sequence[Press]) -> Frame:
    """Return what every one of some presses has sent.

    Raises:
        Refused: they were not alike.
    """
    each = [press.frames for press in presses]
    known = lengths(frame[:-1] for frames in each for frame in frames)
    counts = [Counter(_digits(frame, known) for frame in frames) for frames in each]
    said = [{code for code, count in one.items() if count >= TWICE} for one in counts]
    if not all(said) or len(known) > MOST_LENGTHS:
        raise Refused("a press that repeats nothing: it is noise, or a remote that says everything once")
    if any(one != said[0] for one in said):
        raise Refused("each press sends another code: a rolling code, which a copy cannot continue")
    if len(said[0]) > 1:
        raise Refused("a press sends several things in turn, and only one can be sent again")
    (code,) = said[0]
    heard = [frame for frames in each for frame in frames if _digits(frame, known) == code]
    return _average(heard, len(heard) // len(presses))


def _average(heard: Sequence[Durations], repeats: int) -> Frame:
    """Return one frame from several of the same code."""
    known = lengths(frame[:-1] for frame in heard)
    gaps = [frame[-1] for frame in heard if frame[-1] < 5 * USUAL_GAP_US]
    gap = round(median(gaps)) if gaps else USUAL_GAP_US
    digits = _digits(heard[0], known)
    durations = [max(SHORTEST_US, known[ord(digit) - ord("0")]) for digit in digits]
    try:
        return Frame((*durations, gap), min(max(repeats, REPEATS // 2), 2 * REPEATS))
    except ValueError as error:
        raise Refused(f"what was heard is too long: {error}") from None


def code_of(on: Frame, off: Frame) -> SocketCode:
    """Return the code of a socket that these two frames switch: of a protocol that is known, else the pulses.

    Raises:
        Refused: both are the same.
    """
    if _same(on, off):
        raise Refused("both buttons send the same: a button that toggles leaves nobody knowing what is on")
    known = next((code for code in _candidates(on) if _is_code(code, on, off)), None)
    return known or SocketCode(f"raw {on} {off}")


def _candidates(on: Frame) -> Iterator[SocketCode]:
    """Yield the codes by which a frame may switch a socket on."""
    if len(digits := _bits(on)) == PT2262_BITS:
        pins = [PINS.get(pair, "") for pair in _pairs(digits)]
        numbers = [sum((pin == "F") << bit for bit, pin in enumerate(pins[at : at + 4])) for at in (0, 4)]
        yield SocketCode(f"kaku-old {chr(ord('A') + numbers[0])}{numbers[1] + 1}")
        house = "".join("1" if pin == "0" else "0" for pin in pins[:5])
        yield from (SocketCode(f"elro {house} {unit}") for unit in "ABCDE")
    bits = "".join(str(int(gap > KAKU_LONG * pulse)) for pulse, gap in pairs(on.durations[2:-2]))[::2]
    if len(bits) == KAKU_BITS:
        unit = "all" if bits[26] == "1" else str(int(bits[28:], 2) + 1)
        yield SocketCode(f"kaku {int(bits[:26], 2)} {unit}")


def _is_code(code: SocketCode, on: Frame, off: Frame) -> bool:
    """Return whether a code's own pulses are those that were heard."""
    return _same(code.frame(on=True), on) and _same(code.frame(on=False), off)


def _same(one: Frame, other: Frame) -> bool:
    """Return whether two frames differ in nothing but their gap and the last bit of their timing."""
    pairs_of = zip(one.durations[:-1], other.durations[:-1], strict=False)
    return len(one.durations) == len(other.durations) and all(a <= ALIKE * b and b <= ALIKE * a for a, b in pairs_of)


def check_allowed(code: SocketCode, decoders: Iterable[Decoder]) -> None:
    """Refuse what is not a socket's, by the decoders of rtl_433 that understand it.

    Raises:
        Refused: it opens, guards or drives something, or never says the same again.
    """
    if code.text.partition(" ")[0] != "raw":
        return  # that of a socket, which looks like that of a key to some
    found = sorted({decoder.name for decoder in decoders if decoder.private})
    if _has_pins(code) and all(UNDISCERNING.search(name) for name in found):
        return
    if found:
        raise Refused(f"rtl_433 takes it for {', '.join(found)}: keys, alarms and rolling codes are not learnt")


def _has_pins(code: SocketCode) -> bool:
    """Return whether it may come from a PT2262, as most sockets' do: each two bits are a pin. Keys know no pins."""
    bits = [_bits(code.frame(on=on)) for on in (True, False)]
    return all(len(one) == PT2262_BITS and {*_pairs(one)} <= PINS.keys() for one in bits)


def _bits(frame: Frame) -> str:
    return "".join(str(int(pulse > gap)) for pulse, gap in pairs(frame.durations[:-2]))


def _pairs(bits: str) -> list[str]:
    return [bits[at : at + 2] for at in range(0, len(bits), 2)]
