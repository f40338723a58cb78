"""What a field of a line is: a number of some unit, one of some words, or text."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile

from bootstrap.device import Measure, Value, is_measure_name
from bootstrap.quantities import QUANTITIES, quantity

EVENT, COUNTER, TEXT = "event", "counter", "text"
MARKS = (EVENT, COUNTER)  # which come first
EXAMPLES = "{co2:ppm}, {co2:10 ppm 0..5000}, {hits:counter 1}, {window:0=shut|1=open} and {remark:text}"
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?", re.ASCII)
RANGE = re.compile(rf"({NUMBER.pattern})\.\.({NUMBER.pattern})", re.ASCII)
FACTOR = re.compile(rf"({NUMBER.pattern})(?:/({NUMBER.pattern}))?", re.ASCII)
UNIT = re.compile(r"1|(?![-+.\d])(?!(?:event|counter|text)\b)\S{1,16}")
WRITTEN = r"[-+]?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][-+]?\d{1,3})?"  # a number, as a program prints one
NO_NUMBER = r"[-+]?(?i:nan|inf|ovf)"  # what Arduino and C print in place of one
DIGITS = 9  # decimals that a factor leaves
TRUTHS = {"true": True, "false": False}


@dataclass(frozen=True)
class Form:
    """How the text of a field becomes the value of a measure.

    Attributes:
        measure: what it measures.
        words: what the text stands for, if it is one of some words; `1..255` is any number from 1 to 255.
        factor: what a number is multiplied by.
    """

    measure: Measure
    words: Mapping[str, str] = field(default_factory=dict)
    factor: float = 1.0

    def expression(self, end: str) -> str:
        """Return a regular expression of the text; `end` is the character that ends it, or empty."""
        if self.words:
            plain = [word for word in self.words if not RANGE.fullmatch(word)]
            numbers = [WRITTEN] if len(plain) < len(self.words) else []
            return "|".join([*([either(plain)] if plain else []), *numbers])
        return text_until(end) if self.measure.unit is str else f"{WRITTEN}|{NO_NUMBER}"

    def value(self, text: str) -> Value | ValueError:
        """Return the value that a text stands for, or why it is none."""
        if self.words:
            word = self._word(text)
            return TRUTHS[word] if self.measure.unit is bool and isinstance(word, str) else word
        if self.measure.unit is str:
            return text.strip()
        if re.fullmatch(NO_NUMBER, text):
            return ValueError(f"{text!r} came in place of a number")
        number = int(text) if text.lstrip("+-").isdecimal() else float(text)
        return number if self.factor == 1.0 else round(number * self.factor, DIGITS)

    def _word(self, text: str) -> str | ValueError:
        """Return the word that a text stands for, by itself or as a number within bounds."""
        if text in self.words:
            return self.words[text]
        for bounds in filter(None, map(RANGE.fullmatch, self.words)):
            if float(bounds[1]) <= float(text) <= float(bounds[2]):
                return self.words[bounds[0]]
        return ValueError(f"{text!r} is not one of {', '.join(self.words)}")


def either(words: Iterable[str]) -> str:
    """Return a regular expression of some words; of two that begin alike the longer one counts."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def text_until(end: str) -> str:
    """Return a regular expression of text that this character ends, or the end of the line."""
    return rf"[^{re.escape(end)}]{{0,200}}" if end else ".{0,200}"


def words_of(text: str) -> dict[str, str]:
    """Return what each word of `0=off|1=on` stands for; one without a sign of equality stands for itself.

    Raises:
        ValueError: a word is missing, or is there twice.
    """
    pairs = [part.partition("=") for part in text.split("|")]
    found = {said.strip(): (word if equals else said).strip() for said, equals, word in pairs}
    if len(found) < len(pairs) or not all((*found, *found.values())):
        raise ValueError(f"words such as 0=off|1=on, each once and none empty, not {text!r}")
    return found


def checked_name(name: str) -> str:
    """Return a name if a measure may have it.

    Raises:
        ValueError: it may not.
    """
    if not is_measure_name(name):
        raise ValueError(f"{name!r} cannot be the name of a measure")
    return name


def form_of(name: str, text: str) -> Form:
    """Return what `text` says of the measure `name`, such as `°C`, `0.1 °C -40..85`, `event 0=off|1=on`, or nothing.

    Raises:
        ValueError: it says nothing that can be, or nothing although the measure is not a usual one.
    """
    checked_name(name)
    words = text.split()
    marks = [*takewhile(MARKS.__contains__, words)]
    rest = words[len(marks) :]
    if "|" in text or "=" in text:
        found = _of_words(" ".join(rest))
    else:
        found = Form(Measure(str)) if rest == [TEXT] else _of_numbers(name, text, rest)
    measure = found.measure
    if COUNTER in marks and isinstance(measure.unit, type):
        raise ValueError(f"{{{name}:{text}}} is no number, so it cannot be a counter")
    counts = COUNTER in marks or measure.counter
    return replace(found, measure=replace(measure, event=EVENT in marks, counter=counts))


def _of_words(text: str) -> Form:
    words = words_of(text)
    if {*words.values()} <= TRUTHS.keys():
        return Form(Measure(bool), words)
    return Form(Measure(str, words=dict.fromkeys(words.values())), words)


def _of_numbers(name: str, text: str, words: list[str]) -> Form:
    """Return the form of numbers: a factor, a unit and a range, each of which may be left out."""
    usual = str(QUANTITIES[name].unit) if name in QUANTITIES else ""
    bounds = RANGE.fullmatch(words[-1]) if words else None
    rest = words[:-1] if bounds else words
    has_factor = bool(rest and FACTOR.fullmatch(rest[0]) and (usual or len(rest) > 1))
    factor = _factor(rest[0]) if has_factor else 1.0
    unit = " ".join(rest[has_factor:]) or usual
    if not factor or not UNIT.fullmatch(unit) or (bounds and not float(bounds[1]) < float(bounds[2])):
        given = f"{{{name}:{text}}}" if text else f"{{{name}}}"
        raise ValueError(f"the form of {given} is none, as those in {EXAMPLES}")
    measure = quantity(name, unit)
    if bounds:
        measure = replace(measure, low=float(bounds[1]), high=float(bounds[2]))
    return Form(measure, factor=factor)


def _factor(text: str) -> float:
    """Return a factor such as `0.1` or `100/255`; 0 if it is none."""
    found = FACTOR.fullmatch(text)
    over = float(found[2] or 1) if found else 0.0
    return float(found[1]) / over if found and over else 0.0
