"""A durable subscription in a thread of its own: what is heard is acknowledged once it is stored, and not before.

So a recorder or a store that is away costs nothing but the broker's queue. The thread tells the loop how it goes by
notes in the inbox, and is told to stop by a socket of its own.
"""

import json
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple, TypeAlias

import paho.mqtt.client as mqtt
import zmq
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from bootstrap import log
from bootstrap.clock import Stamps
from bootstrap.connection import LARGEST, Hello
from bootstrap.dial import dial
from bootstrap.filters import Session
from bootstrap.link import Address
from bootstrap.message import FAILURE
from bootstrap.sockets import Inbox, Sender, Socket, Sockets
from bootstrap.subscriber import Subscriber, Told

NOTE = "intake"
STOP = "inproc://intake-stop"
EXPIRY_S = 7 * 86_400  # of our session at the broker, in which it keeps what we have not acknowledged
WINDOW = 5000  # messages taken before one is acknowledged; Mosquitto by itself allows 20
BATCH = 1000  # stored at once, while the broker sends the next ones; so many acknowledged ones are remembered
RETRY_S = (1.0, 2.0, 5.0, 10.0)  # until a broker or a store that is away is tried again; the last again and again
MISC_S = 5.0  # until paho is asked whether a ping is due
JOIN_S = 12.0
NUMBERS = count(1)
NO_RETAINED = SubscribeOptions.RETAIN_DO_NOT_SEND


class Heard(NamedTuple):
    """A message as it came; `retained` if the broker had kept it, so that it is no news.

    `at_us` is when it came, in microseconds since 1970, later than of any before: the same however often it is stored,
    and also when it is told again on the next connection because our acknowledgement was lost.
    """

    topic: str
    payload: bytes
    retained: bool
    at_us: int = 0


Waiting: TypeAlias = tuple[int, Heard]  # the number to be acknowledged, and the message
Take = Callable[[Sequence[Heard]], None]  # stores them all, or raises OSError and has stored what it likes


class Away(OSError):  # noqa: N818 - named like the state
    """The store is away, and says for how long at least (seconds)."""

    def __init__(self, text: str, wait_s: float) -> None:
        super().__init__(text)
        self.wait_s = wait_s


class Retry:
    """When to try again."""

    def __init__(self) -> None:
        self._tries = 0
        self.due = 0.0

    def later(self, least_s: float = 0.0) -> None:
        """It failed; not before `least_s` seconds."""
        self.due = time.monotonic() + max(least_s, RETRY_S[min(self._tries, len(RETRY_S) - 1)])
        self._tries += 1

    def reset(self) -> None:
        """It is well."""
        self._tries, self.due = 0, 0.0

    @property
    def wait_s(self) -> float:
        """Seconds until then."""
        return max(0.0, self.due - time.monotonic())


@dataclass(frozen=True)
class Source:
    """Where to hear, as whom, and what."""

    address: Address
    hello: Callable[[], Hello]
    filters: Sequence[str]
    retained: Sequence[str] = ()  # of these also what the broker has kept, at each connect, and before the others
    memory: Path | None = None  # the file of what our session is subscribed to


class Intake:
    """The loop's end: starts the thread, hears how it goes, and ends it."""

    def __init__(self, sockets: Sockets, inbox: Inbox, source: Source, take: Take) -> None:
        """Hear what is published there, and `take` it, in the thread."""
        self._sockets = sockets
        self._stopper = sockets.open(zmq.PUSH)
        self._stopper.bind(STOP)
        self.trouble: str | None = None  # that the broker or the store is away, and why
        inbox.on(NOTE, self._note)
        self._ear = Ear(sockets, inbox, source, take)
        self._thread = threading.Thread(target=self._ear.run, name=NOTE, daemon=True)
        self._thread.start()

    def _note(self, body: bytes) -> None:
        """Unless it is the last word of one that was closed: after a reload that may still wait."""
        number, trouble = json.loads(body)
        if number == self._ear.number:
            self.trouble = trouble

    def progress(self) -> dict[str, float | None]:
        """How many messages wait here to be stored, and how many did not fit, which nobody will tell again (QoS 0)."""
        return {"waiting": len(self._ear.waiting), "missed": self._ear.missed}

    def close(self) -> None:
        """Have the batch in hand stored and acknowledged, and end."""
        self._stopper.send(b"", zmq.NOBLOCK)
        self._thread.join(JOIN_S)
        self._stopper.unbind(STOP)  # for the next one: ZeroMQ closes later
        self._sockets.close(self._stopper)


class Ear:
    """The thread's end: one connection after the other, and what was heard on it and is not stored yet."""

    def __init__(self, sockets: Sockets, inbox: Inbox, source: Source, take: Take) -> None:
        self._sockets, self._inbox, self._source, self._take = sockets, inbox, source, take
        self.number = next(NUMBERS)  # of all there ever were here
        self._client: Subscriber | None = None
        self.waiting: list[Waiting] = []
        self.missed = 0
        self._done: dict[int, Heard] = {}  # by its number, what was acknowledged last, whether that is heard or not
        self._again: dict[int, Heard] = {}  # likewise, what earlier connections may have left unacknowledged
        self._stamps = Stamps()
        self._session = Session(source.memory, [*source.retained, *source.filters])
        self._trouble: str | None = None
        self._told: str | None = None
        self._broker, self._store = Retry(), Retry()
        self._host = 0
        self._stopping = False

    def run(self) -> None:
        """Until told to stop."""
        stop = self._sockets.open(zmq.PULL)
        stop.connect(STOP)
        try:
            with self._inbox.sender() as notes:
                while not self._stopping:
                    self._turn(stop, notes)
                self._finish()
        finally:
            self._sockets.close(stop)

    def _turn(self, stop: Socket, notes: Sender) -> None:
        if self._client is None and not self._broker.wait_s:
            self._connect()
        self._poll(stop)
        self._put()
        if self._trouble != self._told and notes.send(NOTE, json.dumps([self.number, self._trouble]).encode()):
            self._told = self._trouble

    # The broker.

    def _connect(self) -> None:
        hosts = self._source.address.hosts
        host, self._host = hosts[self._host % len(hosts)], self._host + 1
        try:
            ready = dial(host, self._source.address.port, self._source.address.ca_file)
            self._client = self._greet(ready, self._source.hello())
        except (OSError, ValueError) as error:
            self._lost(f"{host}: {error}")

    def _greet(self, ready: socket.socket, hello: Hello) -> Subscriber:
        client = Subscriber(ready, hello, self._on_message)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = lambda *_: self._session.renewed()
        if client.protocol == mqtt.MQTTv5:
            client.connect("given", keepalive=hello.keepalive_s, clean_start=False, properties=_session())
        else:
            client.connect("given", keepalive=hello.keepalive_s)
        return client

    def _on_connect(
        self, client: mqtt.Client, _data: object, _flags: object, reason: ReasonCode, _properties: object
    ) -> None:
        if reason.value >= FAILURE:
            self._trouble = f"the broker refused us: {reason}"
            return
        self._broker.reset()
        self._trouble = None
        if client.protocol == mqtt.MQTTv5:
            kept, news = SubscribeOptions(qos=1), SubscribeOptions(qos=1, retainHandling=NO_RETAINED)
            wanted = [(topic, kept) for topic in self._source.retained]
            client.subscribe(wanted + [(topic, news) for topic in self._source.filters])
        else:
            client.subscribe([(topic, 1) for topic in (*self._source.retained, *self._source.filters)])
        if unwanted := self._session.unwanted():
            client.unsubscribe(unwanted)

    def _on_subscribe(
        self, _client: mqtt.Client, _data: object, _id: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        """What is published from now on is ours."""
        refused = [str(reason) for reason in reasons if reason.value >= FAILURE]
        if refused:
            self._trouble = f"the broker lets us hear nothing: {refused[0]}"
        else:
            log.info("hearing", filters=[*self._source.retained, *self._source.filters])

    def _on_message(self, told: Told) -> None:
        if not told.number and len(self.waiting) >= WINDOW:
            self.missed += 1
            return
        heard = Heard(told.topic, told.payload, told.retained, self._stamps.next(time.time_ns() // 1000))
        if told.again:
            heard = self._before(told.number, heard)
        elif told.number:
            self._again.clear()  # what is told again comes before anything new (MQTT 5, 4.6)
        self.waiting.append((told.number, heard))

    def _before(self, number: int, heard: Heard) -> Heard:
        """It, as it came the first time: a broker tells it under its old id, and says that it tells it again."""
        before = self._again.pop(number, heard)
        return before if before[:2] == heard[:2] else heard

    def _on_disconnect(
        self, _client: mqtt.Client, _data: object, _flags: object, reason: ReasonCode, _p: object
    ) -> None:
        if not self._stopping:
            self._lost(str(reason))

    def _lost(self, why: str) -> None:
        """What was not acknowledged will be told again; what cannot be, since it was told at QoS 0, stays."""
        if self._client is not None or self._trouble is None:
            log.warning("no broker to hear; it keeps what is said", reason=why)
        self._client = None
        self._again |= self._done | dict(self.waiting)
        self._done = {}
        self.waiting = [one for one in self.waiting if not one[0]]
        self._trouble = f"no broker: {why}"
        self._broker.later()

    # Waiting, and the store.

    def _poll(self, stop: Socket) -> None:
        """Until there is something to read, to store or to try again, or we are to stop."""
        poller = zmq.Poller()
        poller.register(stop, zmq.POLLIN)
        client = self._client
        ready = client.socket() if client else None
        if client and ready:
            poller.register(ready.fileno(), zmq.POLLIN | (zmq.POLLOUT if client.want_write() else 0))
        events = dict(poller.poll(int(self._patience_s() * 1000) + 1))
        self._stopping = stop in events
        if client and ready:
            self._exchange(client, ready.fileno(), events.get(ready.fileno(), 0))

    def _patience_s(self) -> float:
        if self._client is None:
            return self._broker.wait_s
        return min(MISC_S, self._store.wait_s) if self.waiting else MISC_S

    def _exchange(self, client: Subscriber, descriptor: int, events: int) -> None:
        """Write what waits, read all there is: a batch is as large as what has come."""
        if events & zmq.POLLOUT:
            client.loop_write()
        more = bool(events & zmq.POLLIN)
        readable = select.poll()
        readable.register(descriptor, select.POLLIN)
        while more and self._client is client and (len(self.waiting) < BATCH or self._store.due):
            client.loop_read()
            more = client.pending or bool(self._client and readable.poll(0))
        if self._client is client:
            client.loop_misc()

    def _put(self) -> None:
        """Store what waits, and acknowledge it; or try again later."""
        while self.waiting and not self._store.wait_s:
            batch = self.waiting[:BATCH]
            try:
                self._take([heard for _, heard in batch])
            except OSError as error:
                self._put_off(error)
            else:
                self._acknowledge(batch)

    def _put_off(self, error: OSError) -> None:
        if not self._store.due:
            log.error("the store is away; the broker keeps what is said", error=str(error))
        self._store.later(error.wait_s if isinstance(error, Away) else 0.0)
        self._trouble = f"the store is away: {error}"

    def _acknowledge(self, batch: list[Waiting]) -> None:
        if self._store.due:
            log.info("the store is back")
        self._store.reset()
        self._trouble = None
        del self.waiting[: len(batch)]
        if self._client is not None:
            self._remember(batch)
            self._client.acknowledge(number for number, _ in batch)

    def _remember(self, batch: list[Waiting]) -> None:
        for number, heard in batch:
            self._done.pop(number, None)
            self._done[number] = heard
        for number in [*islice(self._done, max(0, len(self._done) - BATCH))]:
            del self._done[number]

    def _finish(self) -> None:
        """Say goodbye, so that nothing is sent to nobody."""
        if self._client is None:
            return
        client, self._client = self._client, None
        while client.want_write():
            client.loop_write()
        client.disconnect()


def _session() -> Properties:
    """A session that outlives us, and how much we take at once; 3.1.1 has the one for ever, and cannot say this."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's own
    properties.SessionExpiryInterval = EXPIRY_S
    properties.ReceiveMaximum = WINDOW
    properties.MaximumPacketSize = LARGEST
    return properties
