"""A Fibaro door sensor and plug on a simulated Z-Wave stick, as sensors in watch, history and Home Assistant."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.assistant import Assistant, Start
from support.history import wait_stored
from support.paths import SUPPORT
from support.watched_lines import Lines
from support.world import Broker, Eyes, House
from support.zwave_network import ZwaveNetwork
from support.zwave_run import DOOR, PLUG, Step, steps

pytestmark = pytest.mark.soak
FACTS = ("time", "run", "seq", "clock", "boot")
DAY_S = 86_400
STATUS = (
    '"status = {{base}}/{{address}}/{0}/Access_Control/Door_state_simple: value 22=open|23=closed", '
    '"status = {{base}}/{{address}}/{0}/Access_Control/Opening_state: value 1=open|0=closed"'
)
ADAPTER = """
kind = "adapter"
group = "z-wave"

[sensors.fgk101-1]
profile = "{profile}"
address = "{door}"
only = ["temperature", "battery"]
values = [{status}]

[sensors.fgwpe101-1]
profile = "{profile}"
address = "{plug}"
only = ["on", "power", "energy"]
answer_s = 2
"""
FORMS = {
    "named": {"profile": "zwave-js-ui", "door": "nodeID_3", "plug": "nodeID_2"},
    "id": {"profile": "zwave-js-ui-id", "door": "3", "plug": "2"},
}
CLASSES = {
    "named": {"switch": "switch_binary/endpoint_0/currentValue", "door": "notification/endpoint_0"},
    "id": {"switch": "37/0/currentValue", "door": "113/0"},
}


class Observed:
    """A house with these devices, and all who look at it."""

    def __init__(self, house: House, broker: Broker, eyes: Eyes, network: ZwaveNetwork, form: str) -> None:
        self.house, self.broker, self.eyes, self.network, self.form = house, broker, eyes, network, form
        self.later = house.folder / "later"
        self.later.write_text("0")

    def begin(self) -> None:
        """Run the adapter and a recorder, and wait until they know the devices."""
        self.house.write(self.broker.port, top="heartbeat_s = 1")
        form = FORMS[self.form]
        self.house.device("zwave", ADAPTER.format(**form, status=STATUS.format(CLASSES[self.form]["door"])))
        self.house.device("recorder", 'kind = "recorder"\nevery_s = 0.2\n')
        self.house.run("recorder")
        self.eyes.wait_value("cm/recorder/status/state", "online")
        self.house.run("zwave", program=[str(SUPPORT / "later.py"), str(self.later)])
        self.eyes.wait_value(f"{DOOR}/data/status", "closed")
        self.eyes.wait_value(f"{PLUG}/data/on", False)

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """The readings of both, in order, without what each has."""
        topics = {f"{sensor}/data/reading": sensor for sensor in (DOOR, PLUG)}
        return [
            (topics[one.topic], {name: value for name, value in one.value.items() if name not in FACTS})
            for one in [*self.eyes.seen]
            if one.topic in topics
        ]

    def take(self, step: Step, expected: list[tuple[str, Any]]) -> None:
        """Have a step happen, and wait until it shows."""
        if step.does.startswith("set "):
            answer = self.eyes.ask(PLUG, "set", step.does.removeprefix("set "))
            assert (answer["result"], answer["reason"]) == (("refused", step.answer) if step.answer else ("done", None))
        else:
            self.network.do(step.does)
        expected.extend(step.readings)
        self.eyes.wait(lambda _: len(self.told()) >= len(expected), f"{step}")
        assert self.told() == expected, step
        for sensor in (DOOR, PLUG):
            self.wait_state(sensor, "fault" if sensor in step.absent else "online")

    def wait_state(self, sensor: str, state: str) -> None:
        """Until this is the last state of a sensor."""
        topic = f"{sensor}/status/state"
        self.eyes.wait(lambda _: self.eyes.on(topic)[-1].value == state, f"{sensor} is {state}")


@pytest.fixture(params=FORMS)
def observed(
    request: pytest.FixtureRequest, house: House, broker: Broker, eyes: Eyes, tmp_path: Path
) -> Iterator[Observed]:
    network = ZwaveNetwork(broker.port, tmp_path / "driver", request.param)
    yield Observed(house, broker, eyes, network, request.param)
    network.close()


def test_whatever_happens_on_the_network_is_shown_as_it_is(observed: Observed, start_assistant: Start) -> None:
    observed.begin()
    assistant = start_assistant(observed.broker)
    watch = Lines(observed.house.env(), "--config", str(observed.house.folder), "z-wave")
    form = FORMS[observed.form]
    switch = f"{form['plug']}/{CLASSES[observed.form]['switch']}"
    simple = f"{form['door']}/{CLASSES[observed.form]['door']}/Access_Control/Door_state_simple"
    expected: list[tuple[str, Any]] = []
    for step in steps(switch, simple):
        observed.take(step, expected)
    in_history(observed, expected)
    in_assistant(assistant)
    in_watch(watch)


def in_history(observed: Observed, expected: list[tuple[str, Any]]) -> None:
    for sensor in (DOOR, PLUG):
        own = [values for one, values in expected if one == sensor]
        rows = wait_stored(observed.house, len(own), sensor)
        assert [fields for _, _, fields in rows] == own


def in_assistant(assistant: Assistant) -> None:
    assistant.wait(f"{DOOR}/data_status", "closed")
    assistant.wait(f"{PLUG}/action_set", "off")


def in_watch(watch: Lines) -> None:
    watch.wait(f"{PLUG}/data/on false", count=2)
    assert watch.end() == 0
