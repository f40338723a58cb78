"""Values in an answer, by their places in it: `temperature = main.temp °C`."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

from bootstrap.contract.payload import Json
from bootstrap.device import Measure, Reading, Value
from bootstrap.needs import TextSetting
from bootstrap.value_forms import Form, form_of

WHOLE = "."  # the path of the whole answer
STEPS_AFTER = r"(?:\|(?:int|round(?:\(\d\))?|default\([^()\s|]*\)))*"
TEXT = re.compile(
    rf'(?P<name>[^\s=]+)\s*=\s*(?P<path>(?:"[^"]*"|[^\s"])+?)(?P<after>{STEPS_AFTER})(?:\s+(?P<form>.+))?'
)
STEP = re.compile(r'"([^"]*)"|(\[[\w-]+=[^\]]*\]|[^."]+)')
CHOICE = re.compile(r"\[([\w-]+)=([^\]]*)\]")  # the element of a list that has this
AFTER = re.compile(r"\|(\w+)(?:\(([^()]*)\))?")
PATH = re.compile(rf"{STEP.pattern}(?:\.(?:{STEP.pattern}))*")
EXAMPLE = "temperature = main.temp °C"
SHOWN, FEW = 40, 6  # characters of a text, and names of what is there
WORDS = {True: "true", False: "false"}


@dataclass(frozen=True)
class AnswerValue(TextSetting):
    """A measure, and where its value is: from a setting. ValueError: it is none; the message says what one must be."""

    def __post_init__(self) -> None:
        try:
            self.form  # noqa: B018 - it is built, and then kept
            self._steps  # noqa: B018
        except ValueError as error:
            raise ValueError(f"values such as {EXAMPLE!r} (of {self.text!r}: {error})") from None

    @property
    def name(self) -> str:
        """The measure's name."""
        return self._parts["name"]

    @cached_property
    def form(self) -> Form:
        """What the value becomes: a number of some unit, one of some words, or text, as in a pattern of lines."""
        return form_of(self.name, self._parts["form"])

    @cached_property
    def _parts(self) -> Mapping[str, str]:
        found = TEXT.fullmatch(self.text.strip())
        if found is None:
            raise ValueError("write NAME = PATH, then the unit, such as °C")
        return found.groupdict("")

    @cached_property
    def _steps(self) -> Sequence[str]:
        path = self._parts["path"]
        if path == WHOLE:
            return ()
        if not PATH.fullmatch(path):
            raise ValueError(f'a path is names and numbers with dots between them, such as main.0."a name", not {path}')
        return [quoted or plain for quoted, plain in STEP.findall(path)]

    def found(self, answer: Json) -> Json:
        """Return what is at the path; after `default`, that if there is none.

        Raises:
            ValueError: the answer has no such place.
        """
        try:
            return self._place(answer)[0]
        except ValueError:
            default = next((value for name, value in self._after if name == "default"), None)
            if default is None:
                raise
            return default

    @cached_property
    def _after(self) -> Sequence[tuple[str, str]]:
        """What is done with what is at the path: names, each with what stands in its brackets."""
        return tuple(AFTER.findall(self._parts["after"]))

    def value(self, answer: Json) -> Value | ValueError:
        """Return the value in an answer, or why there is none."""
        try:
            text = self._text(answer)
        except ValueError as error:
            return error
        if not re.fullmatch(self.form.expression(""), text):
            return ValueError(f"{self._parts['path']} is {text[:SHOWN]!r}, not {self._wanted}")
        return self.form.value(text)

    @property
    def _wanted(self) -> str:
        if self.form.words:
            return f"one of {', '.join(self.form.words)}"
        return "text of at most 200 characters" if self.form.measure.unit is str else "a number"

    def _place(self, answer: Json) -> tuple[Json, str]:
        """Return what is at the path, and the path for people."""
        at = ""
        for step in self._steps:
            answer, at = _inner(answer, step, at), f"{at}.{step}" if at else step
        return answer, at

    def _text(self, answer: Json) -> str:
        """Return what is at the path, as text, rounded if that is asked for."""
        answer, at = self.found(answer), self._parts["path"].replace('"', "")
        if isinstance(answer, bool):
            return WORDS[answer]
        if isinstance(answer, int | float | str):
            text = answer.strip() if isinstance(answer, str) else json.dumps(answer)
            return self._rounded(text) if self._after else text
        what = "null" if answer is None else f"a list of {len(answer)}" if isinstance(answer, list) else "an object"
        raise ValueError(f"{'the answer' if at == WHOLE else at} is {what}, not a value")

    def _rounded(self, text: str) -> str:
        """Return a number as `int` and `round` leave it; other text stays as it is."""
        for name, digits in self._after:
            if name in ("int", "round"):
                try:
                    number = float(text)
                    text = f"{int(number) if name == 'int' else round(number, int(digits or 0)):.12g}"
                except (ValueError, OverflowError):
                    return text
        return text


def measures_of(values: Iterable[AnswerValue], own: Mapping[str, Measure]) -> dict[str, Measure]:
    """Return the measures of a device with these values, and with some of its own.

    Raises:
        ValueError: two have one name.
    """
    found = dict(own)
    for one in values:
        if one.name in found:
            raise ValueError(f"'values' must have each name once, and not {one.name!r} again; name it otherwise")
        found[one.name] = one.form.measure
    return found


def reading_of(values: Iterable[AnswerValue], answer: Json) -> Reading:
    """Return the values in an answer; those that it lacks are errors."""
    return {one.name: one.value(answer) for one in values}


def parsed(text: str, source: str) -> Json:
    """Return what a JSON text means.

    Raises:
        ValueError: it is none; the message says what `source`, such as "the answer", begins with instead.
    """
    try:
        found: Json = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        begins = f"begins with {text.strip()[:SHOWN]!r}" if text.strip() else "is empty"
        raise ValueError(f"{source} is not JSON: it {begins}") from None
    return found


def lines_of(text: str, source: str) -> Json:
    """Return the values of lines such as `temperature=21.5` or `temperature: 21.5`, by name.

    Raises:
        ValueError: no line is one.
    """
    pairs = [re.split(r"[=:]", line, maxsplit=1) for line in text.splitlines()]
    found: dict[str, Json] = {pair[0].strip(): pair[1].strip() for pair in pairs if pair[1:]}
    if not found:
        begins = f"begins with {text.strip()[:SHOWN]!r}" if text.strip() else "is empty"
        raise ValueError(f"{source} has no line such as temperature=21.5: it {begins}")
    return found


FORMS: Mapping[str, Callable[[str, str], Json]] = {"json": parsed, "lines": lines_of}


def _refused(word: str) -> NoReturn:
    raise ValueError(word)


def _inner(answer: Json, step: str, at: str) -> Json:
    """Return what an object has by this name, or a list at this place, counted from 0.

    Raises:
        ValueError: it has nothing there.
    """
    where = at or "the answer"
    if isinstance(answer, dict):
        if step in answer:
            return answer[step]
        there = ", ".join(list(answer)[:FEW])[:200] or "nothing"
        raise ValueError(f"{where} has no {step!r}; it has {there}")
    if isinstance(answer, list):
        if choice := CHOICE.fullmatch(step):
            return _chosen(answer, choice[1], choice[2], where)
        if step.isdecimal() and int(step) < len(answer):
            return answer[int(step)]
        raise ValueError(f"{where} is a list of {len(answer)}, which has no {step}; places count from 0")
    raise ValueError(f"{where} is not an object that could have {step!r}")


def _chosen(answer: Sequence[Json], name: str, wanted: str, where: str) -> Json:
    """Return the first element of a list that has this by this name.

    Raises:
        ValueError: none has it.
    """
    for one in answer:
        if isinstance(one, dict) and name in one and str(one[name]) == wanted:
            return one
    raise ValueError(f"{where} is a list of {len(answer)}, of which none has {name} {wanted}")
