"""What happens on a Z-Wave network, and the only readings that may come of it; and a recording of what was said then.

A recording is a list of what happened, each with the messages that came of it; those of the first were retained.
`RECORD=1 scripts/test --soak tests/broker/adapter/test_zwave_network.py` makes them anew.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.paths import SUPPORT

DOOR, PLUG = "z-wave/fgk101-1", "z-wave/fgwpe101-1"
ANSWER_S = 2
REFUSED = f"no answer in {ANSWER_S} s"
RECORDINGS = SUPPORT / "recorded_runs"
MOMENT = re.compile(rb"\b1\d{12}\b")  # in milliseconds
STATUS = (
    "status = {{base}}/{{address}}/{0}/Access_Control/Door_state_simple: value 22=open|23=closed",
    "status = {{base}}/{{address}}/{0}/Access_Control/Opening_state: value 1=open|0=closed",
)
SECTIONS = {
    "zwave-js-ui": {
        DOOR: {"address": "nodeID_3", "only": ["temperature", "battery"]},
        PLUG: {"address": "nodeID_2", "only": ["on", "power", "energy"]},
    },
    "zwave-js-ui-id": {
        DOOR: {"address": "3", "only": ["temperature", "battery"]},
        PLUG: {"address": "2", "only": ["on", "power", "energy"]},
    },
}
CLASSES = {
    "zwave-js-ui": ("switch_binary/endpoint_0/currentValue", "notification/endpoint_0"),
    "zwave-js-ui-id": ("37/0/currentValue", "113/0"),
}
RENAMED = "rename 2 kettle"


def section(profile: str, sensor: str) -> dict[str, Any]:
    """The settings of a sensor's section."""
    found = {"profile": profile, **SECTIONS[profile][sensor]}
    own = {"values": [one.format(CLASSES[profile][1]) for one in STATUS]} if sensor == DOOR else {"answer_s": ANSWER_S}
    return {**found, **own}


@dataclass(frozen=True)
class Step:
    """Something that happens.

    Attributes:
        does: a line for the network (see network.mjs), or `set VALUE` for a command to the plug.
        readings: what the sensors measure by it, in this order.
        answer: how the command ends, if it is one: None for done.
        absent: the sensors that are not there after it; those that stand in no later step are there.
    """

    does: str
    readings: Sequence[tuple[str, Mapping[str, Any]]] = ()
    answer: str | None = None
    absent: Sequence[str] = field(default=())


def door(**values: Any) -> tuple[tuple[str, Mapping[str, Any]]]:
    """A reading of the door's sensor."""
    return ((DOOR, values),)


def plug(**values: Any) -> tuple[tuple[str, Mapping[str, Any]]]:
    """A reading of the plug."""
    return ((PLUG, values),)


def steps(profile: str) -> list[Step]:
    """What happens, in order."""
    switch, door_class = CLASSES[profile]
    switch = f"{SECTIONS[profile][PLUG]['address']}/{switch}"
    simple = f"{SECTIONS[profile][DOOR]['address']}/{door_class}/Access_Control/Door_state_simple"
    return [*_first(switch, simple), *LAST, *(RENAMING if profile == "zwave-js-ui" else ())]


def _first(switch: str, simple: str) -> list[Step]:
    return [
        Step("open", door(status="open")),
        Step("again"),
        Step("close", door(status="closed")),
        Step("set on", plug(on=True)),
        Step("power 41.8", plug(power=41.8)),
        Step("again"),
        Step("energy 0.5", plug(energy=0.5)),
        Step("press", plug(on=False)),
        Step("set on", plug(on=True)),
        Step(f"late {switch} false 60000"),
        Step(f"late {simple} 22 200000000"),
        Step(f'say {switch} {{"time":1}}'),
        Step(f'say {switch} {{"value":null}}'),
        Step(f'say {simple} {{"value":"unavailable"}}'),
        Step(f"say {simple} null"),
    ]


LAST = (
    Step("battery 10", door(battery=10)),
    Step("battery 0", door(battery=0)),
    Step("warm 21.7", door(temperature=21.7)),
    Step("sleep"),
    Step("wake"),
    Step("sleep"),
    Step("restart"),
    Step("open", door(status="open")),
    Step("crash"),
    Step("close", door(status="closed")),
    Step("power 40.2", plug(power=40.2)),
    Step("unplug"),
    Step("poll", absent=(PLUG,)),
    Step("set off", answer=REFUSED, absent=(PLUG,)),
    Step("restart", absent=(PLUG,)),
    Step("plug", absent=(PLUG,)),
    Step("poll"),
    Step("set off", plug(on=False)),
    Step("power 0", plug(power=0)),
    Step("stuck"),
    Step("set on", answer="it says false"),
    Step("free"),
    Step("sleep"),
    Step("later 86400"),
    Step("open", door(status="open")),
    Step("close", door(status="closed")),
)
RENAMING = (Step(RENAMED, absent=(PLUG,)), Step("press", absent=(PLUG,)))


class Recording:
    """What was said while something happened."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.rows: list[dict[str, Any]] = []

    def add(self, does: str, messages: Sequence[tuple[str, bytes]]) -> None:
        """Add what came of something that happened."""
        self.rows.append({"does": does, "messages": [[topic, payload.decode()] for topic, payload in messages]})

    def write(self, profile: str) -> None:
        """Keep it, with all times as so many milliseconds from the first."""
        text = json.dumps(self.rows, indent=0).encode()
        start = int(MOMENT.findall(text)[0])
        RECORDINGS.mkdir(exist_ok=True)
        file = RECORDINGS / f"{profile}.json"
        file.write_bytes(MOMENT.sub(lambda found: b"NOW%+d" % (int(found[0]) - start), text) + b"\n")


def recording(profile: str) -> list[tuple[str, list[tuple[str, bytes]]]]:
    """What happened, and what was said then."""
    rows = json.loads(Path(RECORDINGS / f"{profile}.json").read_text())
    return [(row["does"], [(topic, payload.encode()) for topic, payload in row["messages"]]) for row in rows]
