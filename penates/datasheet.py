"""A kind's data sheet: what it is, its wiring, settings and measures, read from its class and the comments in it.

The comment behind a setting, or on the lines above it, explains the setting; `such as VALUE` in it is an example. A
setting without a comment has that of a base class or of its type; else it is listed under the setting before it.
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
from bootstrap.gateway import Gateway
from bootstrap.limits import Limits
from bootstrap.needs import DebianPackage, Declares

WIDTH = 120
EXAMPLE = re.compile(r"""such as (\[[^\]]*\]|"[^"]*"|[^\s;:,]+)""")
EDGES = " to confirm the state: changes are reported at once"  # of a device that watches an input
WHERE = "a group other than the house's, or another sensor id"
WHO = 'who else gets to know its values: "all", or some of ["history", "homeassistant", "sites"]'


@dataclass(frozen=True)
class Setting:
    """One setting; `default` is MISSING if it has none, and None if it may be left unset."""

    name: str
    hint: Any
    default: object
    comment: str

    @property
    def required(self) -> bool:
        """Whether it has no default, so that its owner must set it."""
        return self.default is MISSING

    @property
    def sentence(self) -> str:
        """Its comment, with a capital letter and a full stop; empty if there is none."""
        text = self.comment[:1].upper() + self.comment[1:]
        text = text if not text or text.endswith((".", "!", "?")) else f"{text}."
        packages = [part.name for part in _parts(self.hint) if isinstance(part, DebianPackage)]
        return " ".join([text, *(f"It is in the Debian package {name}." for name in packages)]).strip()

    @property
    def shown(self) -> str:
        """Its default in TOML; an example if it has none."""
        if self.default not in (MISSING, None):
            return toml(self.default)
        if example := EXAMPLE.search(self.comment):
            if example[1].startswith("["):
                return example[1]
            word = example[1].strip('"')
            return toml(word) if {str, Path} & {*_types(self.hint)} else word
        return "…" if {bool, int, float} & {*_types(self.hint)} else '"…"'

    @property
    def facts(self) -> dict[str, object]:
        """The setting in a form for JSON."""
        known: dict[str, object] = {"required": self.required}
        if not self.required:
            known["default"] = str(self.default) if _is_text(self.default) else self.default
        for part in _parts(self.hint):
            if get_origin(part) is Literal:
                known["choices"] = list(get_args(part))
            elif isinstance(part, DebianPackage):
                known["package"] = part.name
            elif isinstance(part, Limits):
                limits = (("low", part.low), ("high", part.high))
                known |= {name: limit for name, limit in limits if math.isfinite(limit)}
        return {**known, "what": self.sentence}


@dataclass(frozen=True)
class Sheet:
    """All that is known about a kind without a device of it."""

    kind: str
    device: type[Device]
    what: str
    wiring: str
    settings: list[Setting]

    @property
    def measures(self) -> Mapping[str, Measure]:
        """The measures of the kind."""
        return self.device.measures

    @property
    def summary(self) -> str:
        """What the kind is, in one sentence."""
        return self.what.partition("\n")[0]

    def write(self, values: Mapping[str, str], group: str, sensor: str) -> str:
        """Return a device's file with these values, in TOML; the other settings are commented out at their defaults.

        `group` and `sensor` are the defaults of these two settings.
        """
        wired = [] if self.wiring == "none." else [f"Wiring: {self.wiring}"]
        head = [*map(_comment, [" ".join(self.what.split()), *wired]), f"kind = {toml(self.kind)}"]
        names = [Setting("group", str, group, WHERE), Setting("sensor", str, sensor, "")]
        who = [Setting("shared_with", str, "none", WHO)] if self.device.private else []
        return "\n\n".join(_paragraphs(head, [*self.settings, *who, *names], values)) + "\n"

    def section(self) -> list[str]:
        """Return the settings of a sensor that this kind carries, likewise; nothing if it is no gateway."""
        if not issubclass(self.device, Gateway):
            return []
        return _paragraphs(["[sensors.NAME]"], [*settings_of(self.device.adopts)], {})

    def paragraphs(self) -> list[str]:
        """Return the settings, each with its meaning and its default, as in a new file."""
        return _paragraphs([], self.settings, {})


def _paragraphs(head: list[str], settings: list[Setting], values: Mapping[str, str]) -> list[str]:
    """Return the paragraphs of a file.

    A required setting without a value is commented out as well, so that `penates check` reports it as missing.
    """
    parts = [head]
    for setting in settings:
        unset = " Set it: it has no default." if setting.required and setting.name not in values else ""
        if setting.comment or unset:
            parts.append([_comment(f"{setting.sentence}{unset}".strip())])
        parts[-1].append(_row(setting, values))
    return ["\n".join(part) for part in parts if part]


def _row(setting: Setting, values: Mapping[str, str]) -> str:
    value = values.get(setting.name)
    return f"# {setting.name} = {setting.shown}" if value is None else f"{setting.name} = {value}"


def _comment(text: str) -> str:
    """Return a text as `##` lines."""
    return "\n".join(textwrap.wrap(text, WIDTH, initial_indent="## ", subsequent_indent="## ", break_on_hyphens=False))


def toml(value: object) -> str:
    """Return a value as TOML."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, bool | str) or _is_text(value):
        return json.dumps(value if isinstance(value, bool) else str(value), ensure_ascii=False)
    return str(value)


def _is_text(value: object) -> bool:
    """Return whether a setting's value is written as text: a path, or an object that is made from text."""
    return isinstance(value, Path) or hasattr(value, "needs")


def sheet(kind: str, folder: Path | None) -> Sheet:
    """Return the data sheet of a kind; `folder` may contain a class of the user's own (see `find`).

    Raises:
        KindError: there is no such kind, or it is not a working device.
    """
    device = find(kind, folder)
    what, _, wiring = inspect.cleandoc(device.__doc__ or "").partition("Wiring:")
    return Sheet(kind, device, what.strip(), " ".join(wiring.split()) or "none.", [*settings_of(device)])


def settings_of(device: type[Device]) -> Iterator[Setting]:
    """Yield the settings in order; `every_s`, which every kind has, comes last."""
    hints = get_type_hints(device, include_extras=True)
    comments = ChainMap(*(_comments(cls) for cls in device.__mro__ if is_dataclass(cls)))
    for field in sorted((field for field in fields(device) if field.init), key=lambda one: one.name == "every_s"):
        hint = hints[field.name]
        comment = comments.get(field.name) or _comment_of_type(hint)
        plain = field.name == "every_s" and comment == comments.maps[-1].get("every_s")  # what `Device` says of it
        edges = EDGES if plain and device.on_edge is not Device.on_edge else ""
        yield Setting(field.name, hint, _default(field), f"{comment}{edges}")


def _default(field: "Field[Any]") -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _parts(hint: object) -> Iterator[object]:
    """Yield a type hint and all its parts."""
    yield hint
    for part in get_args(hint) if get_origin(hint) is not Literal else ():
        yield from _parts(part)


def _types(hint: object) -> Iterator[type]:
    return (part for part in _parts(hint) if isinstance(part, type))


def _comment_of_type(hint: object) -> str:
    return next((part.what for part in _parts(hint) if isinstance(part, Limits | Declares) and part.what), "")


def _comments(cls: type) -> dict[str, str]:
    """Return the comment on each field in the source of a class; nothing if there is no source."""
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
