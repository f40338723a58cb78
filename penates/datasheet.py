"""A kind's data sheet: what it is, its wiring, settings and measures, read from its class and the comments in it.

A comment behind a setting, or in the lines above it, is the sentence that explains it; `such as VALUE` in it is an
example. A setting without one has that of a base class, else that of its type; else it shares the one before it.
"""

import ast
import inspect
import io
import json
import linecache
import math
import re
import textwrap
import tokenize
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from bootstrap.config.kinds import find
from bootstrap.device import Device, Measure
from bootstrap.limits import Limits

WIDTH = 120
EXAMPLE = re.compile(r"""such as ("[^"]*"|[^\s;:,]+)""")
WHERE = "another group than the house's, or another sensor id"


@dataclass(frozen=True)
class Setting:
    """One setting; `default` is MISSING if it has none, and None if it is simply not set."""

    name: str
    hint: Any
    default: object
    said: str

    @property
    def required(self) -> bool:
        """Whether only its owner can know it."""
        return self.default is MISSING

    @property
    def sentence(self) -> str:
        """What is said of it, as one that begins and ends like one; empty if nothing is."""
        text = self.said[:1].upper() + self.said[1:]
        return text if not text or text.endswith((".", "!", "?")) else f"{text}."

    @property
    def shown(self) -> str:
        """Its default in TOML; where it has none, an example."""
        if self.default not in (MISSING, None):
            return toml(self.default)
        if example := EXAMPLE.search(self.said):
            word = example[1].strip('"')
            return toml(word) if {str, Path} & {*_types(self.hint)} else word
        return "…" if {bool, int, float} & {*_types(self.hint)} else '"…"'

    @property
    def facts(self) -> dict[str, object]:
        """For programs."""
        known: dict[str, object] = {"required": self.required}
        if not self.required:
            known["default"] = str(self.default) if isinstance(self.default, Path) else self.default
        for part in _parts(self.hint):
            if get_origin(part) is Literal:
                known["choices"] = list(get_args(part))
            elif isinstance(part, Limits):
                limits = (("low", part.low), ("high", part.high))
                known |= {name: limit for name, limit in limits if math.isfinite(limit)}
        return {**known, "what": self.sentence}


@dataclass(frozen=True)
class Sheet:
    """All that is known of one kind before there is one."""

    kind: str
    device: type[Device]
    what: str
    wiring: str
    settings: list[Setting]

    @property
    def measures(self) -> Mapping[str, Measure]:
        """What it measures."""
        return self.device.measures

    @property
    def summary(self) -> str:
        """What it is, in one sentence."""
        return self.what.partition("\n")[0]

    def write(self, values: Mapping[str, str], group: str, sensor: str) -> str:
        """A device's file with these values, in TOML; the rest are its defaults, commented out.

        `group` and `sensor` are what it will have if the file says neither.
        """
        wired = [] if self.wiring == "none." else [f"Wiring: {self.wiring}"]
        head = [*map(_comment, [" ".join(self.what.split()), *wired]), f"kind = {toml(self.kind)}"]
        names = [Setting("group", str, group, WHERE), Setting("sensor", str, sensor, "")]
        return "\n\n".join(_paragraphs(head, [*self.settings, *names], values)) + "\n"

    def paragraphs(self) -> list[str]:
        """Its settings, each with what it means and its default, as they stand in a new file."""
        return _paragraphs([], self.settings, {})


def _paragraphs(head: list[str], settings: list[Setting], values: Mapping[str, str]) -> list[str]:
    """What is required and has no value is commented out, too, so that `penates check` misses it."""
    parts = [head]
    for setting in settings:
        unset = " Set it: it has no default." if setting.required and setting.name not in values else ""
        if setting.said or unset:
            parts.append([_comment(f"{setting.sentence}{unset}".strip())])
        parts[-1].append(_row(setting, values))
    return ["\n".join(part) for part in parts if part]


def _row(setting: Setting, values: Mapping[str, str]) -> str:
    value = values.get(setting.name)
    return f"# {setting.name} = {setting.shown}" if value is None else f"{setting.name} = {value}"


def _comment(text: str) -> str:
    """`##` lines."""
    return "\n".join(textwrap.wrap(text, WIDTH, initial_indent="## ", subsequent_indent="## ", break_on_hyphens=False))


def toml(value: object) -> str:
    """A value as it stands in a file."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, bool | str | Path):
        return json.dumps(value if isinstance(value, bool) else str(value), ensure_ascii=False)
    return str(value)


def sheet(kind: str, folder: Path) -> Sheet:
    """The data sheet of a kind; one of the user's own may lie in `folder`.

    Raises:
        KindError: there is none, or it is not a device that works.
    """
    device = find(kind, folder)
    what, _, wiring = inspect.cleandoc(device.__doc__ or "").partition("Wiring:")
    return Sheet(kind, device, what.strip(), " ".join(wiring.split()) or "none.", [*_settings(device)])


def _settings(device: type[Device]) -> Iterator[Setting]:
    """Its settings in order, and how often it is read at the end: that every kind has."""
    hints = get_type_hints(device, include_extras=True)
    said = ChainMap(*(_comments(cls) for cls in device.__mro__ if is_dataclass(cls)))
    for field in sorted((field for field in fields(device) if field.init), key=lambda one: one.name == "every_s"):
        hint = hints[field.name]
        yield Setting(field.name, hint, _default(field), said.get(field.name) or _said_of_type(hint))


def _default(field: "Field[Any]") -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _parts(hint: object) -> Iterator[object]:
    """A type hint and all that it is made of."""
    yield hint
    for part in get_args(hint) if get_origin(hint) is not Literal else ():
        yield from _parts(part)


def _types(hint: object) -> Iterator[type]:
    return (part for part in _parts(hint) if isinstance(part, type))


def _said_of_type(hint: object) -> str:
    return next((part.what for part in _parts(hint) if isinstance(part, Limits)), "")


def _comments(cls: type) -> dict[str, str]:
    """What the source of one class says of each of its fields; nothing, if there is no source."""
    linecache.checkcache()
    try:
        source = textwrap.dedent(inspect.getsource(cls))
    except (OSError, TypeError):
        return {}
    (body,) = (node.body for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {token.start[0]: token for token in tokens if token.type == tokenize.COMMENT}
    alone = {row for row, token in comments.items() if token.line.lstrip().startswith("#")}
    found = {}
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            above = list(takewhile(alone.__contains__, range(node.lineno - 1, 0, -1)))
            rows = [*reversed(above), *(row for row in (node.end_lineno,) if row in comments)]
            if rows:
                found[node.target.id] = " ".join(comments[row].string.lstrip("#").strip() for row in rows)
    return found
