"""Printing for people: tables, ages, untrusted payloads, and readers that close the pipe early."""

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from bootstrap.contract import timestamps
from bootstrap.errors import NOT_DONE
from bootstrap.supervisor.control_socket import ControlMessage
from penates.console.text import on_a_line, printable

MINUTE, HOUR, DAY = 60, 3600, 86_400
DUMB = ("", "dumb", "unknown")  # values of TERM
SHOWN = 100  # longest part of a payload that is printed, in characters


@contextmanager
def to_a_reader() -> Iterator[None]:
    """Let the reader of stdout close it early, as `head` does, and replace characters that its encoding lacks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:  # Python's flush at the exit must not fail either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def colours() -> bool:
    """Return whether stdout is a terminal that has colours, and whose user wants them (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and not is_dumb()


def is_dumb() -> bool:
    """Return whether the terminal cannot move its cursor or change colours."""
    return os.environ.get("TERM", "") in DUMB


def show(answer: ControlMessage, *, as_json: bool, wanted: str = "online") -> int:
    """Print the supervisor's reply. Returns 0 if every sensor is in the state `wanted`, else another exit code."""
    if why := answer.get("error"):
        print(printable(str(why)), file=sys.stderr)
        return int(answer["exit"])
    sensors = answer["sensors"]
    if as_json:
        print(json.dumps(answer, indent=2))
    else:
        print("\n".join(table(sensors) if sensors else ["nothing has changed"]))
        for name in answer.get("removed", []):
            print(printable(f"{name} has been stopped: its file is gone"))
    every = [*sensors, *(one for row in sensors for one in row.get("carries", []))]
    return 0 if all(row["state"] == wanted for row in every) else NOT_DONE


def table(sensors: list[dict[str, Any]]) -> list[str]:
    """Return a heading, one line per sensor, and below it one for its last error."""
    head = ("NAME", "SENSOR", "STATE", "SINCE", "PID", "RESTARTS", "STATUS")
    first, *others = columns([head, *map(_cells, sensors)])
    lines = [first]
    for sensor, line in zip(sensors, others, strict=True):
        lines.append(line)
        if (error := sensor["error"]) not in sensor["status"]:
            lines.append(f"  last error: {error}")
        for one in sensor.get("carries", []):
            why = f": {one['why']}" if one["why"] else ""
            lines.append(f"  carries {one['sensor']}: {one['state']}{why}")
    return [on_a_line(line) for line in lines]


def columns(rows: list[tuple[str, ...]]) -> list[str]:
    """Return one line per row, with the cells aligned in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    since = age((datetime.now(UTC) - timestamps.parse(row["since"])).total_seconds())
    pid = str(row["pid"] or "-")
    status = row["status"].removeprefix(f"{row['state']}; ")
    return (row["name"], row["sensor"] or "-", row["state"], since, pid, str(row["restarts"]), status)


def age(seconds: float) -> str:
    """Return a length of time for people, such as `42 s`, `7 min`, `3 h` or `12 d`."""
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{seconds // unit:.0f} {name}"
    return f"{max(0.0, seconds):.0f} s"


def counted(count: int, what: str) -> str:
    """Return a number with what it counts, such as `1 file` or `2 files`."""
    return f"{count} {what}{'s' * (count != 1)}"


def shown(payload: bytes) -> str:
    """Return a payload as text that is safe to print: short, and without control characters."""
    text = payload[: 4 * SHOWN].decode(errors="replace")
    text = on_a_line(text)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
