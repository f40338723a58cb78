"""Send a command to a sensor and print its answer.

  penates send cm/lamp set on
  penates send cm/lamp set '{"state":"on","for_s":600}'
  penates send cm/cellar read

PAYLOAD is a word, a number or a JSON object, and `now` by default. The command carries an id, by which its answer is
recognised, and an expiry: a daemon that receives it later, by its own clock, refuses it. The exit code is 0 if the
command was done, and 1 if it was refused or not answered.
"""

import argparse
import json
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import closing

from bootstrap.contract import timestamps
from bootstrap.contract.commands import VALUE
from bootstrap.contract.payload import Json, decode, encode
from bootstrap.contract.topics import ADMIN, Topics
from bootstrap.errors import NOT_DONE, Exit, Refused
from penates.console.arguments import an_id, seconds, sensor_name
from penates.console.output import shown
from penates.fleet.access import Access, access, access_arguments
from penates.fleet.client import Connected, Disconnected, FleetClient, FleetEvent, MessageReceived, Subscribed

NOW = "now"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    access_arguments(parser)
    parser.add_argument("sensor", type=sensor_name, metavar="GROUP/SENSOR", help="such as cm/lamp")
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


def command(value: Json, expires_s: float) -> dict[str, Json]:
    """Return a command with this value, a random id, and an expiry in `expires_s` seconds."""
    before = timestamps.utc((time.time_ns() + round(expires_s * 1e9)) // 1000)
    head: dict[str, Json] = {"id": secrets.token_hex(4), "before": before}
    return head | value if isinstance(value, dict) else {**head, VALUE: value}


def ask(who: Access, topics: Topics, action: str, command: dict[str, Json], wait_s: float) -> dict[str, Json] | str:
    """Send a command and return its answer, or text that tells why there is none."""
    state, sent = "not known", False
    with closing(FleetClient(who)) as client:
        for event in _until(client, time.monotonic() + wait_s):
            match event:
                case Connected():
                    client.subscribe(topics.status("action"), topics.status("state"))
                case Subscribed() if not sent:  # once: after a reconnect we only wait for the answer
                    sent = True
                    client.publish(topics.action(action), encode(command))
                case Disconnected(why, refused=True):
                    return why
                case Disconnected(why):
                    state = f"not known: {why}"
                case MessageReceived(topic, payload) if topic == topics.status("state"):
                    state = shown(payload)
                case MessageReceived(_, payload) if answer := _answer_to(command, payload):
                    return answer
    return f"no answer within {wait_s:g} s; the state of {topics.client_id} is {state}"


def _until(client: FleetClient, deadline: float) -> Iterator[FleetEvent]:
    while (left_s := deadline - time.monotonic()) > 0:
        yield from client.events(left_s)


def _answer_to(command: dict[str, Json], payload: bytes) -> dict[str, Json] | None:
    try:
        answer = decode(payload)
    except Refused:
        return None
    return answer if isinstance(answer, dict) and answer.get("id") == command["id"] and "result" in answer else None
