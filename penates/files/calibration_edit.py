"""A calibration in a device's file: written as the first filter of its measure, and undone, all else byte for byte."""

import re
from collections.abc import Mapping, Sequence

from bootstrap.config.measure_sections import LIMITS
from penates.files.toml_edit import bounds, end_of_value, toml

KEY = "calibrate"
MARK = "# before this calibration: "  # above it, what `--undo` puts back
NO_SECTION, NO_CALIBRATION = "no section", "no calibration"
NAME = re.compile(r"\s*([\w-]+)\s*=", re.ASCII)


def with_calibration(text: str, section: str, table: Mapping[str, object]) -> str:
    """Return the text with this calibration, and above it, in comments, what was in its place."""
    end, rows = _rows(text)
    setting = f"{KEY} = {toml(table)}"
    first, stop = bounds(rows, section)
    if first is None:
        return end.join(_appended(rows, [f"[{section}]", MARK + NO_SECTION, setting]))
    if (old := _find(rows, first, stop)) is None:
        place = _below_limits(rows, first, stop)
        rows[place:place] = [MARK + NO_CALIBRATION, setting]
    else:
        before = rows[old : end_of_value(rows, old)]
        rows[_first_mark(rows, old) : old + len(before)] = [*(MARK + row for row in before), setting]
    return end.join(rows)


def with_raw(text: str, section: str) -> str:
    """Return the text with a line by which the raw value of a measure is published, too."""
    end, rows = _rows(text)
    first, stop = bounds(rows, section)
    if first is None:
        return end.join(_appended(rows, [f"[{section}]", "raw = true"]))
    rows.insert(_below_limits(rows, first, stop), "raw = true")
    return end.join(rows)


def without_last_calibration(text: str, section: str) -> str | None:
    """Return the text as it was before the last calibration, or None if it does not say how that was."""
    end, rows = _rows(text)
    first, stop = bounds(rows, section)
    if first is None or (place := _find(rows, first, stop)) is None:
        return None
    mark = _first_mark(rows, place)
    before = [row.removeprefix(MARK) for row in rows[mark:place]]
    if not before:
        return None
    after = end_of_value(rows, place)
    whole = [row for number, row in enumerate(rows[first:stop], first) if not mark <= number < after and row.strip()]
    if before == [NO_SECTION] and not whole:
        gap = first >= 2 and not rows[first - 2].strip()  # noqa: PLR2004 - the header, and what is above it
        rows[first - 1 - gap : after] = []
    else:
        rows[mark:after] = [] if before in ([NO_SECTION], [NO_CALIBRATION]) else before
    return end.join(rows)


def _rows(text: str) -> tuple[str, list[str]]:
    """Return the end of a line, and the lines; the last is empty if the text ends with one."""
    end = "\r\n" if "\r\n" in text else "\n"
    return end, text.split(end)


def _appended(rows: list[str], section: list[str]) -> list[str]:
    """Return the lines with a section at their end, after an empty line."""
    return [*rows, *section, ""] if not rows[-1] else [*rows, "", *section]


def _find(rows: Sequence[str], first: int, stop: int) -> int | None:
    return next((number for number in range(first, stop) if _name(rows[number]) == KEY), None)


def _first_mark(rows: Sequence[str], place: int) -> int:
    """Return where the comments begin that are directly above a calibration."""
    while place and rows[place - 1].startswith(MARK):
        place -= 1
    return place


def _below_limits(rows: Sequence[str], first: int, stop: int) -> int:
    """Return where the first filter belongs: below the limits at the section's beginning."""
    place = number = first
    while number < stop and ((name := _name(rows[number])) in LIMITS or not name):
        number = end_of_value(rows, number) if name else number + 1
        place = number if name else place
    return place


def _name(row: str) -> str:
    found = NAME.match(row)
    return found[1] if found else ""
