"""Editing settings in a TOML file, while its comments stay as they are."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TypeAlias

BLANKS = " \t\ufeff"  # the last is the mark that editors on Windows put before a text
ASSIGNMENT = re.compile(r"[^#\[=][^=]*=")
HEADER = re.compile(r"\s*\[([^\]]*)\]")
Settings: TypeAlias = Mapping[tuple[str, str], object]  # (section, key): value


def with_settings(text: str, settings: Settings) -> str:
    """Return the text with each setting replaced, or added at the end of its section; None comments a setting out."""
    rows = text.removeprefix("\ufeff").splitlines()  # the mark that editors on Windows put before a text
    for (section, key), value in settings.items():
        if value is None:
            _comment_out(rows, section, key)
        else:
            _set(rows, section, key, f"{key} = {toml(value)}")
    return "\n".join([*rows, ""])


def toml(value: object) -> str:
    """Return a value as TOML has it on one line."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {toml(one)}' for key, one in value.items())} }}"
    return json.dumps(value, ensure_ascii=False)


def split_sections(text: str, name: str) -> tuple[str, str]:
    """Return a text without the sections `[name]` and `[name.…]`, and these sections."""
    parts: tuple[list[str], list[str]] = ([], [])
    inside = False
    for row in text.splitlines(keepends=True):
        if header := HEADER.match(row):
            inside = header[1].strip().partition(".")[0].strip() == name
        parts[inside].append(row)
    return "".join(parts[0]), "".join(parts[1])


def with_section(text: str, section: str, settings: Mapping[str, str]) -> str:
    """Return the text with a new section at its end. `settings` are in TOML; what was there stays byte for byte."""
    end = "\r\n" if "\r\n" in text else "\n"
    rows = [f"[{section}]", *(f"{key} = {value}" for key, value in settings.items())]
    gap = "" if not text else end if text.endswith("\n") else 2 * end
    return text + gap + "".join(f"{row}{end}" for row in rows)


def with_renamed(text: str, section: str, old: str, new: str) -> str:
    """Return the text with a setting of a section by another name, also where it is commented out; no more changes."""
    rows = text.splitlines(keepends=True)
    first, end = bounds(rows, section)
    number = first if first is not None else end
    named = re.compile(rf"^([{BLANKS}]*(?:#[ \t]*)?){re.escape(old)}(?=[ \t]*=)")
    while number < end:
        after = end_of_value(rows, number) if ASSIGNMENT.match(rows[number].strip(BLANKS)) else number + 1
        rows[number] = named.sub(rf"\g<1>{new}", rows[number], count=1)
        number = after
    return "".join(rows)


def _comment_out(rows: list[str], section: str, key: str) -> None:
    first, end = bounds(rows, section)
    for number in range(first or 0, end if first is not None else 0):
        if re.match(rf"{key}\s*=", rows[number]):
            for row in range(number, end_of_value(rows, number)):
                rows[row] = f"# {rows[row]}"


def end_of_value(rows: Sequence[str], first: int) -> int:
    """Return the number of the row after a value; a list may take several rows."""
    for end in range(first + 1, len(rows) + 1):
        with suppress(tomllib.TOMLDecodeError):
            tomllib.loads("\n".join(rows[first:end]))
            return end
    return first + 1


def _set(rows: list[str], section: str, key: str, setting: str) -> None:
    first, end = bounds(rows, section)
    if first is None:
        rows += ["", f"[{section}]", setting]
        return
    for pattern in (rf"{key}\s*=", rf"#\s*{key}\s*="):
        for number in range(first, end):
            if re.match(pattern, rows[number]):
                rows[number : end_of_value(rows, number)] = [setting]
                return
    while end > first and not rows[end - 1].strip():
        end -= 1
    rows.insert(end, setting)


def _headers(rows: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the row and the name of each section; within a value of several rows there is none."""
    number = 0
    while number < len(rows):
        row = rows[number].strip(BLANKS)
        if row.startswith("["):
            yield number, row.split("]")[0].strip(f"[{BLANKS}")
        number = end_of_value(rows, number) if ASSIGNMENT.match(row) else number + 1


def bounds(rows: Sequence[str], section: str) -> tuple[int | None, int]:
    """Return the first row of a section, or None if it is not there, and the row after its last one."""
    headers = [*_headers(rows)]
    starts = {name: number + 1 for number, name in headers} | {"": 0}
    first = starts.get(section)
    later = [number for number, _ in headers if first is not None and number >= first]
    return first, min([*later, len(rows)])
