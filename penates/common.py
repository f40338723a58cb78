"""What several sub-commands say alike."""

import argparse
import io
import json
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bootstrap import clock
from bootstrap.config import DEVICES, Configuration, House, folder_or_default, open_house, state_of
from bootstrap.control import Message, ask
from bootstrap.errors import NOT_DONE
from bootstrap.folders import Folders
from bootstrap.requests import unknown
from bootstrap.settings import Fault, SettingsError

PATIENCE_S = 45.0  # the longest stop, and more
MINUTE, HOUR, DAY = 60, 3600, 86_400


def sensor_arguments(parser: argparse.ArgumentParser) -> None:
    """`--config DIR NAME`."""
    config_option(parser)
    parser.add_argument("name", metavar="NAME", help="the sensor's file in devices/, such as lamp for lamp.toml")


def names_arguments(parser: argparse.ArgumentParser) -> None:
    """`--config DIR [NAME…|--all]`."""
    config_option(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("names", nargs="*", default=[], metavar="NAME", help="a sensor's file in devices/; none is all")
    which.add_argument("--all", action="store_true", help="all of them, as without a name")
    json_option(parser)


def house_arguments(parser: argparse.ArgumentParser) -> None:
    """`--config DIR --json`."""
    config_option(parser)
    json_option(parser)


def json_option(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="answer in JSON")


def config_option(parser: argparse.ArgumentParser) -> None:
    """`--config DIR`."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="DIR",
        help="folder with house.toml and devices/ (default: /etc/penates, else ./config)",
    )


def output_file(text: str) -> Path:
    """A file that can be written later."""
    file = Path(text)
    if file.is_dir() or not file.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text} cannot be a file: say one in a folder that is there")
    return file


@contextmanager
def to_a_reader() -> Iterator[None]:
    """Print for whoever reads us, until they have had enough; there are terminals without a degree sign."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:  # nothing may be written at the exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def house(given: argparse.Namespace) -> tuple[Configuration, House, Folders]:
    """What `--config` leads to, and where this house keeps things.

    Raises:
        SettingsError: with every fault of `house.toml`.
    """
    configuration, house = open_house(folder_or_default(given.config))
    return configuration, house, Folders.usual(house.state)


def chosen(configuration: Configuration, names: list[str]) -> list[str]:
    """The sensors named, or all.

    Raises:
        SettingsError: there is no such sensor, or none at all.
    """
    if faults := unknown(names, configuration.sensors):
        raise SettingsError(faults)
    if not configuration.sensors:
        raise SettingsError([Fault(DEVICES, 1, "no device; make a file such as devices/cellar.toml")])
    return names or configuration.sensors


def question(do: str, folder: Path, names: Collection[str] = ()) -> Message:
    """What is asked of the supervisor of the house in this folder."""
    return {"do": do, "names": [*names], "house": str(folder)}


def request(given: argparse.Namespace, do: str) -> int:
    """Have the supervisor of this house do something, and show what came of it. Returns the exit code."""
    folder = folder_or_default(given.config).absolute()
    runtime = Folders.usual(state_of(folder)).runtime  # however faulty the rest is: the supervisor says what
    answer = ask(runtime, question(do, folder, getattr(given, "names", [])), PATIENCE_S)
    return show(answer, as_json=given.json, wanted="stopped" if do == "stop" else "online")


def show(answer: Message, *, as_json: bool, wanted: str = "online") -> int:
    """Print an answer; the exit code says whether all is as wanted."""
    if why := answer.get("error"):
        print(why, file=sys.stderr)
        return int(answer["exit"])
    sensors = answer["sensors"]
    if as_json:
        print(json.dumps(answer, indent=2))
    else:
        print("\n".join(table(sensors) if sensors else ["nothing has changed"]))
        for name in answer.get("removed", []):
            print(f"{name} is stopped: its file is gone")
    return 0 if all(row["state"] == wanted for row in sensors) else NOT_DONE


def table(sensors: list[dict[str, Any]]) -> list[str]:
    """A line a sensor, and one below it for what went wrong last."""
    head = ("NAME", "SENSOR", "STATE", "SINCE", "PID", "RESTARTS", "IT SAYS")
    first, *others = columns([head, *map(_cells, sensors)])
    lines = [first]
    for sensor, line in zip(sensors, others, strict=True):
        lines.append(line)
        if (error := sensor["error"]) not in sensor["status"]:
            lines.append(f"  last error: {error}")
    return lines


def columns(rows: list[tuple[str, ...]]) -> list[str]:
    """A line a row, its cells below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    since = age((datetime.now(UTC) - clock.parse(row["since"])).total_seconds())
    pid = str(row["pid"] or "-")
    says = row["status"].removeprefix(f"{row['state']}; ")
    return (row["name"], row["sensor"] or "-", row["state"], since, pid, str(row["restarts"]), says)


def age(seconds: float) -> str:
    """A length of time for people: `42 s`, `7 min`, `3 h`, `12 d`."""
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{seconds // unit:.0f} {name}"
    return f"{max(0.0, seconds):.0f} s"
