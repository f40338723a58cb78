"""Read a TOML table into a dataclass: every field is checked, and every fault is reported at once, with its line.

The fields are the settings: their types define what is allowed, their defaults apply where a file sets nothing.
"""

import codecs
import errno
import re
import stat
import sys
import tomllib
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from bootstrap.limits import EXPLAINED, FromText, a_duration

if TYPE_CHECKING:
    from bootstrap.config.renamed import Rename

T = TypeVar("T")

MAX_BYTES = 65_536  # of a settings file; ours have one or two thousand
MAX_DIGITS = 4300  # of a whole number; Python converts no more
SHOWN = 80  # characters of a value that a message repeats
_HEADER = re.compile(r"\s*\[([^\]]*)\]")
_UNSET = re.compile(r"#\s*([\w-]+)\s*=", re.ASCII)
_KEY = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))\s*[=.]""", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault in the configuration: where, what, and what instead."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        """Return one printable line: no text from a file, and no file's name, may control a terminal."""
        text = f"{self.file}:{self.line}: {self.text}"
        return (
            text if text.isprintable() else "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
        )


class SettingsError(Exception):
    """The configuration cannot be used; every reason is in `faults`."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


class Wrong(ValueError):  # noqa: N818 - it is what a __post_init__ raises
    """Settings that are wrong in a way types cannot express; `reasons` says why, by the setting's name."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("; ".join(reasons.values()))
        self.reasons = reasons


class TomlFile:
    """One TOML file: its table, the lines of its keys, and its faults."""

    def __init__(self, folder: Path, name: str, draft: bytes | None = None) -> None:
        """Read the file, or `draft` in its place: what it is going to contain."""
        self.folder, self.name = folder, name
        self.faults: list[Fault] = []
        self._key_lines: dict[tuple[str, str], int] = {}
        self.outside_sections: set[str] = set()  # settings that belong above the first section
        self.loaded = False
        self.table: dict[str, Any] = self._load(draft)

    def _load(self, draft: bytes | None) -> dict[str, Any]:
        rows: list[str] = []
        try:
            text = decoded(contents(self.folder / self.name) if draft is None else draft)
            rows = text.split("\n")
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            self._not_toml(str(error), text.rstrip("\n").split("\n"))
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            self.fault(f"not UTF-8 text: {error.reason}; save the file as UTF-8", line)
        except OSError as error:
            self.fault(f"cannot be read: {error.strerror}")
        except RecursionError:
            self.fault("nested too deeply; settings are flat")
        except ValueError:
            long = re.compile(rf"[0-9_]{{{MAX_DIGITS}}}")
            line = next((number for number, row in enumerate(rows, 1) if long.search(row)), 1)
            self.fault(f"a whole number has more than {MAX_DIGITS} digits", line)
        else:
            self.loaded = True
            self._key_lines = _find_keys(rows)
            return table
        return {}

    def _not_toml(self, error: str, rows: list[str]) -> None:
        from bootstrap.config.toml_hints import hint as toml_hint  # noqa: PLC0415 - few files are faulty

        found = re.search(r"at line (\d+)", error)
        line = min(int(found[1]), len(rows)) if found else len(rows)
        problem = re.sub(r" \(at .*\)$", "", error)
        hint = toml_hint(rows[line - 1], problem)
        self.fault(f"not TOML: {problem}{hint and f'; {hint}'}", line)

    def fault(self, text: str, line: int = 1) -> None:
        """Add one fault."""
        self.faults.append(Fault(self.name, line, text))

    def line(self, key: str, section: str = "") -> int:
        """Return the line of a key, or of its section if the key is missing; that may be one in braces."""
        found = self._key_lines.get((section, key)) or self._key_lines.get(("", section))
        outer, _, name = (section or key).rpartition(".")
        return found or (self.line(name, outer) if outer else 1)

    def fill(self, cls: type[T], table: Mapping[str, Any], section: str = "") -> T | None:
        """Return a `cls` with the values of a table, or None after adding the reasons to `faults`."""
        known = {field.name: field for field in fields(cls) if field.init}  # type: ignore[arg-type]
        if not section:
            self.outside_sections |= known.keys()
        before = len(self.faults)
        unknown = sorted(table.keys() - known.keys())
        for key in unknown:
            self._report_unknown(key, section, known)
        hints = get_type_hints(cls, include_extras=True)
        values = {}
        for name, field in known.items():
            if name in table:
                values[name] = self._value(name, table[name], hints[name], section)
            elif _required(field) and not any(self._meant(key, section, known) == name for key in unknown):
                self._report_missing(name, section, field.metadata.get(EXPLAINED, ""))
        return self._make(cls, values, section) if len(self.faults) == before else None

    def _report_unknown(self, key: str, section: str, known: Iterable[str]) -> None:
        misplaced = section and key in self.outside_sections
        hint = (
            f"move the line above [{section}], which ends with the file"
            if misplaced
            else self._hint(key, section, known)
        )
        self.fault(
            f"no setting {_cut(repr(key))}{f' in [{section}]' if misplaced else ''}; {hint}", self.line(key, section)
        )

    def _hint(self, key: str, section: str, known: Iterable[str]) -> str:
        """Return what an unknown setting is called since a version, or may have been meant to be."""
        if found := self._renamed(key, section):
            return f"it is called {found.new!r} since {found.since}; `penates upgrade` rewrites it"
        return suggestion(key, known)

    def _meant(self, key: str, section: str, known: Iterable[str]) -> str | None:
        found = self._renamed(key, section)
        return found.new if found else meant(key, known)

    def _renamed(self, key: str, section: str) -> "Rename | None":
        from bootstrap.config.renamed import renamed  # noqa: PLC0415 - few settings are unknown

        kind = self.table.get("kind", "") if "/" in self.name else None
        return renamed(kind, section, key)

    def _report_missing(self, name: str, section: str, explained: str) -> None:
        unset = self._key_lines.get((section, f"# {name}"))
        hint = "; remove the '#' and set it" if unset else ""
        what = f": {explained}" if explained else ""
        self.fault(f"{name!r} is missing{hint}{what}", unset or self.line(name, section))

    def _value(self, name: str, value: object, hint: Any, section: str) -> object:  # noqa: ANN401 - a type hint
        try:
            if is_dataclass(hint) and not hasattr(hint, "needs"):
                return self._section(name, value, hint)
            converted = convert(value, hint, self.folder)
            if name.endswith("_s"):
                a_duration(converted)
        except ValueError as error:
            self.fault(f"{name!r} must be {error}, not {shown(value)}", self.line(name, section))
            return None
        return converted

    def section(self, name: str, value: object, cls: type[T]) -> T | None:
        """Return a `cls` with the values of one section, or None after adding the reasons to `faults`."""
        return cast("T | None", self._value(name, value, cls, ""))

    def _section(self, name: str, value: object, hint: Any) -> object:  # noqa: ANN401 - a dataclass
        if not isinstance(value, dict):
            raise ValueError(f"a section, [{name}]")  # noqa: TRY004 - every wrong value is a ValueError here
        return self.fill(hint, value, name)

    def _make(self, cls: type[T], values: dict[str, object], section: str) -> T | None:
        try:
            return cls(**values)
        except Wrong as error:
            for name, reason in error.reasons.items():
                self.fault(reason, self.line(name, section))
        except ValueError as error:  # from a __post_init__ that checks what types cannot
            self.fault(str(error), self.line("", section))
        return None


def contents(file: Path) -> bytes:
    """Return the content of a small file.

    Raises:
        OSError: it cannot be read, is not a regular file (a pipe would block us), or is too large.
    """
    mode = file.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # `open` reports a folder itself
        raise OSError(errno.EINVAL, "it is not a regular file")
    with file.open("rb") as stream:
        found = stream.read(MAX_BYTES + 1)
    if len(found) > MAX_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {MAX_BYTES} bytes")
    return found


def decoded(raw: bytes) -> str:
    """Return the text of a file that a person has written, without the mark that editors on Windows put before it.

    Raises:
        UnicodeDecodeError: it is not UTF-8; its reason names UTF-16 where it is that.
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in raw[:2]:
        raise UnicodeDecodeError("utf-8", raw, 0, 1, "it is UTF-16, as some editors call Unicode")
    return raw.decode("utf-8-sig")


def _find_keys(rows: Iterable[str]) -> dict[tuple[str, str], int]:
    """Return the line of each section and key, by section and key; `# key` is one that is commented out.

    tomllib does not provide it; the files are flat.
    """
    found: dict[tuple[str, str], int] = {}
    section = ""
    for number, row in enumerate(rows, 1):
        if header := _HEADER.match(row):
            section = header[1].strip(" \t[").replace('"', "")
            found.setdefault(("", section), number)
        elif key := _KEY.match(row):
            found.setdefault((section, key[key.lastindex or 0]), number)
        elif unset := _UNSET.match(row):
            found.setdefault((section, f"# {unset[1]}"), number)
    return found


def meant(wrong: str, known: Iterable[str]) -> str | None:
    """Return the name in `known` that may have been meant, or None."""
    import difflib  # noqa: PLC0415 - a sensor whose settings are right never needs it

    return next(iter(difflib.get_close_matches(wrong, list(known), n=1)), None)


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """Return a hint: the name that may have been meant, or all names."""
    if near := meant(wrong, known):
        return f"did you mean {near!r}?"
    return f"choose from {', '.join(sorted(known))}"


def _required(field: "Field[Any]") -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def convert(value: object, hint: Any, folder: Path) -> object:  # noqa: ANN401 - a type hint may be any object
    """Return `value` as the type hint requires it; paths are relative to `folder`.

    Raises:
        ValueError: it does not fit; the message says what would.
    """
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        converted = convert(_from_text(value, args[1:]), args[0], folder)
        for mark in args[1:]:
            if callable(mark):
                mark(converted)
        return converted
    if origin is Literal:
        if value not in args:
            raise ValueError(" or ".join(f'"{choice}"' for choice in args))
        return value
    if origin in (Union, types.UnionType):
        return _first(value, [choice for choice in args if choice is not type(None)], folder)
    if origin is list:
        return _list(value, args[0], folder)
    return _made(hint, value, folder) if hasattr(hint, "needs") else _SCALARS[hint](value, folder)


def _made(hint: Any, value: object, folder: Path) -> object:  # noqa: ANN401 - a class of settings that are text
    """Return what a text means, or what the file of that name says."""
    text = _SCALARS[str](value, folder)
    return hint.named(text, folder) if hasattr(hint, "named") else hint(text)


def _from_text(value: object, marks: Iterable[object]) -> object:
    """Return what `value` stands for if it is text, and a mark of its type says so; else `value` itself."""
    readers = (mark.call for mark in marks if isinstance(mark, FromText))
    return next((read(value) for read in readers), value) if isinstance(value, str) else value


def _first(value: object, choices: list[object], folder: Path) -> object:
    """Return `value` as the first choice that it fits; if it has the type of one, only that says what is wrong."""
    wanted = []
    for choice in choices:
        try:
            return convert(value, choice, folder)
        except ValueError as error:
            if isinstance(value, _type(choice)):
                raise
            wanted.append(str(error))
    raise ValueError(" or ".join(wanted))


def _type(hint: object) -> type:
    """Return the type that TOML has for a hint; `NoneType`, which no value in TOML has, where that is not known."""
    origin = get_origin(hint)
    found = _type(get_args(hint)[0]) if origin is Annotated else origin or hint
    return found if isinstance(found, type) and found in (bool, int, float, str, list) else type(None)


def _list(value: object, hint: object, folder: Path) -> object:
    if not isinstance(value, list) or not value:
        raise ValueError("a list that is not empty")
    return [convert(item, hint, folder) for item in value]


def _number(value: object, _folder: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise ValueError(_NAMES[float])
    return float(value)


def _exactly(kind: type) -> Callable[[object, Path], object]:
    def check(value: object, _folder: Path) -> object:
        if type(value) is not kind:
            raise ValueError(_NAMES[kind])
        if value == "":
            raise ValueError("text that is not empty")
        return value

    return check


def a_path(text: str) -> None:
    """Raise ValueError if `text` is no path, or one that only a shell understands."""
    if not text or "\0" in text:
        raise ValueError(_NAMES[Path])
    if text[0] in "~$":
        raise ValueError(f"the full path, as nothing replaces {text[0]!r} (a service has no home folder)")


def is_path(text: str) -> bool:
    """Return whether `a_path` accepts `text`."""
    try:
        a_path(text)
    except ValueError:
        return False
    return True


def _path(value: object, folder: Path) -> Path:
    if not isinstance(value, str):
        raise ValueError(_NAMES[Path])  # noqa: TRY004 - every wrong value is a ValueError here
    a_path(value)
    return folder / value


_NAMES: dict[object, str] = {
    bool: "true or false",
    float: "a number",
    int: "a whole number",
    str: "text in quotes",
    Path: "a path in quotes",
}
_SCALARS: dict[object, Callable[[object, Path], object]] = {
    bool: _exactly(bool),
    float: _number,
    int: _exactly(int),
    str: _exactly(str),
    Path: _path,
}


def shown(value: object) -> str:
    """Return a value as the file may have it, cut to a useful length."""
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return _cut(f'"{value}"' if isinstance(value, str) else str(value))
    except ValueError:
        return f"a whole number of more than {MAX_DIGITS} digits"


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
