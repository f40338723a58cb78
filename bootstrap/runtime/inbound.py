"""The messages a sensor receives: commands, and what the broker retained from an earlier or another instance."""

from collections.abc import Callable
from functools import partial

from bootstrap.contract.commands import only, only_keys
from bootstrap.contract.payload import Json
from bootstrap.contract.topics import Topics
from bootstrap.device import Device, Reading, Takes
from bootstrap.errors import Refused
from bootstrap.homeassistant.discovery import Discovery
from bootstrap.logs import log
from bootstrap.mqtt.link import Link
from bootstrap.runtime.actions import Act, Actions
from bootstrap.runtime.heartbeat import Heartbeat
from bootstrap.runtime.reporter import Reporter
from bootstrap.runtime.sampler import Sampler


class Inbound:
    """Passes each message to the part of the sensor that handles it."""

    def __init__(
        self, topics: Topics, link: Link, reporter: Reporter, heartbeat: Heartbeat, discovery: Discovery
    ) -> None:
        self._topics, self._link, self._reporter = topics, link, reporter
        self._heartbeat, self._discovery = heartbeat, discovery
        self._sampler: Sampler | None = None
        self._actions = Actions({}, reporter.publish_answer)

    def use_device(self, device: Device, sampler: Sampler) -> None:
        """Execute commands for this device from now on."""
        self._sampler = sampler
        own = {name: partial(self._act, device.commands.get(name), act) for name, act in device.actions().items()}
        acts: dict[str, Act] = {"log": self._act_log, "read": self._act_read, **own}
        self._actions = Actions(acts, self._reporter.publish_answer)

    @property
    def closed(self) -> bool:
        """Whether commands are refused because the process is stopping."""
        return self._actions.closed

    def close(self) -> None:
        """Refuse commands from now on."""
        self._actions.closed = True

    def subscribe(self) -> None:
        """Subscribe at every connect, in an order that loses nothing.

        A client that sees the sensor online may send commands at once, so commands come before the birth messages.
        The retained heartbeat must arrive before we replace it, the retained state after.
        """
        before = [self._topics.commands, self._heartbeat.topic, *self._discovery.filters]
        self._link.subscribe(before, [self._topics.status("state")])

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Execute a command, or correct what the broker has retained about this sensor."""
        prefix, _, name = topic.rpartition("/")
        if topic == self._heartbeat.topic:
            if where := self._heartbeat.older_instance(payload):
                self._link.taken_over(f"{self._topics.client_id} is already running {where}")
        elif topic == self._topics.status("state"):
            self._reporter.correct_state(payload)
        elif f"{prefix}/+" == self._topics.commands:
            self._actions.handle(name, payload, retained=retained)
        else:
            self._discovery.on_message(topic, payload, retained=retained)
        self._link.pump()

    def _act(self, takes: Takes | None, act: Callable[[Json], Reading | None], value: Json) -> None:
        if takes:
            takes.check(value)
        if (reading := act(value)) is not None and self._sampler:
            self._sampler.publish(reading)

    def _act_log(self, value: Json) -> None:
        log.set_level(only(value, "level"))

    def _act_read(self, value: Json) -> None:
        if isinstance(value, dict):
            only_keys(value, ())
        elif value != "now":
            raise Refused("send now")
        if self._sampler and (error := self._sampler.read()):
            raise Refused(error)
