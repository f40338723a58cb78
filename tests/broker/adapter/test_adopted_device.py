"""Devices of other makes become sensors on a real broker, by what their programs publish there."""

import json
import time
from typing import Any

import pytest

from support.world import Broker, Eyes, House, Running

FACTS = ("time", "run", "seq", "clock", "boot")
NODE = "zwave/nodeID_3"
DOOR = f"{NODE}/notification/endpoint_0/Access_Control/Door_state_simple"
OPENING = f"{NODE}/notification/endpoint_0/Access_Control/Opening_state"
PLUG = "zwave/nodeID_2"
SWITCH = f"{PLUG}/switch_binary/endpoint_0/currentValue"
TARGET = f"{PLUG}/switch_binary/endpoint_0/targetValue/set"
SECTIONS = """
[sensors.fgk101-1]
profile = "zwave-js-ui"
address = "nodeID_3"
only = ["open", "temperature", "battery"]
{door}

[sensors.fgwpe101-1]
profile = "zwave-js-ui"
address = "nodeID_2"
only = ["on", "power", "energy"]
{plug}
"""


def zwave(value: Any, at: float | None = None, **more: Any) -> str:
    """A payload of the type JSON Time-Value."""
    return json.dumps({"time": round((at or time.time()) * 1000), "value": value, **more})


class Home:
    """A house with an adapter, and somebody who publishes as the programs of other makes do."""

    def __init__(self, house: House, broker: Broker, eyes: Eyes) -> None:
        self.house, self.broker, self.eyes = house, broker, eyes

    def start(self, door: str = "", plug: str = "", sections: str = SECTIONS) -> Running:
        """Run the adapter, and wait until all it carries is there."""
        self.house.write(self.broker.port, top="heartbeat_s = 0.2")
        self.house.device("zwave", 'kind = "adapter"\n' + sections.format(door=door, plug=plug))
        running = self.house.run("zwave")
        self.eyes.wait_online("zwave")
        return running

    def told(self, sensor: str) -> list[dict[str, Any]]:
        """The readings of a sensor, without what each has."""
        return [
            {name: value for name, value in one.value.items() if name not in FACTS}
            for one in self.eyes.on(f"cm/{sensor}/data/reading")
        ]

    def wait_reading(self, sensor: str, **values: Any) -> None:
        """Until this is the newest reading of a sensor."""
        self.eyes.wait(lambda _: self.told(sensor)[-1:] == [values], f"{sensor} says {values}")

    def wait_health(self, sensor: str, **wanted: str) -> None:
        """Until these measures have this health."""

        def met(_: object) -> bool:
            told = self.eyes.on(f"cm/{sensor}/status/health")
            return bool(told) and {name: told[-1].value[name]["health"] for name in wanted} == wanted

        self.eyes.wait(met, f"{sensor} is {wanted}")


@pytest.fixture
def home(house: House, broker: Broker, eyes: Eyes) -> Home:
    return Home(house, broker, eyes)


def test_one_event_on_three_topics_is_one_reading_with_its_own_time(home: Home) -> None:
    home.start()
    home.eyes.wait_online("fgk101-1")
    since, at = len(home.eyes.seen), time.time() - 30
    home.eyes.publish(DOOR, zwave(23, at - 60))
    home.eyes.wait_value("cm/fgk101-1/data/open", False)
    home.eyes.publish(DOOR, zwave(22, at))
    home.eyes.publish(OPENING, zwave(1, at + 0.05))
    home.eyes.publish(f"{NODE}/battery/endpoint_0/level", zwave(91, at))
    home.eyes.publish(DOOR, zwave(23, at + 5))
    home.wait_reading("fgk101-1", open=False)
    assert home.told("fgk101-1") == [{"open": True}, {"open": False}]
    first = home.eyes.on("cm/fgk101-1/data/reading")[0].value["time"]
    assert first.startswith(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)))
    assert home.eyes.wait_value("cm/fgk101-1/data/battery", 91, since)
