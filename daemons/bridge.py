"""The bridge to a far site."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar

from bootstrap import Device, Heard, Limits, Measure, Reading, Silence
from bootstrap.bridge.commands_across import EXPIRES_S, CommandsAcross
from bootstrap.bridge.far_states import FarStates, Flow
from bootstrap.bridge.far_traffic import FarTraffic
from bootstrap.bridge.fetched_commands import FetchedCommands
from bootstrap.bridge.newest_told import NewestTold
from bootstrap.bridge.questions import ANSWER, QUESTION, Questions
from bootstrap.bridge.retained_topics import RetainedTopics
from bootstrap.bridge.settings import FarGroup, FarHost, LinkTopic, OwnGroup, Prefix, presence_of
from bootstrap.bridge.site_link import SiteLink
from bootstrap.config.model import a_certificate
from bootstrap.contract.heard import CLEARED, READING
from bootstrap.contract.other_broker import OtherAddress, OtherBrokerHandle
from bootstrap.device import ThenTold
from bootstrap.eventloop.backoff import Backoff

SETTLE_S = 2.0  # for the far site to say again all that it retains
FIRST_ASK_S, LAST_ASK_S = 5.0, 300.0  # until the far site is asked again
COMPLAIN_S = 10.0  # after the start, until a link of which nothing is heard is a fault
MOST_SKEW_S = EXPIRES_S / 2
FAR_USER_SETTINGS = ("ca_file", "username", "password_file")


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
        self.told = NewestTold(self.say, self.acknowledged)
        self.states, self.traffic = FarStates(self.told), FarTraffic()
        self.retained = RetainedTopics(self.told, self.prefix, announce=self.announce)
        self.questions = Questions(self.context.sensor, self.own_groups, self.context.tell)
        self.site = SiteLink(lambda: self.questions.ask([]), self.on_flow, self.confirm_in)
        self.asking = Backoff(FIRST_ASK_S, LAST_ASK_S)
        self.presence: bool | None = None  # whether the far site fetches commands here, as far as it says
        self.far: OtherBrokerHandle | None = self.call_far() if self.host else None
        self.fetched = FetchedCommands(self.context.tell, self.far) if self.far and self.fetch else None
        self.crossing = self.commands_across()
        self.questions.begin_anew()
        self.hear()
        self.after(COMPLAIN_S, self.complain)

    def hear(self) -> None:
        """Listen: first to the link, which says what the rest means."""
        self.listen(self.link, self.on_link, self.on_link_silent)
        if not self.far:
            self.listen(presence_of(self.link), self.on_presence)
        for group in self.groups:
            self.listen(f"{group}/+/status/+", self.on_far_status, self.on_cleared)
            self.listen(f"{group}/+/data/#", self.on_far_data, self.on_cleared)
            self.listen(f"{group}/+/action/+", self.on_command)
        for group in self.own_groups:
            self.listen(f"{group}/+/status/state", self.on_own_state, self.on_own_cleared)
            if self.fetched:
                self.listen(f"{group}/+/status/action", self.on_own_answer)

    def acknowledged(self, topic: str, payload: bytes) -> None:
        """Compare what our broker has taken with what is true."""
        self.states.acknowledged(topic, payload)

    def say(self, topic: str, payload: bytes, then: ThenTold) -> None:
        """Publish here, retained."""
        self.tell(topic, payload, then, retain=True)

    # The link.

    def on_link(self, heard: Heard) -> Reading:
        """Take the word of the bridge's notification."""
        self.site.on_word(heard.payload, stored=heard.retained)
        return self.read()

    def on_link_silent(self, silence: Silence) -> Reading:
        """Know nothing any more: our own broker is away, and tells everything again when it is back."""
        if silence.why == CLEARED:
            self.site.on_word(b"", stored=False)
        else:
            for part in (self.states, self.retained, self.questions, self.traffic):
                part.begin_anew()
            self.presence = None
            self.site.on_broker_lost(silence.why)
        return self.read()

    def confirm_in(self, seconds: float) -> None:
        """Look after this time whether something has come over the link."""
        self.after(seconds, self.confirm, "confirm")

    def confirm(self) -> Reading:
        """Believe no longer what only the broker had stored."""
        self.site.expire()
        return self.read()

    def on_flow(self) -> None:
        """Have every far state say what is true now."""
        self.states.set_flow(self.site.flow)
        if self.site.flow is Flow.UP:
            self.asking.reset()
            self.after(SETTLE_S, self.reconcile, "reconcile")
        self.complain()

    def complain(self) -> Reading | None:
        """Show in our own state that the link is down."""
        down = self.site.flow is Flow.DOWN
        self.context.set_problem("link", f"down since {self.site.since}: {self.site.why}" if down else None)
        return None

    def reconcile(self) -> Reading | None:
        """Ask the far site for the states that it has not said since the link is up."""
        if doubtful := self.states.doubtful:
            self.questions.ask([topic.removesuffix("/status/state") for topic in doubtful])
            self.after(self.asking.advance(), self.reconcile, "reconcile")
        return None

    # What comes from the far site.

    def on_far_status(self, heard: Heard) -> Reading | None:
        """Note what a far sensor says of itself."""
        sensor, _, name = heard.topic.partition("/status/")
        before = self.site.flow
        if name == "action":
            if not heard.retained:
                self.crossing.on_answer(sensor, heard.value)
            return None
        if not heard.retained:
            self.site.on_sign()
        self.on_fact(sensor, name, heard)
        return self.read() if self.site.flow is not before else None

    def on_fact(self, sensor: str, name: str, heard: Heard) -> None:
        """Note one topic of a far sensor's `status`."""
        match name:
            case "question" | "answer":
                if not heard.retained:
                    self.on_talk(name, heard)
                return
            case "state":
                self.states.on_state(heard.topic, heard.payload, stored=heard.retained)
            case "heartbeat":
                self.traffic.note_heartbeat(heard.value, stored=heard.retained)
                self.check_clocks()
            case "about":
                self.retained.on_about(sensor, heard.value)
        self.retained.note(sensor, heard.topic)

    def on_talk(self, name: str, heard: Heard) -> None:
        """Answer a question of the far site's bridge, or take its answer."""
        if name == QUESTION:
            self.questions.on_question(heard.value)
        elif name == ANSWER and (answer := self.questions.on_answer(heard.value)):
            for sensor, state in answer.states.items():
                topic = f"{sensor}/status/state"
                if state is not None:
                    self.states.settle(topic, state.encode(), answer.asked_at)
                elif topic in self.states.doubtful:
                    self.states.forget(topic)
                    self.retained.clear(sensor)
            if answer.states:
                self.after(0, self.reconcile, "reconcile")

    def on_far_data(self, heard: Heard) -> Reading | None:
        """Note a reading, or a value."""
        sensor, _, name = heard.topic.partition("/data/")
        before = self.site.flow
        if name == READING:
            self.traffic.note_reading(sensor, heard.value)
            return None
        if not heard.retained:
            self.site.on_sign()
        self.retained.note(sensor, heard.topic)
        return self.read() if self.site.flow is not before else None

    def on_cleared(self, silence: Silence) -> None:
        """Forget a topic that was cleared."""
        if silence.why == CLEARED:
            self.states.forget(silence.topic)
            self.retained.forget(silence.topic)

    def check_clocks(self) -> None:
        """Say that commands cannot work while the clocks of the sites differ."""
        skew_s = self.traffic.skew_s or 0.0
        wrong = abs(skew_s) > MOST_SKEW_S
        why = f"the far clock is {abs(skew_s):.1f} s {'ahead of' if skew_s > 0 else 'behind'} ours: commands expire"
        self.context.set_problem("clocks", f"{why} too early or too late" if wrong else None)

    # Our own sensors.

    def on_own_state(self, heard: Heard) -> None:
        """Know our sensors, so that the far site can ask."""
        self.questions.note_own(heard.topic.removesuffix("/status/state"), heard.payload.decode(errors="replace"))

    def on_own_cleared(self, silence: Silence) -> None:
        """Forget one of our sensors."""
        if silence.why == CLEARED:
            self.questions.note_own(silence.topic.removesuffix("/status/state"), None)

    def on_own_answer(self, heard: Heard) -> None:
        """Bring the far site the answer of one of our sensors."""
        if self.fetched and not heard.retained:
            self.fetched.on_answer(heard.topic, heard.payload)

    # Commands.

    def call_far(self) -> OtherBrokerHandle:
        """Connect to the far broker."""
        hosts = [self.host] if isinstance(self.host, str) else self.host
        address = OtherAddress(
            hosts=hosts,
            port=self.port,
            client_id=f"{self.context.sensor}/bridge",
            ca_file=self.ca_file,
            username=self.username or None,
            password_file=self.password_file,
            presence=presence_of(self.link) if self.fetch else "",
        )
        filters = [f"{group}/+/status/action" for group in self.groups]
        if self.fetch:
            filters += [f"{group}/+/action/+" for group in self.own_groups]
        return self.context.other_broker(address, filters, self.on_far_message, self.on_far_broker)

    def commands_across(self) -> CommandsAcross:
        """Return the way for commands: over our own connection, or by the far site, which fetches them."""
        timers = self.after, self.cancel
        deliver = self.far.tell if self.far else self.leave_for_far
        return CommandsAcross(deliver, self.no_way, self.answer_here, timers, fetched=not self.far)

    def leave_for_far(self, topic: str, payload: bytes, then: ThenTold) -> None:
        """Publish a command here again, now with an expiry, for the far site to fetch."""
        self.tell(topic, payload, then)

    def no_way(self) -> str | None:
        """Return why no command can be delivered now, or None."""
        if self.far:
            return self.far.trouble
        if self.site.flow is Flow.DOWN:
            return f"the link is down since {self.site.since}"
        return "the far site does not fetch commands now" if self.presence is False else None

    def answer_here(self, topic: str, payload: bytes) -> None:
        """Publish an answer in place of a far sensor."""
        self.tell(topic, payload)

    def on_command(self, heard: Heard) -> None:
        """Deliver a command to a far sensor."""
        self.crossing.on_command(heard.topic, heard.payload, retained=heard.retained)

    def on_presence(self, heard: Heard) -> None:
        """Note whether the far site fetches commands."""
        self.presence = heard.payload == b"1"

    def on_far_message(self, topic: str, payload: bytes, retained: bool) -> None:
        """Bring the answer of a far sensor here, or a command to one of ours."""
        if "/action/" not in topic:
            self.tell(topic, payload)
        elif self.fetched:
            self.fetched.on_command(topic, payload, retained=retained)

    def on_far_broker(self, trouble: str | None) -> None:
        """Show in our own state that commands cannot be delivered."""
        self.context.set_problem("far broker", trouble and f"no commands can cross: {trouble}")

    # Every minute, and at each change.

    def read(self) -> Reading:
        """Return what is known of the link."""
        traffic = self.traffic
        ages = {"lag": traffic.heartbeat_age_s, "reading_age": traffic.reading_age_s, "skew": traffic.skew_s}
        counts = {"missed": traffic.missed, "undelivered": self.crossing.undelivered}
        state = "up" if self.site.flow is Flow.UP else "down"
        return {
            "state": state,
            "since": self.site.since,
            **counts,
            **{name: age for name, age in ages.items() if age is not None},
        }

    def teardown(self) -> None:
        """Leave the far broker."""
        if far := getattr(self, "far", None):
            far.close()
