"""What a device may use while it is attached: timers, pins, subscriptions and its state folder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bootstrap.config.model import SensorSettings
from bootstrap.contract.recording_word import NAME, NOT_RECORDING
from bootstrap.contract.subscription import OnBatch, PublishedReading
from bootstrap.device import Device, Reading
from bootstrap.errors import Exit, Fatal
from bootstrap.eventloop.threads import Inbox, Sockets
from bootstrap.logs import log
from bootstrap.mqtt.address import BrokerAddress, ConnectOptions
from bootstrap.outbox.dead_letters import DeadLetters
from bootstrap.outbox.folder import outbox_folder
from bootstrap.outbox.message import Message
from bootstrap.pins.device_pins import pin_failure
from bootstrap.runtime.conversation import Conversation, NoConversation
from bootstrap.runtime.declared_lines import DeclaredLines
from bootstrap.runtime.kept_values import KeptValues
from bootstrap.runtime.lent_parts import LentParts
from bootstrap.runtime.named_timers import NamedTimers
from bootstrap.runtime.releases import Releases
from bootstrap.runtime.reporter import Reporter

if TYPE_CHECKING:
    from bootstrap.contract.other_broker import OtherBrokerHandle, Told
    from bootstrap.history.subscription import Subscription
    from bootstrap.pins.edge_times import EdgesHandle
    from bootstrap.streams import Source, StreamHandle


class Subscriptions:
    """The connections of a device that subscribes to what others publish, such as the recorder."""

    def __init__(self, settings: SensorSettings, sockets: Sockets, inbox: Inbox, known: float = 0.0) -> None:
        """Trust no clock that is earlier than `known`, in seconds since 1970."""
        self._settings, self._sockets, self._inbox, self._known = settings, sockets, inbox, known
        self.state = settings.folders.state
        self.folder = outbox_folder(self.state, settings.topics)
        self._dead_letters = DeadLetters(self.folder)
        self._open = Releases()
        self.begun = False  # whether there is a subscription
        self.sensor = settings.topics.client_id
        self._running: list[Subscription] = []

    @property
    def making_progress(self) -> bool:
        """Whether no thread of a subscription hangs."""
        return all(one.making_progress for one in self._running)

    def subscribe(self, filters: Sequence[str], on_batch: OnBatch, retained: Sequence[str] = ()) -> "Subscription":
        """Implement `Device.subscribe`. The import is local because few devices need it."""
        from bootstrap.history.session_name import SessionName  # noqa: PLC0415
        from bootstrap.history.subscription import Subscription, SubscriptionSource  # noqa: PLC0415

        address = BrokerAddress.of(self._settings)
        name = SessionName(self.folder / "session.json", f"{self._settings.topics.client_id}/history")

        topic = self._settings.topics.status(NAME)
        will = Message(topic, NOT_RECORDING, retain=True) if self._settings.device.records else None

        def options() -> ConnectOptions:
            return replace(address.connect_options(), will=will)

        source = SubscriptionSource(
            address, options, name, filters, retained, self.folder / "subscriptions.json", self._known
        )
        subscription = Subscription(self._sockets, self._inbox, source, on_batch)
        self._running.append(subscription)
        self._open.callback(subscription.close)
        self.begun = True
        return subscription

    def dead_letter(self, topic: str, payload: bytes, reason: str) -> None:
        """Implement `Context.dead_letter`."""
        self._dead_letters.add(Message(topic, payload), reason)

    def close(self) -> None:
        """Store what has arrived, then close the subscriptions."""
        self._open.close()


class DeviceContext:
    """What one device may use; it implements the `Context` protocol of `Device`."""

    def __init__(  # noqa: PLR0913 - the last is a keyword
        self,
        timers: NamedTimers,
        pins: DeclaredLines,
        subscriptions: Subscriptions,
        kept: KeptValues,
        reporter: Reporter | None = None,
        *,
        lent: LentParts | None = None,
    ) -> None:
        """Without a reporter nothing is published but what the timers publish; without `lent` nothing is asked."""
        self.subscriptions, self._reporter = subscriptions, reporter
        self.keep = kept.keep
        self.after, self.waits_for, self.cancel = timers.after, timers.waits_for, timers.cancel
        self.sensor = subscriptions.sensor
        self.watch, self.own = pins.watch, pins.own
        self.subscribe, self.dead_letter = subscriptions.subscribe, subscriptions.dead_letter
        self.ask = lent.ask if lent else _nothing
        self._read_soon = lent.read_soon if lent else _nothing
        self.show = lent.show if lent else _nothing
        self.lines = lent.lines if lent else _no_stream
        self.edges = lent.edges if lent else _no_edges
        self.other_broker = lent.other_broker if lent else _no_broker
        self.state, self.folder = subscriptions.state, subscriptions.folder
        self.converse_by(NoConversation())
        self.publish_by(_nothing)

    def publish_by(self, publish: Callable[[Callable[[], Reading | None], int | None], None]) -> None:
        """Publish by this what no call of the device has returned."""
        self._publish = publish

    def use(
        self,
        conversation: Conversation | NoConversation,
        publish: Callable[[Callable[[], Reading | None], int | None], None],
    ) -> None:
        """Listen and tell by this conversation, and publish by this what no call of the device has returned."""
        self.converse_by(conversation)
        self.publish_by(publish)

    def converse_by(self, conversation: Conversation | NoConversation) -> None:
        """Listen and tell by this."""
        self.listen, self.tell = conversation.listen, conversation.tell

    @property
    def published(self) -> PublishedReading:
        """Implement `Context.published`."""
        return self._reporter.published if self._reporter else PublishedReading("", 0, None)

    def set_problem(self, what: str, why: str | None) -> None:
        """Implement `Context.set_problem`."""
        if self._reporter:
            self._reporter.set_problem(what, why)

    def clear(self, measure: str) -> None:
        """Implement `Context.clear`."""
        if self._reporter:
            self._reporter.clear(measure)

    def redescribe(self) -> None:
        """Implement `Context.redescribe`. Another sensor's device may be the cause, as for `publish`."""
        if self._reporter:
            log.call_as(self.sensor, self._reporter.introduce)
            self._read_soon()

    def said(self, name: str) -> bytes:
        """Implement `Context.said`."""
        return self._reporter.said(name) if self._reporter else b""

    def publish(self, reading: Reading, at_us: int | None = None) -> None:
        """Implement `Context.publish`. It is called by another sensor's device: this one's name is in the log."""
        log.call_as(self.sensor, self._publish, lambda: reading, at_us)


def _nothing(*_: object, **__: object) -> None:
    """Ask nothing: the device is only set up to make its outputs safe."""


class _NoStream:
    """A stream that is never open."""

    problem = "no stream is opened to make outputs safe"

    def reopen(self, _source: "Source") -> None:
        """Open nothing."""

    def write(self, _data: bytes) -> None:
        raise OSError("no stream is opened to make outputs safe")

    def close(self) -> None:
        """Nothing is open."""


def _no_stream(*_: object, **__: object) -> "StreamHandle":
    """Open nothing: the device is only set up to make its outputs safe."""
    return _NoStream()


class _NoEdges:
    """A line that nobody looks at."""

    def catch_up(self) -> None:
        """There is nothing to pass on."""


def _no_edges(*_: object, **__: object) -> "EdgesHandle":
    """Take no line: the device is only set up to make its outputs safe."""
    return _NoEdges()


class _NoBroker:
    """A broker that is never connected."""

    trouble = "no broker is connected to make outputs safe"

    def tell(self, _topic: str, _payload: bytes, then: "Told") -> None:
        then("undelivered", self.trouble)

    def close(self) -> None:
        """Nothing is open."""


def _no_broker(*_: object, **__: object) -> "OtherBrokerHandle":
    """Connect to nothing: the device is only set up to make its outputs safe."""
    return _NoBroker()


class DeviceSetup:
    """The setup of a device, and the teardown that belongs to it."""

    def __init__(self, device: Device, lines: DeclaredLines) -> None:
        self._device, self.lines = device, lines
        self._complete = False

    def do(self) -> None:
        """Run the device's setup.

        Raises:
            Fatal: its pins cannot be used, or a module is missing: an error in the settings (78), no bug of the device.
            OSError: the device is absent.
        """
        try:
            self._device.setup()
        except Exception as error:
            if failure := pin_failure(error):
                raise failure from None
            if isinstance(error, ImportError):
                raise Fatal(Exit.SETTINGS, f"a module that the device needs is missing: {error}") from None
            raise
        self._complete = True
        if self.lines.unwatched:
            log.warning("watches none of its lines, so no edge is noticed; a setup of its own calls super().setup()")

    def progress(self) -> Mapping[str, float | None]:
        """Return what the device's heartbeats report of it; before a complete setup, it is not asked."""
        return self._device.progress() if self._complete else {}

    def undo(self) -> None:
        """Tear the device down. After an incomplete setup its exceptions are only logged: the cause is in `setup`."""
        try:
            self._device.teardown()
        except Exception as error:
            if self._complete:
                raise
            log.warning("teardown failed, too, after a setup that was not completed", error=repr(error))
