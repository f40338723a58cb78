"""Settings put into a file of settings, where its own comments stay as they are."""

import json
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from typing import TypeAlias

Given: TypeAlias = Mapping[tuple[str, str], object]  # (section, key): value


def with_settings(text: str, given: Given) -> str:
    """The text with these said: in place of what is there, else at the end of the section; None is said no more."""
    rows = text.splitlines()
    for (section, key), value in given.items():
        if value is None:
            _unsay(rows, section, key)
        else:
            _say(rows, section, key, f"{key} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join([*rows, ""])


def _unsay(rows: list[str], section: str, key: str) -> None:
    first, end = _bounds(rows, section)
    for number in range(first or 0, end if first is not None else 0):
        if re.match(rf"{key}\s*=", rows[number]):
            for row in range(number, _end_of_value(rows, number)):
                rows[row] = f"# {rows[row]}"


def _end_of_value(rows: list[str], first: int) -> int:
    """A list may take several rows."""
    for end in range(first + 1, len(rows) + 1):
        with suppress(tomllib.TOMLDecodeError):
            tomllib.loads("\n".join(rows[first:end]))
            return end
    return first + 1


def _say(rows: list[str], section: str, key: str, said: str) -> None:
    first, end = _bounds(rows, section)
    if first is None:
        rows += ["", f"[{section}]", said]
        return
    for pattern in (rf"{key}\s*=", rf"#\s*{key}\s*="):
        for number in range(first, end):
            if re.match(pattern, rows[number]):
                rows[number : _end_of_value(rows, number)] = [said]
                return
    while end > first and not rows[end - 1].strip():
        end -= 1
    rows.insert(end, said)


def _bounds(rows: list[str], section: str) -> tuple[int | None, int]:
    """The rows between a section's header and the next."""
    headers = [(number, row.split("]")[0].strip(" [")) for number, row in enumerate(rows) if row.startswith("[")]
    starts = {name: number + 1 for number, name in headers} | {"": 0}
    first = starts.get(section)
    later = [number for number, _ in headers if first is not None and number >= first]
    return first, min([*later, len(rows)])
