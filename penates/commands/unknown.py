"""Show what each gateway hears that nobody has adopted yet, and how to adopt it.

  sudo penates unknown
  sudo penates new shed --from cm/radio --id 44

For each it prints how often it was heard, when last, and an example. A gateway lists at most 50, those heard last.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from bootstrap.contract import timestamps
from bootstrap.contract.payload import decode
from bootstrap.contract.topics import EYES
from bootstrap.errors import Exit, Fatal, Refused
from penates.console.arguments import json_option
from penates.console.output import age, columns, shown, to_a_reader
from penates.console.text import on_a_line
from penates.fleet.access import access, access_arguments
from penates.fleet.probe import Silent, Unreachable, reach

PATIENCE_S = 10.0
TOPIC = "+/+/status/unknown"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    access_arguments(parser)
    json_option(parser)


def main(given: argparse.Namespace) -> int:
    """Read the lists that the broker retains, and print them."""
    try:
        with reach(access(given, EYES), PATIENCE_S) as probe:
            held = probe.retained([TOPIC])
    except (Unreachable, Silent) as error:
        raise Fatal(Exit.REFUSED, str(error)) from None
    found = {topic.rpartition("/status/")[0]: [*_heard(payload)] for topic, payload in sorted(held.items())}
    with to_a_reader():
        if given.json:
            print(json.dumps(found, indent=2, ensure_ascii=False))
        else:
            print("\n".join(_table(found)))
    return Exit.STOPPED


def _heard(payload: bytes) -> Iterator[dict[str, Any]]:
    """Yield the sensors in a gateway's list; what does not belong there is left out."""
    try:
        listed = decode(payload)
    except Refused:
        return
    heard = listed.get("heard") if isinstance(listed, dict) else None
    for one in heard if isinstance(heard, list) else []:
        match one:
            case {"key": {**key}, "count": int(count), "last": str(last), "example": str(example)} if key:
                yield {"key": key, "count": count, "last": last, "example": example}


def _table(found: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    rows = [
        (gateway, _options(one["key"]), str(one["count"]), _age(one["last"]), shown(one["example"].encode()))
        for gateway, heard in found.items()
        for one in heard
    ]
    if not rows:
        return ["nothing" if found else "no gateway has published a list"]
    lines = columns([("GATEWAY", "WHAT", "HEARD", "LAST", "EXAMPLE"), *rows])
    gateway, key, *_ = rows[0]
    return [*map(on_a_line, lines), on_a_line(f"to adopt one: penates new NAME --from {gateway} {key}")]


def _options(key: Mapping[str, object]) -> str:
    """Return the settings by which a sensor is adopted, as options."""
    return " ".join(f"--{name} {value}" for name, value in key.items())


def _age(last: str) -> str:
    try:
        return f"{age((datetime.now(UTC) - timestamps.parse(last)).total_seconds())} ago"
    except ValueError:
        return "?"
