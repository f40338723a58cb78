"""A picture of the Pi's header with what is wired to it, in text, from what a kind's docstring says of its wiring."""

import re
from collections.abc import Iterator, Mapping

from bootstrap.pins.line_names import HEADER

RAILS = ("5V", "3V3", "GND")
BUSES = {"SDA": 2, "SCL": 3, "TX": 14, "RX": 15, "MOSI": 10, "MISO": 9, "SCLK": 11, "SCK": 11, "CE0": 8, "CE1": 7}
OWN = re.compile(r"(?:the )?Pi's ")
END = rf"`(?P<setting>\w+)`|GPIO ?(?P<line>\d+)|(?:the )?(?:Pi's )?(?P<word>{'|'.join((*RAILS, *BUSES))})\b"
JOINT = re.compile(rf"(?:^|[,;.:] +(?:and )?|\band )(?P<leg>[^,;.:]+?) to (?:{END})")
ASIDE = re.compile(r"ohm\b|\bfrom\b|^or\b")  # resistors and alternatives, which the text tells
LABEL = re.compile(r"(?P<label>[^:`]{2,80}?): +(?P<rest>.*)", re.DOTALL)  # of one part of several
SENTENCE = re.compile(r"(?<=[.;]) +(?=[A-Z])")
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


def pictures(wiring: str, lines: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield the picture of each alternative that names a pin, with its label."""
    for label, text in alternatives(wiring):
        if drawn := picture(text, lines):
            yield label, drawn


def picture(wiring: str, lines: Mapping[str, int]) -> str:
    """Return the rows of the header down to the last pin in use, with the legs beside it; empty if nothing is wired."""
    legs: dict[int, list[str]] = {}
    found = [*joints(wiring, lines)]
    if all(end == "GND" for _leg, end in found):  # of something that has its own supply and another plug
        return ""
    for leg, end in found:
        legs.setdefault(_pin(end, legs), []).append(leg)
    last = max(legs) + max(legs) % ROW
    left = {pin: _beside(legs[pin], " ──") for pin in legs if pin % ROW}
    width = max(map(len, left.values()), default=0)
    return "\n".join(_row(pin, left.get(pin, "").rjust(width), legs.get(pin + 1, [])) for pin in range(1, last, ROW))


def _pin(end: str, used: Mapping[int, object]) -> int:
    """Return the pin of a line; of a rail the first one that is free, or else its first."""
    pins = [number for number, name in enumerate(HEADER, 1) if name == end]
    return next((pin for pin in pins if pin not in used), pins[0])


def _row(pin: int, left: str, right: list[str]) -> str:
    text = f"{left} {_name(pin):>6} {pin:>2} {pin + 1:<2} {_name(pin + 1):<6} {_beside(right, '')}"
    return text.rstrip()


def _name(pin: int) -> str:
    name = HEADER[pin - 1]
    return f"GPIO{name}" if name.isdecimal() else name


def _beside(legs: list[str], after: str) -> str:
    """Return the legs at one pin with the wire that leads to it."""
    text = ", ".join(legs)
    return f"{text}{after}" if after else f"── {text}" if text else ""
