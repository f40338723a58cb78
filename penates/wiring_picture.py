"""A picture of the Pi's header with what is wired to it, in text, from what a kind's docstring says of its wiring."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bootstrap.pins.line_names import HEADER

RAILS = ("5V", "3V3", "GND")
BUSES = {"SDA": 2, "SCL": 3, "TX": 14, "RX": 15, "MOSI": 10, "MISO": 9, "SCLK": 11, "SCK": 11, "CE0": 8, "CE1": 7}
OWN = re.compile(r"(?:the )?Pi's ")
END = rf"`(?P<setting>\w+)`|GPIO ?(?P<line>\d+)|(?:the )?(?:Pi's )?(?P<word>{'|'.join((*RAILS, *BUSES))})\b"
JOINT = re.compile(rf"(?:^|[,;.:] +(?:and )?|\band )(?P<leg>[^,;.:]+?) to (?:{END})")
ASIDE = re.compile(r"ohm\b|\bfrom\b|^or\b")  # resistors and alternatives, which the text tells
LABEL = re.compile(r"(?P<label>[^:`]{2,80}?): +(?P<rest>.*)", re.DOTALL)  # of one part of several
SENTENCE = re.compile(r"(?<=[.;]) +(?=[A-Z])")
RESISTOR = re.compile(r"(?P<ohms>\d[\d.]* k?ohm) from (?P<one>`?\w+`?) to (?P<other>`?\w+`?)")
ROW = 2  # pins in a row of the header


def joints(wiring: str, lines: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield each leg of a device with what it is wired to: a rail, or a line by its BCM number.

    `lines` has the settings that name lines. What is not said as `LEG to END` is left out.
    """
    for found in JOINT.finditer(wiring):
        leg, number = found["leg"].strip(), found["line"] or lines.get(found["setting"] or "")
        end = str(number) if number is not None else _of_word(found["word"])
        if end and not ASIDE.search(leg):
            yield leg.removeprefix("its "), end


def _of_word(word: str | None) -> str:
    return word if word in RAILS else str(BUSES[word]) if word else ""


def alternatives(wiring: str) -> Iterator[tuple[str, str]]:
    """Yield each label with the wiring behind it: one text may tell those of several parts, `MCP3008: VDD to 3V3`."""
    label, text = "", ""
    for sentence in SENTENCE.split(wiring):
        found = LABEL.match(sentence)
        if found and " to " not in found["label"]:
            yield label, text
            label, text = found["label"], found["rest"]
        else:
            text = f"{text} {sentence}".strip()
    yield label, text


@dataclass(frozen=True)
class Resistor:
    """A resistor between two places, which are told in words; `pins` has those of the header if both are known."""

    ohms: str
    between: str
    pins: tuple[int, ...]


@dataclass(frozen=True)
class WiredHeader:
    """The header of a Pi with a device.

    Attributes:
        label: which of several parts it is; empty if there is one only.
        legs: those of the device, by the number of the pin that they are wired to.
        resistors: what the text tells of them.
    """

    label: str
    legs: Mapping[int, list[str]]
    resistors: tuple[Resistor, ...]

    @property
    def rows(self) -> Iterator[tuple[int, list[str], list[str]]]:
        """Yield the odd pin of each row down to the last one in use, with the legs at it and at its neighbour."""
        last = max(self.legs) + max(self.legs) % ROW
        for pin in range(1, last, ROW):
            yield pin, self.legs.get(pin, []), self.legs.get(pin + 1, [])


def wired(wiring: str, lines: Mapping[str, int], moved: Mapping[int, int] | None = None) -> Iterator[WiredHeader]:
    """Yield the header for each alternative that names a pin.

    `lines` has the settings that name lines, and `moved` lines that are others than the text says.
    """
    for label, text in alternatives(wiring):
        legs: dict[int, list[str]] = {}
        found = [(leg, _moved(end, moved or {})) for leg, end in joints(text, lines)]
        if all(end == "GND" for _leg, end in found):  # of something that has its own supply and another plug
            continue
        for leg, end in found:
            legs.setdefault(_pin(end, legs), []).append(leg)
        yield WiredHeader(label, legs, (*_resistors(text, legs, lines),))


def _moved(end: str, moved: Mapping[int, int]) -> str:
    return str(moved.get(int(end), end)) if end.isdecimal() else end


def _resistors(text: str, legs: Mapping[int, list[str]], lines: Mapping[str, int]) -> Iterator[Resistor]:
    """Yield the resistors that a text tells of, as `10 kohm from LEG to END`."""
    for found in RESISTOR.finditer(text):
        ends = [_wired_pin(found[name].strip("`"), legs, lines) for name in ("one", "other")]
        known = tuple(pin for pin in ends if pin)
        between = f"from {found['one']} to {found['other']}".replace("`", "")
        yield Resistor(found["ohms"], between, known if len(known) == len(ends) else ())


def _wired_pin(place: str, legs: Mapping[int, list[str]], lines: Mapping[str, int]) -> int | None:
    """Return the pin of a leg, of a setting's line, or of a rail; of that the first one in use."""
    if place in lines or place in RAILS:
        pins = [number for number, name in enumerate(HEADER, 1) if name == str(lines.get(place, place))]
        return next((pin for pin in pins if pin in legs), pins[0])
    return next((pin for pin, there in legs.items() if any(leg.split()[-1] == place for leg in there)), None)


def pictures(wiring: str, lines: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield the picture of each alternative that names a pin, with its label."""
    for header in wired(wiring, lines):
        yield header.label, _drawn(header)


def picture(wiring: str, lines: Mapping[str, int]) -> str:
    """Return the picture of the first alternative that names a pin; empty text if there is none."""
    return next((drawn for _label, drawn in pictures(wiring, lines)), "")


def _drawn(header: WiredHeader) -> str:
    """Return the rows of the header down to the last pin in use, with the legs beside it."""
    rows = [(pin, _beside(left, " ──"), right) for pin, left, right in header.rows]
    width = max(len(left) for _pin, left, _right in rows)
    return "\n".join(_row(pin, left.rjust(width), right) for pin, left, right in rows)


def _pin(end: str, used: Mapping[int, object]) -> int:
    """Return the pin of a line; of a rail the first one that is free, or else its first."""
    pins = [number for number, name in enumerate(HEADER, 1) if name == end]
    return next((pin for pin in pins if pin not in used), pins[0])


def _row(pin: int, left: str, right: list[str]) -> str:
    text = f"{left} {pin_name(pin):>6} {pin:>2} {pin + 1:<2} {pin_name(pin + 1):<6} {_beside(right, '')}"
    return text.rstrip()


def pin_name(pin: int) -> str:
    """Return what a pin of the header is: a line such as `GPIO17`, or a rail."""
    name = HEADER[pin - 1]
    return f"GPIO{name}" if name.isdecimal() else name


def _beside(legs: list[str], after: str) -> str:
    """Return the legs at one pin with the wire that leads to it."""
    text = ", ".join(legs)
    return f"{text}{after}" if after and text else f"── {text}" if text else ""
