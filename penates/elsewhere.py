"""Whether a sensor is alive already, and where: two of one name would take each other's place for ever."""

import json
import time
from collections.abc import Collection, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime

from bootstrap import clock
from penates.wire import Access, Down, Granted, Heard, Up, Wire

LOOK_S = 10.0  # for a broker to answer
QUIET_S = 0.5  # what is retained comes at once
BEATS = 3  # heartbeats that may be missing
ALIVE = (b"online", b"starting", b"fault")


class Unreachable(Exception):  # noqa: N818 - a broker that is yet to come is no error
    """The broker cannot be asked."""


def alive(access: Access, sensors: Collection[str]) -> dict[str, str]:
    """The machine each of these sensors is alive on, by what the broker holds of them; of those that are.

    Raises:
        Unreachable: the broker does not answer.
    """
    found: dict[str, dict[str, bytes]] = {}
    for topic, payload in _retained(access, sensors):
        _, sensor, _, name = topic.split("/")
        found.setdefault(sensor, {})[name] = payload
    return {sensor: _host(said) for sensor, said in found.items() if _lives(said)}


def _retained(access: Access, sensors: Collection[str]) -> list[tuple[str, bytes]]:
    heard: list[tuple[str, bytes]] = []
    deadline, why = time.monotonic() + LOOK_S, f"{access.name} does not answer"
    untried = len(access.hosts)
    with closing(Wire(access)) as wire:
        while (left_s := deadline - time.monotonic()) > 0:
            for event in wire.events(left_s):
                match event:
                    case Up():
                        wire.subscribe(*(f"+/{sensor}/status/{name}" for sensor in sensors for name in _NAMES))
                    case Granted():
                        deadline, why = time.monotonic() + QUIET_S, ""
                    case Down(said, refused):
                        untried -= 1
                        if refused or not untried:
                            raise Unreachable(said)
                    case Heard(topic, payload, retained=True):
                        heard.append((topic, payload))
    if why:
        raise Unreachable(why)
    return heard


_NAMES = ("state", "about", "heartbeat")


def _lives(said: Mapping[str, bytes]) -> bool:
    """By its state, unless its heart has stopped: a broker that was killed could not tell."""
    if said.get("state") not in ALIVE:
        return False
    with suppress(ValueError, KeyError, TypeError):
        beat = json.loads(said["heartbeat"])
        age_s = (datetime.now(UTC) - clock.parse(beat["time"])).total_seconds()
        return not beat["heartbeat_s"] or age_s < BEATS * float(beat["heartbeat_s"])
    return True


def _host(said: Mapping[str, bytes]) -> str:
    with suppress(ValueError, KeyError, TypeError):
        return str(json.loads(said["about"])["host"])
    return "another machine"
