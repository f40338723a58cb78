"""Send a command to a sensor and print its answer.

  penates send home/lamp set on
  penates send home/lamp set '{"state":"on","for_s":600}'
  penates send home/cellar read

PAYLOAD is a word, a number or a JSON object, and `now` by default. The command carries an id, by which its answer is
recognised, and an expiry: a daemon that receives it later, by its own clock, refuses it. The exit code is 0 if the
command was done, and 1 if it was refused or not answered.
"""

import argparse
import json
import sys

from bootstrap.contract.payload import Json, decode
from bootstrap.contract.topics import ADMIN
from bootstrap.errors import NOT_DONE, Exit, Refused
from penates.console.arguments import an_id, seconds, sensor_name
from penates.console.output import shown
from penates.fleet.access import access, access_arguments
from penates.fleet.command_request import ask, command

NOW = "now"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    access_arguments(parser)
    parser.add_argument("sensor", type=sensor_name, metavar="GROUP/SENSOR", help="such as home/lamp")
    parser.add_argument("action", type=an_id, metavar="ACTION", help="such as set, read or log; `about` lists them")
    parser.add_argument("payload", type=_value, metavar="PAYLOAD", nargs="?", default=NOW, help="(default: now)")
    parser.add_argument("--wait", type=seconds, default=5.0, metavar="S", help="seconds until it expires (default: 5)")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def main(given: argparse.Namespace) -> int:
    """Send the command, wait for the answer and print it."""
    answer = ask(access(given, ADMIN), given.sensor, given.action, command(given.payload, given.wait), given.wait)
    if isinstance(answer, str):
        print(f"penates send: {answer}", file=sys.stderr)
        return NOT_DONE
    parts = [shown(str(answer[name]).encode()) for name in ("result", "reason") if answer.get(name)]
    line = f"{given.sensor.client_id} {given.action}: {': '.join(parts)}"
    print(json.dumps(answer) if given.json else line)
    return Exit.STOPPED if answer["result"] == "done" else NOT_DONE


def _value(text: str) -> Json:
    try:
        return decode(text.encode(errors="surrogateescape"))
    except Refused as error:
        raise argparse.ArgumentTypeError(str(error)) from None
