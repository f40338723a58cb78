"""What a sensor learns from its link: commands, what the broker retains of another run, and how it treats us."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from bootstrap.contract.commands import Later, only, only_keys
from bootstrap.contract.payload import Json
from bootstrap.contract.recording_word import FILTER
from bootstrap.contract.topics import Topics
from bootstrap.device import BUILT_IN_ACTIONS, Device, Reading
from bootstrap.errors import Refused
from bootstrap.homeassistant.discovery import Discovery
from bootstrap.logs import log
from bootstrap.mqtt.denials import NOT_INSTALLED
from bootstrap.mqtt.link import Link
from bootstrap.runtime.actions import Act, Actions
from bootstrap.runtime.heartbeat import Heartbeat
from bootstrap.runtime.reporter import Reporter
from bootstrap.runtime.sampler import Sampler

if TYPE_CHECKING:
    from bootstrap.runtime.carried_out import CarriedOut


class Inbound:
    """Passes each message and each event of the link to the part of the sensor that handles it."""

    def __init__(
        self, topics: Topics, link: Link, reporter: Reporter, heartbeat: Heartbeat, discovery: Discovery
    ) -> None:
        self._topics, self._link, self._reporter = topics, link, reporter
        self._heartbeat, self._discovery = heartbeat, discovery
        self._sampler: Sampler | None = None
        self.make_carried_out: Callable[[], CarriedOut]  # is set before there is a device
        self._carried_out: CarriedOut | None = None  # there once a device needs it, and for all that take its place
        self._actions = Actions({}, reporter.publish_answer)

    def use_device(self, device: Device, sampler: Sampler) -> None:
        """Execute commands for this device from now on."""
        self._sampler = sampler
        own = {name: partial(self._act, act) for name, act in device.actions().items()}
        acts: dict[str, Act] = {"log": self._act_log, "read": self._act_read, **own}
        takes = {name: one for name, one in device.commands.items() if name not in BUILT_IN_ACTIONS}
        if self._carried_out is None and any(one.once for one in takes.values()):
            self._carried_out = self.make_carried_out()
        self._actions = Actions(acts, self._reporter.publish_answer, takes, self._carried_out)

    def drop_device(self) -> None:
        """Refuse the commands of a device that is not set up."""
        closed, self._sampler = self._actions.closed, None
        if self._carried_out is not None:
            self._carried_out.overtake()
        self._actions = Actions({"log": self._act_log}, self._reporter.publish_answer)
        self._actions.closed = closed

    @property
    def closed(self) -> bool:
        """Whether commands are refused because the process is stopping."""
        return self._actions.closed

    def close(self) -> None:
        """Refuse commands from now on."""
        self._actions.closed = True

    def subscribe(self) -> None:
        """Subscribe at every connect, in an order that loses nothing.

        The retained heartbeat and state show whether another run is alive, before we publish anything. A client that
        sees the sensor online may send commands at once, so commands come before the birth messages. An old last will
        is found by the retained state after them.
        """
        state = self._topics.status("state")
        recorders = [FILTER] if self._reporter.recorders.wanted else []
        before = [self._topics.commands, *self._discovery.filters, *recorders]
        self._link.requests.plan([self._heartbeat.topic, state], before, [state])

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Execute a command, or correct what the broker has retained about this sensor."""
        prefix, _, name = topic.rpartition("/")
        if topic == self._heartbeat.topic:
            if where := self._heartbeat.twins.on_heartbeat(payload):
                self._link.give_way(f"{self._topics.client_id} is already running {where}")
        elif topic == self._topics.status("state"):
            self._on_state(payload)
        elif f"{prefix}/+" == self._topics.commands:
            self._actions.handle(name, payload, retained=retained)
        elif not self._reporter.recorders.note(topic, payload):
            self._discovery.on_message(topic, payload, retained=retained)
        self._link.pump()

    def _on_state(self, payload: bytes) -> None:
        if self._link.up:
            self._reporter.correct_state(payload)
        else:
            self._heartbeat.twins.on_state(payload)

    # What the link reports of the broker.

    def silent_s(self) -> float:
        """Return for how many seconds an older instance of this sensor may still show that it is alive."""
        return self._heartbeat.twins.silent_s()

    def on_connected(self) -> None:
        """Publish a fresh heartbeat with the birth."""
        self._discovery.on_connected()
        self._reporter.set_broker(None)
        self._reporter.set_problem("broker", None)
        self._publish_heartbeat()

    def on_disconnected(self, why: str) -> None:
        """Show the reason in the status. The device is still read."""
        self._reporter.set_broker(why)

    def on_refused(self, why: str) -> None:
        """Stay in the state fault until the broker accepts us."""
        self._reporter.set_problem("broker", why)

    def on_flapping(self, why: str | None) -> None:
        """Show in the heartbeat that the connection keeps breaking."""
        if self._reporter.set_flapping(why or "") and self._link.up:
            self._publish_heartbeat()

    def on_denied(self, topic: str, why: str | None) -> None:
        """Stay in the state fault until publishing is allowed again. A denied announcement is not a fault."""
        if topic not in self._discovery.topics:
            hint = "" if topic.startswith(f"{self._topics.client_id}/") else f"; {NOT_INSTALLED}"
            self._reporter.set_problem(topic, why and f"the broker does not let us publish it: {why}{hint}")
            self._publish_heartbeat()

    def _publish_heartbeat(self) -> None:
        self._heartbeat.publish()
        self._reporter.publish_health()

    def _act(self, act: Callable[[Json], Reading | Later | None], value: Json) -> Later | None:
        found = act(value)
        if callable(found):
            return found
        if found is not None and self._sampler:
            self._sampler.publish(found)
        return None

    def _act_log(self, value: Json) -> None:
        log.set_level(only(value, "level"))

    def _act_read(self, value: Json) -> Later | None:
        if isinstance(value, dict):
            only_keys(value, ())
        elif value != "now":
            raise Refused("send now")
        return self._sampler.read if self._sampler else None
