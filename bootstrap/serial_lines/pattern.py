"""Patterns of lines: text such as `TEMP,{id},{temperature}`, with a field in braces wherever something varies."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from bootstrap.device import Measure, Value
from bootstrap.needs import TextSetting
from bootstrap.serial_lines.template import (
    AN_ID,
    ANYTHING,
    ID,
    MEASURE,
    VALUE,
    Part,
    TemplateField,
    parts_of,
    require_sense,
)
from bootstrap.value_forms import Form, checked_name, either, form_of, text_until, words_of

SenderId: TypeAlias = int | str

BLANKS = re.compile(r"(?:\\[ \t])+")  # as `re.escape` writes them
BETWEEN_IDS = "-"


def sender_id(text: str) -> SenderId:
    """Return who a line is about: a number, unless a number would lose a zero in front."""
    return int(text) if text.isdecimal() and str(int(text)) == text else text


@dataclass(frozen=True)
class SaidLine:
    """What a line says, and of whom.

    Attributes:
        sender: the number or name of who it is about.
        values: by measure; a ValueError says why there is no value.
        measures: their declarations.
        pattern: the pattern of the line.
    """

    sender: SenderId
    values: Mapping[str, Value | ValueError]
    measures: Mapping[str, Measure]
    pattern: str


@dataclass(frozen=True)
class LinePattern(TextSetting):
    """A pattern of lines, from a setting. ValueError: it is none; the message says what one must be."""

    def __post_init__(self) -> None:
        try:
            require_sense(self._parts)
            self._expression  # noqa: B018 - it is built, and then kept
        except ValueError as error:
            raise ValueError(f"patterns of lines (of {self.text!r}: {error})") from None

    def said(self, line: str) -> SaidLine | None:
        """Return what a line says, or None if it is not one of these lines."""
        match = self._expression.fullmatch(line.strip())
        if match is None:
            return None
        texts = dict[str, str]()
        ids = [part.constant for part in self._fields if part.constant]
        for part, text in zip(self._captured, match.groups(), strict=True):
            if part.name == ID:
                ids.append(text)
            else:
                texts[part.name] = text
        if MEASURE in texts:
            texts[self._choices[texts.pop(MEASURE)]] = texts.pop(VALUE)
        values = {name: self.forms[name].value(text) for name, text in texts.items()}
        measures = {name: self.forms[name].measure for name in texts}
        return SaidLine(sender_id(BETWEEN_IDS.join(ids)), values, measures, self.text)

    @cached_property
    def forms(self) -> Mapping[str, Form]:
        """The form of each measure that such a line may have a value of."""
        found = dict[str, Form]()
        for part in self._captured:
            if part.name not in (ID, MEASURE):
                names = self._choices.values() if part.name == VALUE else [part.name]
                found |= {name: form_of(name, part.form) for name in names}
        return found

    @cached_property
    def _parts(self) -> list[Part]:
        return parts_of(self.text.strip())

    @property
    def _fields(self) -> list[TemplateField]:
        return [part for part in self._parts if isinstance(part, TemplateField)]

    @property
    def _captured(self) -> list[TemplateField]:
        """The fields whose text counts, in their order."""
        return [part for part in self._fields if not part.constant and part.name != ANYTHING]

    @cached_property
    def _choices(self) -> Mapping[str, str]:
        """The measure that each text of the field `measure` stands for."""
        forms = [part.form for part in self._fields if part.name == MEASURE]
        return {said: checked_name(name) for form in forms for said, name in words_of(form).items()}

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        """The regular expression of such a line; a field of text cannot take what ends it."""
        return re.compile("".join(self._expressions()), re.ASCII)

    def _expressions(self) -> Iterator[str]:
        following = [*self._parts[1:], ""]
        for part, after in zip(self._parts, following, strict=True):
            if isinstance(part, str):
                yield BLANKS.sub(r"[ \\t]+", re.escape(part))
            elif not part.constant:
                yield self._of_field(part, after[:1] if isinstance(after, str) else "")

    def _of_field(self, part: TemplateField, end: str) -> str:
        """Return the regular expression of a field that this character ends."""
        if part.name == ANYTHING:
            return text_until(end)
        if part.name == ID:
            return f"({AN_ID if not end else AN_ID.replace('[', f'(?!{re.escape(end)})[', 1)})"
        if part.name == MEASURE:
            return f"({either(self._choices)})"
        names = self._choices.values() if part.name == VALUE else [part.name]
        return f"({'|'.join(dict.fromkeys(self.forms[name].expression(end) for name in names))})"
