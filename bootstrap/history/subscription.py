"""A durable subscription in a thread of its own: a message is acknowledged once it is stored, and not before.

While the recorder or its store is unavailable, messages only take room in the broker's queue. The thread reports its
state to the loop by notes in the inbox, and is stopped by a message on a socket of its own.
"""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, count, islice
from pathlib import Path
from typing import TypeAlias

import zmq

from bootstrap.contract.subscription import OnBatch, ReceivedMessage
from bootstrap.contract.timestamps import ArrivalClock
from bootstrap.eventloop.backoff import Retry
from bootstrap.eventloop.threads import Inbox, Sender, Socket, Sockets
from bootstrap.history.session_memory import SessionMemory
from bootstrap.logs import log
from bootstrap.mqtt.address import BrokerAddress, ConnectOptions
from bootstrap.mqtt.blocking import BlockingConnection
from bootstrap.mqtt.connect import connect
from bootstrap.mqtt.packets import Publish
from bootstrap.mqtt.paho import SubscribeOptions
from bootstrap.mqtt.session import Closed, Connack, Durable, Event, Reason, Suback, Unsuback

NOTE = "subscription"
STOP = "inproc://subscription-stop"
WINDOW = 5000  # messages received before one is acknowledged; Mosquitto by itself allows 20
BATCH = 1000  # messages stored at once, while the broker sends more; also how many acknowledged ones are remembered
BATCH_BYTES = 1_000_000  # of their payloads, which take up to twenty times as much once they are parsed
FULL_BYTES = 16_000_000  # of payloads that wait: no more is read until some of it is stored
LARGEST = 200_000  # bytes of a packet: more than any reading has
DURABLE = Durable(7 * 86_400, WINDOW, LARGEST)  # the broker keeps for a week what we have not acknowledged
FIRST_RETRY_S, LAST_RETRY_S = 1.0, 10.0  # until an unavailable broker or store is tried again
JOIN_S = 12.0
NUMBERS = count(1)
WITH_RETAINED = SubscribeOptions(qos=1)
WITHOUT_RETAINED = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)

Waiting: TypeAlias = tuple[int, ReceivedMessage]  # the packet id to be acknowledged, and the message


class StoreUnavailable(OSError):  # noqa: N818 - named like the state
    """The store is unavailable, for at least `wait_s` seconds."""

    def __init__(self, text: str, wait_s: float) -> None:
        super().__init__(text)
        self.wait_s = wait_s


@dataclass(frozen=True)
class SubscriptionSource:
    """The broker, the login and the filters of a subscription.

    Attributes:
        retained: filters whose retained messages are also received, at each connect and before other messages.
        memory: the file that remembers the filters of the session.
        known: a time that has certainly passed, in seconds since 1970: while the clock is earlier, it is not trusted.
    """

    address: BrokerAddress
    options: Callable[[], ConnectOptions]
    filters: Sequence[str]
    retained: Sequence[str] = ()
    memory: Path | None = None
    known: float = 0.0


class Subscription:
    """The subscription as the loop sees it: starts the thread, receives its state, and stops it."""

    def __init__(self, sockets: Sockets, inbox: Inbox, source: SubscriptionSource, on_batch: OnBatch) -> None:
        """Subscribe, and pass what arrives to `on_batch` in the thread."""
        self._sockets = sockets
        self._stopper = sockets.open(zmq.PUSH)
        self._stopper.bind(STOP)
        self.trouble: str | None = None  # why the broker or the store is unavailable
        inbox.on(NOTE, self._note)
        self._worker = SubscriptionThread(sockets, inbox, source, on_batch)
        self._thread = threading.Thread(target=self._worker.run, name=NOTE, daemon=True)
        self._thread.start()

    def _note(self, body: bytes) -> None:
        """Note the state of the thread, unless the note is from a thread that was closed before a reload."""
        number, trouble = json.loads(body)
        if number == self._worker.number:
            self.trouble = trouble

    def progress(self) -> dict[str, float | None]:
        """Return how many messages wait to be stored, and how many were lost for lack of room (QoS 0 only)."""
        return {"waiting": len(self._worker.waiting), "missed": self._worker.missed}

    def close(self) -> None:
        """Stop the thread after it has stored and acknowledged the batch under way."""
        self._stopper.send(b"", zmq.NOBLOCK)
        self._thread.join(JOIN_S)
        self._stopper.unbind(STOP)  # for the next one: ZeroMQ closes later
        self._sockets.close(self._stopper)


class SubscriptionThread:
    """The thread of a subscription: keeps a connection, and stores what arrives on it."""

    def __init__(self, sockets: Sockets, inbox: Inbox, source: SubscriptionSource, on_batch: OnBatch) -> None:
        self._sockets, self._inbox, self._source, self._on_batch = sockets, inbox, source, on_batch
        self.number = next(NUMBERS)  # unique in this process
        self._connection: BlockingConnection | None = None
        self.waiting: list[Waiting] = []
        self._bytes = 0  # of the payloads that wait
        self.missed = 0
        self._acknowledged: dict[int, ReceivedMessage] = {}  # by packet id: the last ones, known to the broker or not
        self._earlier: dict[int, ReceivedMessage] = {}  # by packet id: perhaps unacknowledged on earlier connections
        self._clock = ArrivalClock(source.known)
        self._held = False
        self._memory = SessionMemory(source.memory, [*source.retained, *source.filters])
        self._trouble: str | None = None
        self._reported: str | None = None
        self._broker, self._store = Retry(FIRST_RETRY_S, LAST_RETRY_S), Retry(FIRST_RETRY_S, LAST_RETRY_S)
        self._host = 0
        self._stopping = False

    def run(self) -> None:
        """Receive and store messages until the thread is stopped."""
        stop = self._sockets.open(zmq.PULL)
        stop.connect(STOP)
        try:
            with self._inbox.sender() as notes:
                while not self._stopping:
                    self._turn(stop, notes)
            if self._connection is not None:
                self._connection.close()
        finally:
            self._sockets.close(stop)

    def _turn(self, stop: Socket, notes: Sender) -> None:
        if self._connection is not None:
            self._handle_events(self._connection)  # an acknowledgement that could not be written ends the connection
        if self._connection is None and not self._broker.wait_s:
            self._connect()
        self._poll(stop)
        self._put()
        if self._trouble != self._reported and notes.send(NOTE, json.dumps([self.number, self._trouble]).encode()):
            self._reported = self._trouble

    # The broker.

    def _connect(self) -> None:
        hosts = self._source.address.hosts
        host, self._host = hosts[self._host % len(hosts)], self._host + 1
        try:
            options = self._source.options()
            ready = connect(host, self._source.address.port, self._source.address.ca_file)
            self._connection = BlockingConnection(ready, options, DURABLE)
        except (OSError, ValueError) as error:
            self._lost(f"{host}: {error}")
        else:
            self._handle_events(self._connection)

    def _handle_events(self, connection: BlockingConnection) -> None:
        while connection.events and self._connection is connection:
            self._handle(connection, connection.events.popleft())

    def _handle(self, connection: BlockingConnection, event: Event) -> None:
        match event:
            case Publish():
                self._receive(event)
            case Connack(reason):
                self._connected(connection, reason)
            case Suback(_, reasons):
                self._subscribed(reasons)
            case Unsuback():
                self._memory.renewed()
            case Closed(why):
                self._lost(why)

    def _connected(self, connection: BlockingConnection, reason: Reason) -> None:
        if reason.failed:
            self._trouble = f"the broker refused us: {reason.text}"
            return
        self._broker.succeeded()
        self._trouble = None
        retained = [(one, WITH_RETAINED) for one in self._source.retained]
        connection.subscribe([*retained, *((one, WITHOUT_RETAINED) for one in self._source.filters)])
        if unwanted := self._memory.unwanted():
            connection.unsubscribe(unwanted)

    def _subscribed(self, reasons: Sequence[Reason]) -> None:
        """Log the subscription, or note why the broker has refused it."""
        refused = [reason.text for reason in reasons if reason.failed]
        if refused:
            self._trouble = f"the broker refused the subscription: {refused[0]}"
        else:
            log.info("subscribed", filters=[*self._source.retained, *self._source.filters])

    def _receive(self, message: Publish) -> None:
        if not message.packet_id and (len(self.waiting) >= WINDOW or self._full):
            self.missed += 1
            return
        at_us, boot_us = self._clock.stamp()
        received = ReceivedMessage(message.topic, message.payload, message.retained, at_us, boot_us=boot_us)
        if message.duplicate:
            received = self._as_before(message.packet_id, received)
        elif message.packet_id:
            self._earlier.clear()  # duplicates come before anything new (MQTT 5, 4.6)
        self.waiting.append((message.packet_id, received))
        self._bytes += len(received.payload)

    def _as_before(self, packet_id: int, received: ReceivedMessage) -> ReceivedMessage:
        """Return a duplicate as it arrived the first time: the broker sends it with its old packet id."""
        before = self._earlier.pop(packet_id, received)
        return before if before[:2] == received[:2] else received

    def _lost(self, why: str) -> None:
        """Forget unacknowledged messages, which are sent again, but keep those of QoS 0, which are not."""
        if self._connection is not None or self._trouble is None:
            log.warning("no broker to receive from; it keeps the messages meanwhile", reason=why)
        self._connection = None
        self._earlier |= self._acknowledged | dict(self.waiting)
        self._acknowledged = {}
        self.waiting = [one for one in self.waiting if not one[0]]
        self._bytes = sum(len(received.payload) for _, received in self.waiting)
        self._trouble = f"no broker: {why}"
        self._broker.failed()

    # Waiting, and the store.

    def _poll(self, stop: Socket) -> None:
        """Wait until there is something to read, to store or to try again, or the thread is stopped."""
        poller = zmq.Poller()
        poller.register(stop, zmq.POLLIN)
        connection = self._connection
        descriptor = connection.fileno() if connection else -1
        if connection:
            reading = 0 if self._full else zmq.POLLIN
            poller.register(descriptor, reading | (zmq.POLLOUT if connection.wants_to_write else 0))
        events = dict(poller.poll(int(self._timeout_s() * 1000) + 1))
        self._stopping = stop in events
        if connection:
            ready = events.get(descriptor, 0)
            connection.exchange(
                readable=bool(ready & ~zmq.POLLOUT), writable=bool(ready & zmq.POLLOUT), enough=self._has_enough
            )
            self._handle_events(connection)

    def _timeout_s(self) -> float:
        if self._connection is None:
            return self._broker.wait_s
        ping_s = self._connection.ping_in_s
        return min(ping_s, max(self._store.wait_s, self._clock.hold_s())) if self.waiting else ping_s

    @property
    def _full(self) -> bool:
        return self._bytes >= FULL_BYTES

    def _has_enough(self) -> bool:
        """Return whether a whole batch waits, or as much as may, after handling what has arrived."""
        if self._connection is not None:
            self._handle_events(self._connection)
        whole = len(self.waiting) >= BATCH or self._bytes >= BATCH_BYTES
        return self._full or (whole and not self._store.due)

    def _put(self) -> None:
        """Store what waits and acknowledge it, or try again later."""
        while self.waiting and not self._store.wait_s and not self._must_hold():
            batch = [self._settled(one) for one in self._batch()]
            self.waiting[: len(batch)] = batch
            try:
                self._on_batch([received for _, received in batch])
            except OSError as error:
                self._put_failed(error)
            else:
                self._acknowledge(batch)

    def _batch(self) -> list[Waiting]:
        """Return the oldest that wait, within the limits of a batch, and at least one."""
        sizes = accumulate(len(received.payload) for _, received in self.waiting[:BATCH])
        return self.waiting[: max(1, sum(size <= BATCH_BYTES for size in sizes))]

    def _must_hold(self) -> bool:
        """Return whether the times of what has arrived may soon be known. Logs it once each time."""
        held = self._clock.hold_s() > 0
        if held and not self._held:
            log.warning("the clock is not set; what is received waits until it is, or for ten minutes")
        self._held = held
        return held

    def _settled(self, one: Waiting) -> Waiting:
        """Return a message with the time at which it arrived."""
        packet_id, received = one
        if received.boot_us is None:
            return one
        at_us, unsure = self._clock.settle(received.boot_us)
        return packet_id, received._replace(at_us=at_us, unsure=unsure, boot_us=None)

    def _put_failed(self, error: OSError) -> None:
        if not self._store.due:
            log.error("the store is unavailable; the broker keeps the messages meanwhile", error=str(error))
        self._store.failed(error.wait_s if isinstance(error, StoreUnavailable) else 0.0)
        self._trouble = f"the store is unavailable: {error}"

    def _acknowledge(self, batch: list[Waiting]) -> None:
        if self._store.due:
            log.info("the store is available again")
        self._store.succeeded()
        self._trouble = None
        del self.waiting[: len(batch)]
        self._bytes -= sum(len(received.payload) for _, received in batch)
        if self._connection is not None:
            self._remember(batch)
            self._connection.acknowledge(packet_id for packet_id, _ in batch)

    def _remember(self, batch: list[Waiting]) -> None:
        for packet_id, received in batch:
            self._acknowledged.pop(packet_id, None)
            self._acknowledged[packet_id] = received
        for packet_id in [*islice(self._acknowledged, max(0, len(self._acknowledged) - BATCH))]:
            del self._acknowledged[packet_id]
