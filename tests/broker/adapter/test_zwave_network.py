"""A Fibaro door sensor and plug on a simulated Z-Wave stick, as sensors in watch, history and Home Assistant."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.assistant import Assistant, Start
from support.history import wait_stored
from support.paths import SUPPORT
from support.watched_lines import Lines
from support.world import Broker, Eyes, House, Running, Seen
from support.zwave_network import ZwaveNetwork
from support.zwave_run import DOOR, PLUG, REFUSED, RENAMED, Recording, Step, plug, section, steps

pytestmark = pytest.mark.soak
FACTS = ("time", "run", "seq", "clock", "boot")
FORMS = {"zwave-js-ui": "named", "zwave-js-ui-id": "id"}
Told = tuple[str, Any]


class Observed:
    """A house with these devices, and all who look at it."""

    adapter: Running
    assistant: Assistant
    watch: Lines

    def __init__(self, house: House, broker: Broker, eyes: Eyes, network: ZwaveNetwork, profile: str) -> None:
        self.house, self.broker, self.eyes, self.network, self.profile = house, broker, eyes, network, profile
        self.later = house.folder / "later"
        self.later.write_text("0")
        self.expected: list[Told] = []
        self.recording = Recording()

    def write(self, plug_address: str = "") -> None:
        """Write the adapter's file, perhaps with another address of the plug."""
        text = 'kind = "adapter"\ngroup = "z-wave"\n'
        for sensor in (DOOR, PLUG):
            settings = section(self.profile, sensor)
            if sensor == PLUG and plug_address:
                settings["address"] = plug_address
            lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
            text += f"\n[sensors.{sensor.partition('/')[2]}]\n{lines}"
        self.house.device("zwave", text)

    def begin(self, start_assistant: Start) -> None:
        """Run all, and wait until the adapter knows the devices."""
        stored = {one.topic: one.payload for one in [*self.eyes.seen] if one.topic.startswith("zwave/")}
        self.recording.add("", [*stored.items()])
        self.house.write(self.broker.port, top="heartbeat_s = 1")
        self.write()
        self.house.device("recorder", 'kind = "recorder"\nevery_s = 0.2\n')
        self.house.run("recorder")
        self.eyes.wait_value("cm/recorder/status/state", "online")
        self.adapter = self.house.run("zwave", program=[str(SUPPORT / "later.py"), str(self.later)])
        self.eyes.wait_value(f"{DOOR}/data/status", "closed")
        self.eyes.wait_value(f"{PLUG}/data/on", False)
        self.assistant = start_assistant(self.broker)
        self.watch = Lines(self.house.env(), "--config", str(self.house.folder), DOOR, PLUG)
        self.watch.wait(f"{PLUG}/data/on false")

    def told(self) -> list[Told]:
        """The readings of both, in order, without what each has."""
        topics = {f"{sensor}/data/reading": sensor for sensor in (DOOR, PLUG)}
        return [
            (topics[one.topic], {name: value for name, value in one.value.items() if name not in FACTS})
            for one in [*self.eyes.seen]
            if one.topic in topics
        ]

    def take(self, step: Step) -> None:
        """Have a step happen, and wait until it shows, and only it."""
        since = len(self.eyes.seen)
        self.do(step)
        self.expected.extend(step.readings)
        self.eyes.wait(lambda _: len(self.told()) >= len(self.expected), f"{step}")
        for sensor in (DOOR, PLUG):
            self.wait_state(sensor, "fault" if sensor in step.absent else "online")
        assert self.told() == self.expected, step
        self.assistant.wait(f"{DOOR}/data_status", self.last(DOOR, status="closed"))
        switch = "on" if self.last(PLUG, on=False) else "off"
        self.assistant.wait(f"{PLUG}/action_set", "unavailable" if PLUG in step.absent else switch)
        said = [one for one in self.eyes.seen[since:] if one.topic.startswith("zwave/") and not _is_command(one)]
        self.recording.add(step.does, [(one.topic, one.payload) for one in said])

    def last(self, sensor: str, **first: Any) -> Any:
        """The last reading of a measure, or else what it was at first."""
        (name, value), *_ = first.items()
        return [value, *(said[name] for one, said in self.expected if one == sensor and name in said)][-1]

    def do(self, step: Step) -> None:
        """Have a step happen."""
        match step.does.split(maxsplit=1):
            case ["set", value]:
                answer = self.eyes.ask(PLUG, "set", value)
                wanted = ("refused", step.answer) if step.answer else ("done", None)
                assert (answer["result"], answer["reason"]) == wanted
            case ["later", seconds]:
                self.later.write_text(seconds)
                for _ in range(2):  # by the second answer, whatever was due by the first one has been done
                    self.eyes.ask("z-wave/zwave", "read", "now")
            case _:
                self.network.do(step.does)

    def wait_state(self, sensor: str, state: str) -> None:
        """Until this is the last state of a sensor."""
        topic = f"{sensor}/status/state"
        self.eyes.wait(lambda _: self.eyes.on(topic)[-1].value == state, f"{sensor} is {state}")

    def readdress(self, address: str, *, on: bool) -> None:
        """Give the plug another address, and wait until its state is known."""
        since = len(self.eyes.seen)
        self.write(address)
        self.adapter.send(signal.SIGHUP)
        self.eyes.wait_value(f"{PLUG}/data/on", on, since)
        self.wait_state(PLUG, "online")


def _is_command(one: Seen) -> bool:
    return one.topic.endswith("/set")


@pytest.fixture(params=FORMS)
def observed(
    request: pytest.FixtureRequest, house: House, broker: Broker, eyes: Eyes, tmp_path: Path
) -> Iterator[Observed]:
    network = ZwaveNetwork(broker.port, tmp_path / "driver", FORMS[request.param])
    yield Observed(house, broker, eyes, network, request.param)
    network.close()


def test_whatever_happens_on_the_network_is_shown_as_it_is(observed: Observed, start_assistant: Start) -> None:
    observed.begin(start_assistant)
    for step in steps(observed.profile):
        observed.take(step)
    if os.environ.get("RECORD"):
        observed.recording.write(observed.profile)
    if RENAMED in [step.does for step in steps(observed.profile)]:
        with_its_new_name(observed)
    paired_anew(observed)
    in_history(observed)
    observed.assistant.wait(f"{DOOR}/data_status", "closed")
    observed.assistant.wait(f"{PLUG}/action_set", "off")
    assert observed.watch.end() == 0
    in_watch(observed.watch.out)


def with_its_new_name(observed: Observed) -> None:
    """It was switched on while nobody knew its name: that is its state now, and no reading."""
    observed.readdress("kettle", on=True)
    observed.take(Step("press", plug(on=False)))


def paired_anew(observed: Observed) -> None:
    """Nothing says that a node has left the network, but a command finds out."""
    observed.network.do("repair 5")
    observed.take(Step("set on", answer=REFUSED))
    observed.network.do("press")
    observed.readdress({"zwave-js-ui": "nodeID_5", "zwave-js-ui-id": "5"}[observed.profile], on=True)
    observed.take(Step("set off", plug(on=False)))


def in_history(observed: Observed) -> None:
    """Each reading is stored once, and nothing else is."""
    for sensor in (DOOR, PLUG):
        own = [values for one, values in observed.expected if one == sensor]
        rows = wait_stored(observed.house, len(own), sensor)
        assert [fields for _, _, fields in rows] == own


def in_watch(lines: list[str]) -> None:
    """A person sees the plug go and come back, and the door always."""
    assert f"{DOOR}/data/status open" in lines
    assert f"{PLUG}/status/state fault" in lines
    assert not [line for line in lines if line.endswith(("lost", "offline"))]
