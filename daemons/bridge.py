"""The bridge to a far site."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, ClassVar

from bootstrap import Device, Heard, Limits, Measure, Reading, Silence
from bootstrap.bridge.answers_across import AnswersAcross
from bootstrap.bridge.commands_across import CommandsAcross
from bootstrap.bridge.far_site import FarSite
from bootstrap.bridge.far_states import Flow
from bootstrap.bridge.fetched_commands import FetchedCommands
from bootstrap.bridge.retained_topics import RetainedTopics
from bootstrap.bridge.settings import FarGroup, FarHost, LinkTopic, OwnGroup, Prefix, presence_of
from bootstrap.config.model import a_certificate
from bootstrap.contract.other_broker import OtherAddress, OtherBrokerHandle
from bootstrap.contract.payload import Json
from bootstrap.contract.topics import Kind


@dataclass(kw_only=True)
class Bridge(Device):
    """What comes over a bridge from another site with a broker of its own: whether its sensors can be reached, and how.

    Wiring: none. `penates bridge` writes this file; its sensor id is the far site's name.
    """

    groups: list[FarGroup]  # the far site's groups, such as ["cabin"]
    own_groups: list[OwnGroup] = field(default_factory=list)  # this site's groups, which the far site sees
    link: LinkTopic  # where the bridge says whether it is up, such as "penates-bridge/cabin/state"
    announce: bool = True  # far sensors to Home Assistant here
    prefix: Prefix = "homeassistant"  # of Home Assistant's discovery, as in house.toml
    host: FarHost | list[FarHost] = ""  # the far broker, for commands; empty: the far site fetches them from here
    port: Annotated[int, Limits(1, 65_535)] = 8883
    ca_file: Annotated[Path, a_certificate] | None = None  # the far broker's CA, which turns TLS on
    username: str = ""  # our user at the far broker
    password_file: Path | None = None  # its password, in the first line
    fetch: bool = True  # commands from there, too, because the far site cannot call us

    shown_as: ClassVar[Mapping[str, str]] = {"state": "mdi:bridge", "since": "timestamp"}

    state = Measure(str, words=("up", "down"))
    since = Measure(str)  # when the link went up or down
    lag = Measure("s", low=0)  # age of the newest far heartbeat
    reading_age = Measure("s", low=0)  # of the newest far reading
    missed = Measure("1", low=0, counter=True)  # far readings missing between others of their run
    skew = Measure("s")  # by which the far clock is ahead
    undelivered = Measure("1", low=0, counter=True)  # commands that did not reach the far site

    def setup(self) -> None:
        """Listen to the link, to the far sensors and to our own."""
        self.presence: bool | None = None  # whether the far site fetches commands here, as far as it says
        self.far: OtherBrokerHandle | None = self.call_far() if self.host else None
        self.fetched = FetchedCommands(self.tell, self.far) if self.far and self.fetch else None
        timers = self.after, self.cancel
        deliver = self.far.tell if self.far else self.tell  # here again, with an expiry, for the far site to fetch
        self.crossing = CommandsAcross(deliver, self.no_way, self.tell, timers, fetched=not self.far)
        retained = partial(RetainedTopics, prefix=self.prefix, announce=self.announce)
        self.site = FarSite(self.context, self.own_groups, retained, self.read, self.on_far_answer)
        self.answers = AnswersAcross(self.after, self.link_is_up)
        self.hear()

    def hear(self) -> None:
        """Listen: first to the link, which says what the rest means."""
        self.listen(self.link, self.site.on_link, self.site.on_link_silent)
        if not self.far:
            self.listen(presence_of(self.link), self.on_presence, self.on_presence_unknown)
        for group in self.groups:
            self.listen(f"{group}/+/status/+", self.site.on_status, self.site.on_cleared)
            self.listen(f"{group}/+/data/#", self.site.on_data, self.site.on_cleared)
            self.listen(f"{group}/+/action/+", self.on_command)
        for group in self.own_groups:
            self.listen(f"{group}/+/status/state", self.site.on_own_state, self.site.on_own_cleared)
            if self.fetched:
                self.listen(f"{group}/+/status/action", self.on_own_answer)

    def call_far(self) -> OtherBrokerHandle:
        """Connect to the far broker."""
        address = OtherAddress(
            hosts=[self.host] if isinstance(self.host, str) else self.host,
            port=self.port,
            client_id=f"{self.context.sensor}/bridge",
            ca_file=self.ca_file,
            username=self.username or None,
            password_file=self.password_file,
            presence=presence_of(self.link) if self.fetch else "",
        )
        filters = [f"{group}/+/status/action" for group in self.groups]
        if self.fetch:
            filters += [f"{group}/+/{what}" for group in self.own_groups for what in ("action/+", "status/action")]
        return self.context.other_broker(address, filters, self.on_far_message, self.on_far_broker)

    def no_way(self) -> str | None:
        """Return why no command can be delivered now, or None."""
        if self.far:
            return self.far.trouble
        if self.presence is None and self.site.link.flow is Flow.DOWN:
            return f"the link is down since {self.site.link.since}"
        return "the far site does not fetch commands now" if self.presence is False else None

    def link_is_up(self) -> bool:
        """Return whether the bridge can carry what the far site says."""
        return self.site.link.flow is Flow.UP

    def on_command(self, heard: Heard) -> None:
        """Deliver a command to a far sensor."""
        self.crossing.on_command(heard.topic, heard.payload, retained=heard.retained)

    def on_presence(self, heard: Heard) -> None:
        """Note whether the far site fetches commands."""
        self.presence = heard.payload == b"1"

    def on_presence_unknown(self, _silence: Silence) -> None:
        """Forget it: our own broker is away, or the word was cleared."""
        self.presence = None

    def on_far_message(self, topic: str, payload: bytes, retained: bool) -> None:
        """Bring the answer of a far sensor here, or a command to one of ours."""
        if f"/{Kind.ACTION}/" in topic:
            if self.fetched:
                self.fetched.on_command(topic, payload, retained=retained)
        elif topic.partition("/")[0] in self.own_groups:
            self.answers.note_carried()
        elif not retained:
            self.answers.carry(partial(self.tell, topic, payload))

    def on_own_answer(self, heard: Heard) -> None:
        """Bring the far site the answer of one of our sensors."""
        if self.fetched and not heard.retained:
            self.answers.carry(partial(self.fetched.answer, heard.topic, heard.payload))

    def on_far_answer(self, sensor: str, answer: Json) -> None:
        """Note the answer of a far sensor, which the bridge has carried, or our daemon over there has brought."""
        self.crossing.on_answer(sensor, answer)
        if self.far:
            self.answers.note_carried()

    def on_far_broker(self, trouble: str | None) -> None:
        """Show in our own state that commands cannot be delivered."""
        self.context.set_problem("far broker", trouble and f"no commands can cross: {trouble}")

    def read(self) -> Reading:
        """Return what is known of the link."""
        return {**self.site.facts(), "undelivered": self.crossing.undelivered}

    def teardown(self) -> None:
        """Leave the far broker."""
        if far := getattr(self, "far", None):
            far.close()
