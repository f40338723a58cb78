"""Readings as JSON objects, one per line, as `penates history --json` prints them."""

import json
import math
from typing import Any

from bootstrap.contract.payload import encode
from bootstrap.device import CALIBRATION
from penates.history.import_csv import EXCERPT, LONG, OTHER_NAMES
from penates.history.import_line import IDENTITY, NO_TEXT, NOT_UTF8, FileRow, measure_fault, once, sensor_of, source_of
from penates.history.import_times import TimeRules

MARKS = ("run", "seq", "clock", "boot")  # which the readings of a sensor carry beside their values
AVERAGE = {"count", "min", "mean", "max"}


def row(number: int, line: str, sensor: str | None, times: TimeRules) -> FileRow:
    """Return the row of a line; all numbers and truth values are floats, strings are text."""
    found = FileRow(number)
    try:
        _fill(found, json.loads(line, object_pairs_hook=once), sensor, times)
    except RecursionError:
        found.faults = ["it is nested too deeply"]
    except json.JSONDecodeError as error:
        found.faults = [f"it is not a JSON object: {error}"]
    except (ValueError, OverflowError) as error:
        found.moment, found.fields, found.faults = None, {}, [str(error)]
    return found


def _fill(row: FileRow, found: Any, sensor: str | None, times: TimeRules) -> None:  # noqa: ANN401 - it is what JSON is
    if not isinstance(found, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - it is about text
    if NOT_UTF8.search(json.dumps(found, ensure_ascii=False)):  # an escaped half of a surrogate pair is none either
        raise ValueError(NO_TEXT)
    if "time" not in found:
        raise ValueError("it has no 'time'")
    identity = {name: str(found.pop(name)) for name in IDENTITY if name in found}
    row.sensor, row.source = sensor_of(sensor, identity), source_of(sensor, identity)
    row.text = str(found.pop("time"))
    row.moment = times.moment(row.text)
    if {"measure", "value"} <= found.keys():
        row.measure = str(found["measure"])
    for name, value in _values(found).items():
        _add(row, name, value)


def _values(found: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a line by measure."""
    if "measure" not in found:
        values = {name: value for name, value in found.items() if name not in MARKS}
        if others := sorted(values.keys() & OTHER_NAMES):
            raise ValueError(f"what is {others[0]!r}? Name it 'sensor' or 'measure', or leave it out")
        if isinstance(values.get(CALIBRATION), dict):  # as it is on the wire; a recorder stores it as text
            values[CALIBRATION] = encode(values[CALIBRATION]).decode()
        return values
    if found.keys() >= AVERAGE:
        raise ValueError("averages cannot be loaded; print readings with `--each reading`")
    if others := sorted(found.keys() - LONG - {"unit"}):
        raise ValueError(f"what is {others[0]!r} beside 'measure' and 'value'?")
    if "value" not in found:
        raise ValueError("it has a 'measure' without a 'value'")
    return {str(found["measure"]): found["value"]}


def _add(row: FileRow, name: str, value: object) -> None:
    """Add a value, or the reason why it is none, which costs no other."""
    if value is None:
        row.empty += 1
        return
    found = _value(value)
    if found is None:
        row.faults.append(f"{str(value)[:EXCERPT]!r} is neither a number nor text for {name!r}")
    elif name and (why := measure_fault(name)):  # an object that was recorded may have a name without characters
        row.faults.append(why)
    else:
        row.fields[name] = found


def _value(value: object) -> float | str | None:
    if isinstance(value, str):
        return value
    if not isinstance(value, bool | int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
