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
import tomllib
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cached_property
from itertools import combinations, takewhile
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from bootstrap.config.kinds import find
from bootstrap.config.toml_file import convert
from bootstrap.device import Device, Measure
from bootstrap.gateway import Gateway
from bootstrap.kernel_sensors.catalog import CATALOG
from bootstrap.kernel_sensors.chip import Chip
from bootstrap.limits import Limits
from bootstrap.needs import LINES, DebianPackage, Declares, GpioLine, Need, declared, with_lines
from penates.drivers import steps
from penates.parts import plain
from penates.wiring_picture import WiredHeader, pictures, wired

WIDTH = 120
CHECKERS = re.compile(r"(?:noqa|type:\s*ignore|pragma:)\b.*")  # words for a program that checks the source
EXAMPLE = re.compile(r"""such as (\[(?:[^][]|\[[^][]*\])*\]|"[^"]*"|[^\s;:,]+)""")
FREE_LINES = (17, 27, 22, 23, 24, 25, 5, 6)  # for examples: lines with no other use
MOST_SPARE = 2  # optional settings that an example may need
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
    def is_line(self) -> bool:
        """Whether it names one GPIO line."""
        return get_origin(self.hint) is not list and LINES in _parts(self.hint)

    @property
    def shown(self) -> str:
        """Its default in TOML; an example if it has none."""
        if self.default not in (MISSING, None):
            return toml(self.default)
        if example := EXAMPLE.search(self.comment):
            if example[1].startswith("["):
                return example[1]
            word = example[1].strip('"')
            is_text = example[1] != word or {str, Path} & {*_types(self.hint)} or self.words
            return toml(word) if is_text else word
        return "…" if {bool, int, float} & {*_types(self.hint)} else '"…"'

    def needs(self, typed: str | None) -> list[Need]:
        """Return what a value in TOML needs, or without one the default; nothing if it cannot be one."""
        try:
            value = self.default if typed is None else tomllib.loads(f"value = {typed}")["value"]
            fits = value if typed is None else convert(value, self.hint, Path())
        except ValueError:
            return []
        return [] if fits is MISSING else [*declared(fits, self.hint)]

    @property
    def words(self) -> list[str]:
        """The words that it may be, if it is one of some; empty if not."""
        choices = (get_args(part) for part in _parts(self.hint) if get_origin(part) is Literal)
        return [word for words in choices for word in words if isinstance(word, str)]

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

    @cached_property
    def settings(self) -> list[Setting]:
        """The settings in order; read from the source when they are wanted, because that takes a while."""
        return [*settings_of(self.device)]

    @property
    def sharing(self) -> list[Setting]:
        """The setting of who gets to know what it measures, of a kind that is private without it."""
        return [Setting("shared_with", str, "none", WHO)] if self.device.private else []

    @property
    def measures(self) -> Mapping[str, Measure]:
        """The measures of the kind."""
        return self.device.measures

    @property
    def summary(self) -> str:
        """What the kind is, in one sentence."""
        return self.what.partition("\n")[0]

    def pictures(self) -> Iterator[tuple[str, str]]:
        """Yield a picture of the wiring, with the lines of the examples; several with a label each, if parts differ."""
        return pictures(self.wiring, self._lines({}))

    def wired(self, values: Mapping[str, str], part: str = "") -> list[WiredHeader]:
        """Return the header with the device on it, whose settings in TOML are `values`: else those of the examples.

        Of several alternatives it is that for this part, or for the one that `values` name.
        """
        chips = [Chip(json.loads(values[one.name])) for one in self.settings if one.hint is Chip and one.name in values]
        moved = {old: new for chip in chips for old, new in zip(Chip(chip.part).lines, chip.lines, strict=True)}
        named = {plain(part), *(plain(chip.part) for chip in chips)}
        found = [*wired(self.wiring, self._lines(values), moved)]
        return [one for one in found if named & {*map(plain, re.split(r"[,\s]+", one.label))} - {""}] or found

    def _lines(self, values: Mapping[str, str]) -> dict[str, int]:
        """Return the number of each line: of those that `values` name, else of the examples."""
        known = {**self.examples(), **values}
        shown = {one.name: known.get(one.name, one.shown) for one in self.settings if one.is_line}
        found = ((one.name, one.needs(shown[one.name])) for one in self.settings if one.is_line)
        return {name: need.number for name, needs in found for need in needs if isinstance(need, GpioLine)}

    def examples(self) -> dict[str, str]:
        """Return settings in TOML with which a device can be made: the examples in their comments, or GPIO lines.

        They are those without a default; and the first others without which their class accepts none.
        """
        lines = iter(FREE_LINES)
        wanted = (setting for setting in self.settings if setting.required)
        needed = {one.name: str(next(lines)) if one.is_line else one.shown for one in wanted}
        spare = [one for one in self.settings if one.default is None and "…" not in one.shown]
        sets = (chosen for count in range(MOST_SPARE + 1) for chosen in combinations(spare, count))
        tried = ({**needed, **{one.name: one.shown for one in chosen}} for chosen in sets)
        return next((values for values in tried if self.made(values)), needed)

    def made(self, values: Mapping[str, str]) -> Device | None:
        """Return a device with these settings in TOML; None if there can be none."""
        hints = {one.name: one.hint for one in self.settings}
        try:
            given = tomllib.loads("\n".join(f"{name} = {value}" for name, value in values.items()))
            settings: dict[str, Any] = {name: convert(value, hints[name], Path()) for name, value in given.items()}
            return self.device(**settings)
        except (TypeError, ValueError):
            return None

    def write(self, values: Mapping[str, str], group: str, sensor: str) -> str:
        """Return a device's file with these values, in TOML; the other settings are commented out at their defaults.

        `group` and `sensor` are the defaults of these two settings.
        """
        wired = [] if self.wiring == "none." else [f"Wiring: {self.wiring}"]
        known = [f"Driver: {step}." for step in self.driver(values)]
        head = [*map(_comment, [" ".join(self.what.split()), *wired, *known]), f"kind = {toml(self.kind)}"]
        names = [Setting("group", str, group, WHERE), Setting("sensor", str, sensor, "")]
        return "\n\n".join(_paragraphs(head, [*self.settings, *self.sharing, *names], values)) + "\n"

    def of_part(self, part: str) -> dict[str, str]:
        """Return the settings, in TOML, by which a device of this kind reads this part; nothing if none says so."""
        chips = [one.name for one in self.settings if one.hint is Chip]
        named = {name: toml(str(Chip(part))) for name in chips if plain(part) in map(plain, CATALOG)}
        words = ((one.name, word) for one in self.settings for word in one.words if plain(word) == plain(part))
        return named | {name: toml(word) for name, word in words}

    def driver(self, values: Mapping[str, str]) -> list[str]:
        """Return how the kernel comes to know of a device with these values, in TOML; nothing if it need not."""
        needs = with_lines((one.name, need) for one in self.settings for need in one.needs(values.get(one.name)))
        return [*steps(need for _name, need in needs)]

    def section(self) -> list[str]:
        """Return the settings of a sensor that this kind carries, likewise; nothing if it is no gateway."""
        if not issubclass(self.device, Gateway):
            return []
        return _paragraphs(["[sensors.NAME]"], [*settings_of(self.device.adopts)], {})

    def paragraphs(self, values: Mapping[str, str]) -> list[str]:
        """Return the settings, each with its meaning and its value or default, as in a new file."""
        return _paragraphs([], self.settings, values)


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
    return Sheet(kind, device, what.strip(), " ".join(wiring.split()) or "none.")


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
            texts = [CHECKERS.sub("", comments[row].string.lstrip("#")).strip() for row in rows]
            if any(texts):
                found[node.target.id] = " ".join(filter(None, texts))
    return found
