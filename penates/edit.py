"""Settings put into a file of settings, where its own comments stay as they are."""

import json
import re
from collections.abc import Mapping
from typing import TypeAlias

Given: TypeAlias = Mapping[tuple[str, str], object]  # (section, key): value


def with_settings(text: str, given: Given) -> str:
    """The text with these said: in place of what is there, else at the end of the section."""
    rows = text.splitlines()
    for (section, key), value in given.items():
        _say(rows, section, key, f"{key} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join([*rows, ""])


def _say(rows: list[str], section: str, key: str, said: str) -> None:
    first, end = _bounds(rows, section)
    if first is None:
        rows += ["", f"[{section}]", said]
        return
    for pattern in (rf"{key}\s*=", rf"#\s*{key}\s*="):
        for number in range(first, end):
            if re.match(pattern, rows[number]):
                rows[number] = said
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
