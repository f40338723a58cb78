"""Listening to what others publish, on the sensor's own connection; that nothing comes is told, too."""

import time
from collections.abc import Callable, Iterable
from functools import partial
from math import inf

from bootstrap.contract.heard import CLEARED, READING, VOUCHERS, Heard, Silence, heard_with, sender_of
from bootstrap.contract.payload import decode
from bootstrap.contract.topic_filters import covers, without_covered
from bootstrap.device import Reading
from bootstrap.errors import Refused
from bootstrap.eventloop.backoff import Backoff
from bootstrap.eventloop.loop import Timer
from bootstrap.logs import log
from bootstrap.mqtt.denials import NOT_INSTALLED
from bootstrap.runtime.followed import FollowedTopic, Listener, Reach
from bootstrap.runtime.followed_sensor import FollowedSensor, now_us
from bootstrap.runtime.parts import SensorParts

MOST_TOPICS = 1000  # whose silence one device is told, and sensors that it follows
LONGEST_TOPIC = 500  # characters
NOT_YET = "unreachable: not connected to the broker yet"
FIRST_RETRY_S, LAST_RETRY_S = 5.0, 300.0  # until the broker is asked again for what it does not let us hear


class Listening:
    """All that one device listens to: passes it on, and says when it falls silent. It implements `LinkListener`."""

    def __init__(self, parts: SensorParts) -> None:
        self._link, self._loop, self._reporter, self._publish = parts.link, parts.loop, parts.reporter, parts.publish
        self._own, self._clock = f"{parts.sensor}/", parts.clock
        self._listeners: list[Listener] = []
        self._wire: list[str] = []  # the filters that are subscribed to
        self._denied: dict[str, str] = {}  # those of them that the broker refuses, with the reason
        self._senders: dict[str, FollowedSensor] = {}
        self._followed: list[FollowedTopic] = []
        self._reach = Reach(None if self._link.up else NOT_YET, time.monotonic())
        self._timer: Timer | None = None  # of the next silence
        self._retry: Timer | None = None
        self._backoff = Backoff(FIRST_RETRY_S, LAST_RETRY_S)
        self._changed = self._closed = self._full = False
        self._link.listener = self

    def listen(
        self,
        text: str,
        on_message: Callable[[Heard], Reading | None],
        on_silence: Callable[[Silence], Reading | None] | None,
        silent_s: float | None,
    ) -> Listener:
        """Listen to one more filter; it is subscribed to in the loop's next turn."""
        listener = Listener(text, on_message, on_silence, silent_s, self._reach)
        self._listeners.append(listener)
        if listener.is_topic:
            self._follow(listener, text, time.monotonic())
        if not self._changed:
            self._changed = True
            self._loop.call_soon(self._subscribe)
        return listener

    def _subscribe(self) -> None:
        self._changed = False
        if self._closed:
            return
        self._wire = without_covered([one for listener in self._listeners for one in heard_with(listener.filter)])
        self._link.requests.hear(self._wire, self._answered)
        if self._link.up:
            self._reach.since = time.monotonic()
            self._link.requests.ask(self._wire)
            self._check(self._followed)

    def close(self) -> None:
        """Unsubscribe, and tell the device nothing more."""
        self._closed = True
        self._link.listener = None
        self._link.requests.hear([], lambda _filter, _why: None)
        for timer in (self._timer, self._retry):
            if timer:
                timer.cancel()
        for listener in self._listeners:
            self._set_fault(listener, None)

    # What the link reports.

    def on_connected(self) -> None:
        """Expect to hear from everybody again."""
        self._reach.unreachable, self._reach.since = None, time.monotonic()
        self._backoff.reset()
        self._check(self._followed)

    def on_disconnected(self, why: str) -> None:
        """Tell the device that nothing can be heard."""
        if self._retry:
            self._retry.cancel()
        if self._reach.unreachable in (None, NOT_YET):
            self._reach.unreachable = f"unreachable: {why}"
            for listener in (one for one in self._listeners if not one.is_topic):
                self._tell(listener, Silence(listener.filter, self._reach.unreachable))
            self._check(self._followed)

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Pass a message of others on, and note what it says of its sender. Our own come back with MQTT 3.1.1."""
        if topic.startswith(self._own):
            return
        now = time.monotonic()
        self._note_sender(topic, payload, now, retained=retained)
        for listener in self._listeners:
            if covers(listener.filter, topic):
                if not retained:
                    listener.count(now)
                self._hear(listener, topic, payload, now, retained=retained)

    def _note_sender(self, topic: str, payload: bytes, now: float, *, retained: bool) -> None:
        name, _, what = topic.rpartition("/status/")
        if what in VOUCHERS and (sender := self._sender(name)):
            trusted = retained and not self._clock.unsure
            sender.note(what, payload, now, stored_us=now_us() if trusted else None)
            self._check(sender.followed)

    def _sender(self, name: str) -> FollowedSensor | None:
        """Return the sensor of this name if it is followed."""
        found = self._senders.get(name)
        wanted = any(one.sender_filter and covers(one.sender_filter, name) for one in self._listeners)
        if found is None and wanted and len(name) <= LONGEST_TOPIC and len(self._senders) < MOST_TOPICS:
            found = self._senders[name] = FollowedSensor(name)
        return found

    def _hear(self, listener: Listener, topic: str, payload: bytes, now: float, *, retained: bool) -> None:
        if not payload:
            self._cleared(listener, topic, now)
            return
        try:
            heard = _heard(topic, payload, retained=retained)
        except Refused as why:
            listener.refuse(topic, str(why))
            return
        listener.keep(heard, now)
        one = listener.topics.get(topic) or self._follow(listener, topic, now)
        if one:
            one.since, one.heard = now, True
            if one.sender and not retained:
                one.sender.note_value(now)
            if one.told or retained:
                self._check([one])
        if one is None or one.problem(now, self._reach) is None:
            self._publish(partial(listener.on_message, heard))

    def _cleared(self, listener: Listener, topic: str, now: float) -> None:
        """Forget the value of a topic that was cleared."""
        listener.keep(None, now)
        one = listener.topics.get(topic)
        if one:
            one.heard = False
        if one or not listener.is_topic:
            self._tell(listener, Silence(topic, CLEARED))

    # Silence.

    def _follow(self, listener: Listener, topic: str, now: float) -> FollowedTopic | None:
        """Begin to follow a topic, if it can fall silent; too many are passed on, but not followed."""
        name, measure = (sender_of(topic) if listener.sender_filter else None) or ("", "")
        if not (name or listener.is_topic or listener.silent_s is not None):
            return None
        if len(self._followed) >= MOST_TOPICS and not listener.is_topic:
            if not self._full:
                log.warning("too many topics are listened to; of the others no silence is told", most=MOST_TOPICS)
            self._full = True
            return None
        one = FollowedTopic(topic, listener, self._sender(name) if name else None, measure, now)
        listener.topics[topic] = one
        self._followed.append(one)
        if one.sender:
            one.sender.followed.append(one)
        self._check_at(one.due(now, self._reach), now)
        return one

    def _check(self, followed: Iterable[FollowedTopic]) -> None:
        """Tell the device which of these have fallen silent, and why; that one is well again, its next message says."""
        now, due = time.monotonic(), inf
        for one in followed:
            before, one.told = one.told, one.problem(now, self._reach)
            if one.told and one.told != before and (one.listener.is_topic or not self._reach.unreachable):
                self._tell(one.listener, Silence(one.topic, one.told))
            if one.listener.is_topic:
                self._set_fault(one.listener, self._fault(one))
            due = min(due, one.due(now, self._reach))
        self._check_at(due, now)

    def _check_at(self, due: float, now: float) -> None:
        if due < inf:
            self._timer = self._loop.call_earlier(self._timer, due - now, self._check_all)

    def _check_all(self) -> None:
        self._timer = None
        self._check(self._followed)

    def _tell(self, listener: Listener, silence: Silence) -> None:
        if listener.on_silence:
            self._publish(partial(listener.on_silence, silence))

    # What the broker does not let us hear.

    def _answered(self, text: str, why: str | None) -> None:
        """Note that the broker lets us hear a filter, or why it does not."""
        if why is None:
            self._denied.pop(text, None)
        else:
            self._denied[text] = why
        for listener in self._listeners:
            one = listener.topics.get(listener.filter)
            self._set_fault(listener, self._fault(one) if one else self._refusal(listener))

    def _refusal(self, listener: Listener) -> str | None:
        """Return why the broker refuses what belongs to a listener, or None."""
        for text, why in self._denied.items():
            if any(covers(text, one) for one in heard_with(listener.filter)):
                return f"the broker does not let us hear {text}: {why}; {NOT_INSTALLED}"
        return None

    def _fault(self, one: FollowedTopic) -> str | None:
        """Return why a topic cannot be heard as long as nobody changes that, or None; away from the broker, as before.

        With an ACL file, Mosquitto grants every subscription and delivers nothing: then nothing of a sender is known.
        """
        if self._reach.unreachable:
            return one.listener.fault
        return self._refusal(one.listener) or (one.told if one.told == one.unknown else None)

    def _set_fault(self, listener: Listener, why: str | None) -> None:
        """Show in the state why a listener cannot hear, and ask the broker again later."""
        if why != listener.fault:
            listener.fault = why
            level = log.error if why else log.info
            level("cannot listen" if why else "listening", filter=listener.filter, reason=why)
            self._reporter.set_problem(f"listening to {listener.filter}", why)
            self._link.pump()
        if why and not self._closed and (self._retry is None or self._retry.call is None):
            self._retry = self._loop.call_later(self._backoff.advance(), self._ask_again)

    def _ask_again(self) -> None:
        """Subscribe again to what cannot be heard: the broker then sends what it has stored."""
        self._retry = None
        bad = [one for listener in self._listeners if listener.fault for one in heard_with(listener.filter)]
        if bad and self._link.up:
            self._link.requests.ask([text for text in self._wire if any(covers(text, one) for one in bad)])
            self._retry = self._loop.call_later(self._backoff.advance(), self._ask_again)


def _heard(topic: str, payload: bytes, *, retained: bool) -> Heard:
    """Return a message as the device gets it.

    Raises:
        Refused: its topic is too long, or its payload is none that can be read.
    """
    if len(topic) > LONGEST_TOPIC:
        raise Refused(f"its topic has {len(topic)} characters; at most {LONGEST_TOPIC} are read")
    value = decode(payload)
    time_of = value.get("time") if topic.endswith(f"/data/{READING}") and isinstance(value, dict) else None
    return Heard(topic, payload, value, retained, now_us(), time_of if isinstance(time_of, str) else None)
