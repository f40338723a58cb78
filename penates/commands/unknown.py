"""Show what each gateway hears that nobody has adopted yet, and how to adopt it.

  sudo penates unknown
  sudo penates new shed --from home/radio 3

For each it prints its number in the gateway's list, the settings by which it would be adopted, how often it was heard
and in which interval, how strong (dB above the noise), when last, and an example. A gateway lists at most 50, those
heard last.
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

from bootstrap.contract import timestamps
from bootstrap.contract.topics import EYES
from bootstrap.errors import Exit
from penates.console.arguments import json_option
from penates.console.output import age, columns, shown, to_a_reader
from penates.console.text import on_a_line
from penates.fleet.access import access, access_arguments
from penates.fleet.unknown_sensors import UnknownSensor, listed


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    access_arguments(parser)
    json_option(parser)


def main(given: argparse.Namespace) -> int:
    """Read the lists that the broker retains, and print them."""
    found = listed(access(given, EYES))
    with to_a_reader():
        if given.json:
            facts = {gateway: [asdict(one) for one in heard] for gateway, heard in found.items()}
            print(json.dumps(facts, indent=2, ensure_ascii=False))
        else:
            print("\n".join(_table(found)))
    return Exit.STOPPED


def _table(found: Mapping[str, list[UnknownSensor]]) -> list[str]:
    rows = [_row(gateway, one) for gateway, heard in found.items() for one in heard]
    if not rows:
        return ["nothing" if found else "no gateway has published a list"]
    lines = columns([("NO", "GATEWAY", "WHAT", "HEARD", "EVERY", "DB", "LAST", "EXAMPLE"), *rows])
    number, gateway, options, *_ = rows[0]
    which = number if number.isdecimal() else options
    return [*map(on_a_line, lines), on_a_line(f"to adopt one: penates new NAME --from {gateway} {which}")]


def _row(gateway: str, one: UnknownSensor) -> tuple[str, ...]:
    options = " ".join(f"--{name} {value}" for name, value in one.key.items())
    perhaps = f"perhaps {one.successor_of} with a new battery: " if one.successor_of else ""
    return (
        "-" if one.number is None else str(one.number),
        gateway,
        options,
        str(one.count),
        "-" if one.every_s is None else age(one.every_s),
        "-" if one.snr is None else f"{one.snr:.0f}",
        _age(one.last),
        shown(f"{perhaps}{one.example}".encode()),
    )


def _age(last: str) -> str:
    try:
        return f"{age((datetime.now(UTC) - timestamps.parse(last)).total_seconds())} ago"
    except ValueError:
        return "?"
