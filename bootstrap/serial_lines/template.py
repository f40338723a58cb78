"""The parts of a pattern of lines: text as it is, and fields in braces."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

PART = re.compile(r"\{\{|\}\}|\{(?P<field>[^{}]*)\}|[{}]")
ID, MEASURE, VALUE, ANYTHING = "id", "measure", "value", "_"  # fields that are no measure of that name
AN_ID = r"(?:[A-Za-z0-9_.:-]){1,32}"


@dataclass(frozen=True)
class TemplateField:
    """A field: its name, the form of its values behind a colon, and for an id that is always the same, that one."""

    name: str
    form: str = ""
    constant: str = ""

    @classmethod
    def of(cls, text: str) -> "TemplateField":
        """Return the field that this text in braces means."""
        if text.startswith(f"{ID}="):
            return cls(ID, constant=text.removeprefix(f"{ID}="))
        name, _, form = text.partition(":")
        return cls(name.strip(), form.strip())


Part: TypeAlias = str | TemplateField


def parts_of(text: str) -> list[Part]:
    """Return the parts of a pattern, in their order. `{{` and `}}` are braces as such.

    Raises:
        ValueError: a brace has no other half.
    """
    found, literal, at = list[Part](), "", 0
    for part in PART.finditer(text):
        literal += text[at : part.start()]
        at = part.end()
        if part["field"] is not None:
            found += [literal, TemplateField.of(part["field"])]
            literal = ""
        elif len(part[0]) == 1:
            raise ValueError(f"a {part[0]} without its other half; to mean one, write it twice")
        else:
            literal += part[0][0]
    return [part for part in (*found, literal + text[at:]) if part != ""]


def require_sense(parts: list[Part]) -> None:
    """Check what the fields of a pattern are together.

    Raises:
        ValueError: nobody can tell who a line is about, or what a field is.
    """
    fields = [part for part in parts if isinstance(part, TemplateField)]
    names = [one.name for one in fields]
    for name in names:
        if names.count(name) > 1 and name not in (ID, ANYTHING):
            raise ValueError(f"{{{name}}} is there twice")
    if ID not in names:
        raise ValueError("who it is about is missing: {id}, or {id=NAME} for lines that do not say it")
    if (MEASURE in names) != (VALUE in names):
        raise ValueError("{measure:…} says which measure {value} is: one without the other means nothing")
    if not {*names} - {ID, ANYTHING}:
        raise ValueError("no field is a measure, such as {temperature}")
    for one in fields:
        if one.name == ID and (one.form or (one.constant and not re.fullmatch(AN_ID, one.constant))):
            raise ValueError("an id is {id}, or {id=NAME} with a name of up to 32 letters, digits and _ . : -")
    for left, right in pairwise(parts):
        if all(isinstance(one, TemplateField) and not one.constant for one in (left, right)):
            raise ValueError("nothing tells where a field ends and the next one begins")
