"""All that is known here of a far site: whether its link is up, what its sensors say, and what must be put right."""

from collections.abc import Callable, Sequence

from bootstrap.bridge.far_heartbeats import FarHeartbeats, Thinned
from bootstrap.bridge.far_states import FarStates, Flow
from bootstrap.bridge.far_traffic import FarTraffic
from bootstrap.bridge.newest_told import NewestTold
from bootstrap.bridge.own_heartbeats import OwnHeartbeats
from bootstrap.bridge.questions import ANSWER, MOST, QUESTION, Questions
from bootstrap.bridge.retained_topics import RetainedTopics
from bootstrap.bridge.site_link import UP, SiteLink
from bootstrap.contract.heard import CLEARED, READING, Heard, Silence
from bootstrap.contract.payload import Json
from bootstrap.contract.sites import HEARTBEAT, HEARTBEATS
from bootstrap.contract.topics import Kind, is_id
from bootstrap.device import Context, Reading, ThenTold
from bootstrap.eventloop.backoff import Backoff

SETTLE_S = 2.0  # for the far site to say again all that it retains
FIRST_ASK_S, LAST_ASK_S = 5.0, 300.0  # until the far site is asked again
COMPLAIN_S = 10.0  # after the start, until a link of which nothing is heard is a fault
MOST_SKEW_S = 2.5  # between the clocks: half of the time after which a command expires
STATE = f"/{Kind.STATUS}/state"


class FarSite:
    """Hears what comes from a far site, and keeps our broker true about it."""

    def __init__(
        self,
        context: Context,
        own_groups: Sequence[str],
        retained: Callable[[NewestTold], RetainedTopics],
        news: Callable[[], Reading],
        on_answer: Callable[[str, Json], None],
    ) -> None:
        """Publish `news()` at each change of the link; `on_answer(sensor, answer)` takes answers to commands."""
        self._context, self._own_groups, self._news, self._on_answer = context, own_groups, news, on_answer
        told = NewestTold(self._say)
        self.states, self.traffic, self.retained = FarStates(told), FarTraffic(), retained(told)
        self.questions = Questions(context, own_groups)
        self.own_heartbeats = OwnHeartbeats(context)
        self.far_heartbeats = FarHeartbeats(told)
        self._thins = False  # whether we do so by a setting of our own
        self.questions.begin_anew()
        self.link = SiteLink(lambda: self.questions.ask([]), self._changed, self._confirm_in)
        self._groups: Sequence[str] = ()  # those of the far site that are known here
        self._asking = Backoff(FIRST_ASK_S, LAST_ASK_S)
        context.after(COMPLAIN_S, self._complain)

    def listen(self, link: str, groups: Sequence[str]) -> None:
        """Listen to the bridge's notification, to these groups of the far site, and to the states of our own."""
        self._groups = groups
        self._context.listen(link, self._on_link, self._on_link_silent)
        for group in groups:
            self._context.listen(f"{group}/+/{Kind.STATUS}/+", self._on_status, self._on_cleared)
            self._context.listen(f"{group}/+/{Kind.DATA}/#", self._on_data, self._on_cleared)
        for group in self._own_groups:
            self._context.listen(f"{group}/+{STATE}", self._on_own_state, self._on_own_cleared)

    def thin(self, every_s: float, *, asks: bool) -> None:
        """Send the heartbeats of our sensors every so many seconds (0: do not), and ask the far site to do so, too."""
        self._thins = every_s > 0
        if self._thins:
            self.own_heartbeats.begin(self._own_groups, every_s, asks=asks)

    def _say(self, topic: str, payload: bytes, then: ThenTold) -> None:
        self._context.tell(topic, payload, then, retain=True)

    # The link.

    def _on_link(self, heard: Heard) -> Reading:
        """Take the word of the bridge's notification."""
        if heard.payload == UP and not heard.retained:
            self.retained.expect_all()
        self.link.on_word(heard.payload, stored=heard.retained)
        return self._news()

    def _on_link_silent(self, silence: Silence) -> Reading:
        """Know nothing any more: our own broker is away, and tells everything again when it is back."""
        if silence.why == CLEARED:
            self.link.on_word(b"", stored=False)
        else:
            parts = (self.states, self.retained, self.questions, self.traffic, self.own_heartbeats, self.far_heartbeats)
            for part in parts:
                part.begin_anew()
            self.link.on_broker_lost(silence.why)
        return self._news()

    def _confirm_in(self, seconds: float) -> None:
        self._context.after(seconds, self._confirm, "confirm")

    def _confirm(self) -> Reading:
        self.link.expire()
        return self._news()

    def _changed(self) -> None:
        """Have every far state say what is true now."""
        self.states.set_flow(self.link.flow)
        self.own_heartbeats.set_flow(up=self.link.flow is Flow.UP)
        if self.link.flow is Flow.DOWN:
            self.retained.expect_nothing()
            if not self._thins:  # the far site asks again
                self.own_heartbeats.every_s = 0.0
        if self.link.flow is Flow.UP:
            self._asking.reset()
            self.traffic.note_link()
            self._context.after(SETTLE_S, self._introduce, "reconcile")
        self._complain()

    def _complain(self) -> Reading | None:
        """Show in our own state that the link is down."""
        down = self.link.flow is Flow.DOWN
        self._context.set_problem("link", f"down since {self.link.since}: {self.link.why}" if down else None)
        return None

    def _introduce(self) -> Reading | None:
        """Tell the far site which groups we have, and ask for its own; its states are reconciled as well."""
        if not self.states.doubtful:
            self.questions.ask([])
        return self._reconcile()

    def _reconcile(self) -> Reading | None:
        """Ask the far site for the states that it has not said since the link is up."""
        if doubtful := self.states.doubtful:
            self.questions.ask([topic.removesuffix(STATE) for topic in doubtful])
            self._context.after(self._asking.advance(), self._reconcile, "reconcile")
        return None

    # What comes over it.

    def _on_status(self, heard: Heard) -> Reading | None:
        """Note what a far sensor says of itself."""
        sensor, _, name = heard.topic.partition(f"/{Kind.STATUS}/")
        if name == Kind.ACTION:
            if not heard.retained:
                self._on_answer(sensor, heard.value)
            return None
        news = self._sign(heard)
        self._on_fact(sensor, name, heard)
        return news

    def _on_data(self, heard: Heard) -> Reading | None:
        """Note a reading, or a value. A reading is no sign of the link: it comes over a connection of its own."""
        sensor, _, name = heard.topic.partition(f"/{Kind.DATA}/")
        if name == READING:
            self.traffic.note_reading(sensor, heard.value)
            return None
        self.retained.note(sensor, heard.topic, live=not heard.retained)
        return self._sign(heard)

    def _sign(self, heard: Heard) -> Reading | None:
        """Take what has just come as a sign that the link is up."""
        before = self.link.flow
        if self._is_live(heard):
            self.link.on_sign()
        return self._news() if self.link.flow is not before else None

    def _is_live(self, heard: Heard) -> bool:
        """Return whether a message has just come over the link."""
        return not (heard.retained or self.far_heartbeats.is_ours(heard.topic, heard.payload))

    def _on_cleared(self, silence: Silence) -> None:
        """Forget a topic that was cleared."""
        if silence.why == CLEARED:
            for part in (self.states, self.retained, self.far_heartbeats):
                part.forget(silence.topic)

    def _on_fact(self, sensor: str, name: str, heard: Heard) -> None:
        match name:
            case "question" | "answer" | "heartbeats":
                if not heard.retained:
                    self._on_talk(name, heard)
                return
            case "state":
                self.states.on_state(heard.topic, heard.payload, stored=heard.retained)
            case "heartbeat":
                self.traffic.note_heartbeat(sensor, heard.value, stored=not self._is_live(heard))
                self.far_heartbeats.note(heard.topic, heard.value)
                self.retained.on_heartbeat(sensor, heard.value)
                self._check_clocks()
            case "about":
                self.retained.on_about(sensor, heard.payload)
                self._context.after(SETTLE_S, self._clear_gone, "gone")
        self.retained.note(sensor, heard.topic, live=self._is_live(heard))

    def _clear_gone(self) -> Reading | None:
        """Clear what living sensors of the far site do not have any more."""
        self.retained.clear_gone()
        return None

    def _on_talk(self, name: str, heard: Heard) -> None:
        """Answer a question of the far site's bridge, or take its answer."""
        self._check_groups(heard.value)
        if name == QUESTION:
            self.questions.on_question(heard.value)
        elif name == ANSWER and (answer := self.questions.on_answer(heard.value)):
            for sensor, state in answer.states.items():
                self._settle(sensor, state, answer.asked_at)
            if answer.states:
                self._context.after(0, self._reconcile, "reconcile")
        elif name == HEARTBEATS and (thinned := Thinned.parse(heard.value)):
            self._on_thinned(thinned)

    def _on_thinned(self, thinned: Thinned) -> None:
        """Publish the heartbeats of far sensors here, and thin our own if that is asked for."""
        self.traffic.note_clock(thinned.time)
        self._check_clocks()
        for topic, fact in self.far_heartbeats.publish(thinned, self._groups):
            self._on_far_fact(topic, fact)
        own = self.own_heartbeats
        if thinned.asks and not self._thins:
            news = thinned.first or not own.every_s
            own.begin(self._own_groups, thinned.every_s, asks=False)
            if news:
                own.repeat()

    def _on_far_fact(self, topic: str, fact: Json) -> None:
        """Note what we have published of a far sensor ourselves, which we do not hear."""
        if not fact:
            self.retained.forget(topic)
            return
        sensor = topic.partition(f"/{Kind.STATUS}/")[0]
        self.retained.note(sensor, topic, live=False)
        if topic.endswith(f"/{HEARTBEAT}"):
            self.traffic.note_heartbeat(sensor, fact, stored=True)
            self.retained.on_heartbeat(sensor, fact)

    def _settle(self, sensor: str, state: str | None, asked_at: float) -> None:
        """Say the state that the far site has given, or clear what it has no more."""
        topic = sensor + STATE
        if state is not None:
            self.states.settle(topic, state.encode(), asked_at)
        elif topic in self.states.doubtful:
            self.states.forget(topic)
            self.retained.clear(sensor)

    def _check_groups(self, said: Json) -> None:
        """Say that the far site has groups that this one does not know: it could claim any, so a person decides."""
        match said:
            case {"groups": [*groups]}:
                new = [one for one in groups[:MOST] if isinstance(one, str) and is_id(one) and one not in self._groups]
                site = self._context.sensor.partition("/")[2]
                known = f"sudo penates bridge groups {site} {' '.join([*self._groups, *new])}"
                why = f"the far site has the group {', '.join(new)}, too, of which nothing comes; to accept it: {known}"
                self._context.set_problem("groups", why if new else None)

    def _check_clocks(self) -> None:
        """Say that commands cannot work while the clocks of the sites differ."""
        skew_s = self.traffic.skew_s or 0.0
        wrong = abs(skew_s) > MOST_SKEW_S
        why = f"the far clock is {abs(skew_s):.1f} s {'ahead of' if skew_s > 0 else 'behind'} ours"
        self._context.set_problem("clocks", f"{why}: commands expire too early or too late" if wrong else None)

    # Our own sensors, of which the far site asks.

    def _on_own_state(self, heard: Heard) -> None:
        """Know one of our sensors."""
        self.questions.note_own(heard.topic.removesuffix(STATE), heard.payload.decode(errors="replace"))

    def _on_own_cleared(self, silence: Silence) -> None:
        """Forget one of our sensors."""
        if silence.why == CLEARED:
            self.questions.note_own(silence.topic.removesuffix(STATE), None)

    def facts(self) -> dict[str, str | float]:
        """Return what is known of the link, as measures."""
        traffic = self.traffic
        ages = {"lag": traffic.heartbeat_age_s, "reading_age": traffic.reading_age_s, "skew": traffic.skew_s}
        known = {name: age for name, age in ages.items() if age is not None}
        state = "up" if self.link.flow is Flow.UP else "down"
        return {"state": state, "since": self.link.since, "missed": traffic.missed, **known}
