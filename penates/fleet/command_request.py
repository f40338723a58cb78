"""Sending a command to a sensor, and waiting for its answer."""

import secrets
import time
from collections.abc import Iterator
from contextlib import closing

from bootstrap.contract import timestamps
from bootstrap.contract.commands import VALUE
from bootstrap.contract.payload import Json, decode, encode
from bootstrap.contract.topics import Topics
from bootstrap.errors import Refused
from penates.console.output import shown
from penates.fleet.access import Access
from penates.fleet.client import Connected, Disconnected, FleetClient, FleetEvent, MessageReceived, Subscribed


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
