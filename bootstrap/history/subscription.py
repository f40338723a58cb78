"""A durable subscription in a thread of its own: a message is acknowledged once it is stored, and not before.

While the recorder or its store is unavailable, messages only take room in the broker's queue. The thread reports its
state to the loop by notes in the inbox, and is stopped by a message on a socket of its own.
"""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, count
from pathlib import Path

import zmq

from bootstrap.contract.subscription import OnBatch
from bootstrap.eventloop.backoff import Retry
from bootstrap.eventloop.threads import Inbox, Sender, Socket, Sockets
from bootstrap.history.arrivals import Arrivals
from bootstrap.history.deliveries import Deliveries, Waiting
from bootstrap.history.session_memory import SessionMemory
from bootstrap.history.session_name import SessionName, SessionStep
from bootstrap.history.store_attempts import Blocking, StoreAttempts
from bootstrap.logs import log
from bootstrap.mqtt.address import BrokerAddress, ConnectOptions
from bootstrap.mqtt.blocking import BlockingConnection
from bootstrap.mqtt.connect import connect
from bootstrap.mqtt.packets import Publish
from bootstrap.mqtt.paho import SubscribeOptions
from bootstrap.mqtt.session import Closed, Connack, Durable, Event, Pingresp, Puback, Reason, Suback, Unsuback

NOTE = "subscription"
STOP = "inproc://subscription-stop"
WINDOW = 5000  # messages received before one is acknowledged; Mosquitto by itself allows 20
BATCH = 1000  # messages stored at once, while the broker sends more
BATCH_BYTES = 1_000_000  # of their payloads, which take up to twenty times as much once they are parsed
FULL_BYTES = 16_000_000  # of payloads that wait: no more is read until some of it is stored
LARGEST = 200_000  # bytes of a packet: more than any reading has
DURABLE = Durable(7 * 86_400, WINDOW, LARGEST)  # the broker keeps for a week what we have not acknowledged
HANG_S = 120.0  # longest time for storing a batch or for connecting, after which the thread counts as hung
FIRST_RETRY_S, LAST_RETRY_S = 1.0, 10.0  # until an unavailable broker or store is tried again
JOIN_S = 12.0
NUMBERS = count(1)
WITH_RETAINED = SubscribeOptions(qos=1)
WITHOUT_RETAINED = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)


@dataclass(frozen=True)
class SubscriptionSource:
    """The broker, the login and the filters of a subscription.

    Attributes:
        name: the client id of the session; it replaces that of the options.
        retained: filters whose retained messages are also received, at each connect and before other messages.
        memory: the file that remembers the filters of the session.
        known: a time that has certainly passed, in seconds since 1970: while the clock is earlier, it is not trusted.
    """

    address: BrokerAddress
    options: Callable[[], ConnectOptions]
    name: SessionName
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
        self.denied: str | None = None  # why the broker does not let us say that we record
        self.times_subscribed = 0
        inbox.on(NOTE, self._note)
        self._worker = SubscriptionThread(sockets, inbox, source, on_batch)
        self._thread = threading.Thread(target=self._worker.run, name=NOTE, daemon=True)
        self._thread.start()

    def _note(self, body: bytes) -> None:
        """Note the state of the thread, unless the note is from a thread that was closed before a reload."""
        number, trouble, times, denied = json.loads(body)
        if number == self._worker.number:
            self.trouble, self.times_subscribed, self.denied = trouble, times, denied

    def announce(self, payload: bytes) -> None:
        """Publish this word, retained, if the connection still is the one that was subscribed last."""
        self._stopper.send_multipart([str(self.times_subscribed).encode(), payload], zmq.NOBLOCK)

    @property
    def making_progress(self) -> bool:
        """Whether the thread is not blocked by the store or by connecting for longer than either can take."""
        return not self._worker.blocking.longer_than(HANG_S)

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
        self._sockets, self._inbox, self._source = sockets, inbox, source
        self._name = source.name
        self._options: ConnectOptions | None = None  # of the connection
        self._pings = 0  # unanswered
        self.number = next(NUMBERS)  # unique in this process
        self._connection: BlockingConnection | None = None
        self.waiting: list[Waiting] = []
        self._bytes = 0  # of the payloads that wait
        self.missed = 0
        self._deliveries = Deliveries()
        self._times_subscribed = 0
        self._arrivals = Arrivals(source.known)
        self._memory = SessionMemory(source.memory, [*source.retained, *source.filters])
        self._trouble: str | None = None
        self._denied: str | None = None
        self._reported: tuple[str | None, int, str | None] = None, 0, None
        self._broker = Retry(FIRST_RETRY_S, LAST_RETRY_S)
        self.blocking = Blocking()
        self._store = StoreAttempts(on_batch, self.blocking, Retry(FIRST_RETRY_S, LAST_RETRY_S))
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
                self._leave(self._connection)
        finally:
            self._sockets.close(stop)

    def _turn(self, stop: Socket, notes: Sender) -> None:
        if self._connection is not None:
            self._handle_events(self._connection)  # an acknowledgement that could not be written ends the connection
        if self._connection is not None and not self.waiting and self._name.wait_s == 0:
            self._change_session(self._connection)
        if self._connection is None and not self._broker.wait_s:
            self._connect()
        self._poll(stop)
        self._put()
        now = self._trouble, self._times_subscribed, self._denied
        if now != self._reported and notes.send(NOTE, json.dumps([self.number, *now]).encode()):
            self._reported = now

    # The broker.

    def _connect(self) -> None:
        hosts = self._source.address.hosts
        host, self._host = hosts[self._host % len(hosts)], self._host + 1
        try:
            options = replace(self._source.options(), client_id=self._name.client_id)
            if not self._name.is_secret:
                options = replace(options, will=None)
            self._options = options
            with self.blocking.call():
                ready = connect(host, self._source.address.port, self._source.address.ca_file)
            self._pings = 0
            self._connection = BlockingConnection(
                ready, options, None if self._name.step is SessionStep.END else DURABLE
            )
        except (OSError, ValueError) as error:
            self._lost(f"{host}: {error}")
        else:
            self._handle_events(self._connection)

    def _handle_events(self, connection: BlockingConnection) -> None:
        while connection.events and self._connection is connection:
            self._handle(connection, connection.events.popleft())
        if self._connection is connection and not connection.open:
            self._lost("the connection broke")

    def _handle(self, connection: BlockingConnection, event: Event) -> None:
        match event:
            case Publish():
                self._receive(event)
            case Connack(reason):
                self._connected(connection, reason)
            case Suback(_, reasons):
                self._subscribed(connection, reasons)
            case Puback(_, reason):
                self._denied = reason.text or None
            case Pingresp():
                self._pings -= 1
                self._check_empty(connection)
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
        if self._name.step is SessionStep.EMPTY:
            connection.unsubscribe([*self._memory.all()])
            self._ping(connection)
        elif self._name.step is SessionStep.END:
            self._change_session(connection)
        else:
            self._subscribe(connection)

    def _subscribe(self, connection: BlockingConnection) -> None:
        retained = [(one, WITH_RETAINED) for one in self._source.retained]
        connection.subscribe([*retained, *((one, WITHOUT_RETAINED) for one in self._source.filters)])
        if unwanted := self._memory.unwanted():
            connection.unsubscribe(unwanted)

    def _subscribed(self, connection: BlockingConnection, reasons: Sequence[Reason]) -> None:
        """Log the subscription, or note why the broker has refused it."""
        refused = [reason.text for reason in reasons if reason.failed]
        if refused:
            self._trouble = f"the broker refused the subscription: {refused[0]}"
        elif self._name.step is SessionStep.SUBSCRIBE:
            self._change_session(connection)
        else:
            self._times_subscribed += 1
            log.info("subscribed", filters=[*self._source.retained, *self._source.filters])

    def _receive(self, message: Publish) -> None:
        if not message.packet_id and (len(self.waiting) >= WINDOW or self._full):
            self.missed += 1
            return
        received = self._arrivals.stamped(message)
        self.waiting.append((message.packet_id, self._deliveries.first(message, received)))
        self._bytes += len(received.payload)

    # The session under the guessable name of an earlier version.

    def _ping(self, connection: BlockingConnection) -> None:
        self._pings += 1
        connection.ping()

    def _check_empty(self, connection: BlockingConnection) -> None:
        """End the earlier session if nothing is left in it: the broker answers a ping after what it had to send."""
        if self._name.step is SessionStep.EMPTY and not self._pings and not self.waiting:
            self._change_session(connection)

    def _change_session(self, connection: BlockingConnection) -> None:
        """Leave the session of this connection, and connect for the next step at once."""
        connection.close()
        self._name.advance()
        if self._name.step is SessionStep.DONE:
            log.info("the session of an earlier version is empty and has been ended")
        self._forget_unacknowledged()

    def _lost(self, why: str) -> None:
        """Try again later."""
        if self._connection is not None or self._trouble is None:
            log.warning("no broker to receive from; it keeps the messages meanwhile", reason=why)
        self._name.interrupted()
        self._forget_unacknowledged()
        self._trouble = f"no broker: {why}"
        self._broker.failed()

    def _forget_unacknowledged(self) -> None:
        """Forget unacknowledged messages, which are sent again, but keep those of QoS 0, which are not."""
        self._connection = None
        self._deliveries.connection_lost(self.waiting)
        self.waiting = [one for one in self.waiting if not one[0]]
        self._bytes = sum(len(received.payload) for _, received in self.waiting)

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
        if stop in events:
            self._obey(stop.recv_multipart())
        if connection:
            ready = events.get(descriptor, 0)
            connection.exchange(
                readable=bool(ready & ~zmq.POLLOUT), writable=bool(ready & zmq.POLLOUT), enough=self._has_enough
            )
            self._handle_events(connection)

    def _obey(self, order: list[bytes]) -> None:
        """Stop, or publish a word about the connection with this number, unless there is another one meanwhile."""
        if order == [b""]:
            self._stopping = True
        elif self._connection and self._options and self._options.will and int(order[0]) == self._times_subscribed:
            self._connection.publish(replace(self._options.will, payload=order[1]))

    def _leave(self, connection: BlockingConnection) -> None:
        """Publish the last will ourselves: a connection that is closed in order has none."""
        if self._options and self._options.will and self._times_subscribed:
            connection.publish(self._options.will)
        connection.close()

    def _timeout_s(self) -> float:
        if self._connection is None:
            return self._broker.wait_s
        waits_s = [self._connection.ping_in_s]
        if self.waiting:
            waits_s.append(max(self._store.wait_s, self._arrivals.hold_s()))
        elif (later_s := self._name.wait_s) is not None:
            waits_s.append(later_s)
        return min(waits_s)

    @property
    def _full(self) -> bool:
        return self._bytes >= FULL_BYTES

    def _has_enough(self) -> bool:
        """Return whether a whole batch waits, or as much as may, after handling what has arrived."""
        if self._connection is not None:
            self._handle_events(self._connection)
        whole = len(self.waiting) >= BATCH or self._bytes >= BATCH_BYTES
        return self._full or (whole and not self._store.failing)

    def _put(self) -> None:
        """Store what waits and acknowledge it, or try again later."""
        while self.waiting and not self._store.wait_s and not self._arrivals.must_hold():
            batch = [self._arrivals.settled(one) for one in self._batch()]
            self.waiting[: len(batch)] = batch
            self._trouble = self._store.store([received for _, received in batch])
            if self._trouble is None:
                self._acknowledge(batch)

    def _batch(self) -> list[Waiting]:
        """Return the oldest that wait, within the limits of a batch, and at least one."""
        sizes = accumulate(len(received.payload) for _, received in self.waiting[:BATCH])
        return self.waiting[: max(1, sum(size <= BATCH_BYTES for size in sizes))]

    def _acknowledge(self, batch: list[Waiting]) -> None:
        del self.waiting[: len(batch)]
        self._bytes -= sum(len(received.payload) for _, received in batch)
        if self._connection is not None:
            self._deliveries.acknowledged(batch)
            self._connection.acknowledge(packet_id for packet_id, _ in batch)
            if self._name.step is SessionStep.EMPTY:
                self._ping(self._connection)
