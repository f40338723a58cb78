"""A calibration in a device's file: written as the first filter of its measure, and undone, all else byte for byte."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from bootstrap.config.measure_sections import KEEP_RAW, LIMITS
from bootstrap.errors import Exit, Fatal
from penates.files.toml_edit import bounds, end_of_value, toml

KEY = "calibrate"
MARK = "# before this calibration: "  # above it, what `--undo` puts back
RAW_ROW = f"{KEEP_RAW} = true  # while it is calibrated"
RAW_BEFORE = "; else: "  # after that, the row that it is in place of
NO_SECTION, NO_CALIBRATION = "no section", "no calibration"
NAME = re.compile(r"\s*([\w-]+)\s*=", re.ASCII)


def with_calibration(text: str, section: str, table: Mapping[str, object]) -> str:
    """Return the text with this calibration, and above it, in comments, what was in its place.

    Raises:
        Fatal: the section is written in another way than as `[section]` and rows below it.
    """
    end, rows = _rows(text)
    setting = f"{KEY} = {toml(table)}"
    first, stop = bounds(rows, section)
    if first is None:
        rows = _appended(rows, [f"[{section}]", MARK + NO_SECTION, setting])
    elif (old := _find(rows, first, stop)) is None:
        place = _below_limits(rows, first, stop)
        rows[place:place] = [MARK + NO_CALIBRATION, setting]
    else:
        before = rows[old : end_of_value(rows, old)]
        rows[_first_mark(rows, old) : old + len(before)] = [*(MARK + row for row in before), setting]
    return _checked(end.join(rows), section, KEY, table)


def with_raw(text: str, section: str) -> str:
    """Return the text with a row by which the raw value of a measure is published, too, until `without_raw`.

    Raises:
        Fatal: the section is written in another way than as `[section]` and rows below it.
    """
    end, rows = _rows(text)
    first, stop = bounds(rows, section)
    if first is None:
        rows = _appended(rows, [f"[{section}]", f"{RAW_ROW}, {NO_SECTION}"])
    elif (old := _find(rows, first, stop, KEEP_RAW)) is None:
        rows.insert(_below_limits(rows, first, stop), RAW_ROW)
    else:
        rows[old] = f"{RAW_ROW}{RAW_BEFORE}{rows[old]}"
    return _checked(end.join(rows), section, KEEP_RAW, wanted=True)


def without_raw(text: str, section: str) -> str:
    """Return the text without the row of `with_raw`, if that is still there; what else was edited since then stays."""
    end, rows = _rows(text)
    first, stop = bounds(rows, section)
    place = next((number for number in range(first or 0, stop) if rows[number].startswith(RAW_ROW)), None)
    if first is None or place is None:
        return text
    row = rows[place].removeprefix(RAW_ROW)
    rows[place : place + 1] = [row.removeprefix(RAW_BEFORE)] if row.startswith(RAW_BEFORE) else []
    if row == f", {NO_SECTION}" and not any(one.strip() for one in rows[first : stop - 1]):
        _remove_header(rows, first, first)
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
        _remove_header(rows, first, after)
    else:
        rows[mark:after] = [] if before in ([NO_SECTION], [NO_CALIBRATION]) else before
    return end.join(rows)


def _checked(text: str, section: str, key: str, wanted: object) -> str:
    """Return a text in which this setting is as wanted.

    Raises:
        Fatal: it is not, so the section was written in a way that is valid, but not the usual one.
    """
    try:
        found: Any = tomllib.loads(text.removeprefix("\ufeff"))
        for name in (*section.split("."), key):
            found = found[name]
    except (tomllib.TOMLDecodeError, KeyError, TypeError):
        found = None
    if found != wanted:
        why = f"[{section}] is written in a way that this command cannot edit"
        raise Fatal(Exit.SETTINGS, f"{why}; write it as a section, with its lines below")
    return text


def _rows(text: str) -> tuple[str, list[str]]:
    """Return the end of a line, and the lines; the last is empty if the text ends with one."""
    end = "\r\n" if "\r\n" in text else "\n"
    return end, text.split(end)


def _appended(rows: list[str], section: list[str]) -> list[str]:
    """Return the lines with a section at their end, after an empty line."""
    return [*rows, *section, ""] if not rows[-1] else [*rows, "", *section]


def _remove_header(rows: list[str], first: int, after: int) -> None:
    """Remove the rows up to `after` of a section that begins at `first`, its header, and the empty row above that."""
    gap = first >= 2 and not rows[first - 2].strip()  # noqa: PLR2004 - the header, and what is above it
    rows[first - 1 - gap : after] = []


def _find(rows: Sequence[str], first: int, stop: int, key: str = KEY) -> int | None:
    return next((number for number in range(first, stop) if _name(rows[number]) == key), None)


def _first_mark(rows: Sequence[str], place: int) -> int:
    """Return where the comments begin that are directly above a calibration."""
    while place and rows[place - 1].startswith(MARK):
        place -= 1
    return place


def _below_limits(rows: Sequence[str], first: int, stop: int) -> int:
    """Return where the first filter belongs: below the limits at the section's beginning."""
    place = number = first
    while number < stop and ((name := _name(rows[number])) in (*LIMITS, KEEP_RAW) or not name):
        number = end_of_value(rows, number) if name else number + 1
        place = number if name else place
    return place


def _name(row: str) -> str:
    found = NAME.match(row)
    return found[1] if found else ""
