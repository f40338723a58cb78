"""A day of a Z-Wave network: what happens, and the only readings that may come of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DOOR, PLUG = "z-wave/fgk101-1", "z-wave/fgwpe101-1"
REFUSED = "no answer in 2 s"


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


def steps(switch: str, simple: str) -> list[Step]:
    """What happens, in order; the two are the topics of the plug's switch and of the door, without the first level."""
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
    ]
