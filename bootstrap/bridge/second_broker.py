"""A connection to a second broker, with the link that a sensor has to its own: nothing blocks, and it reconnects."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.config.model import BrokerSettings
from bootstrap.config.secrets import read_password
from bootstrap.contract.other_broker import OtherAddress, Told
from bootstrap.contract.timestamps import Clock
from bootstrap.contract.topics import Topics
from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Worker
from bootstrap.logs import log
from bootstrap.mqtt.address import BrokerAddress, ConnectOptions
from bootstrap.mqtt.link import Link
from bootstrap.mqtt.telling import Telling
from bootstrap.outbox.backlog import Backlog, BacklogLimits
from bootstrap.outbox.dead_letters import DeadLetters
from bootstrap.outbox.message import Message
from bootstrap.outbox.outbox import Outbox
from bootstrap.outbox.segment_log import SegmentLog

PRESENT, ABSENT = b"1", b"0"
NOT_YET = "not connected yet"
NO_HISTORY = BacklogLimits(records=1)


@dataclass(frozen=True)
class _Address(BrokerAddress):
    other: OtherAddress = field(kw_only=True)

    def connect_options(self) -> ConnectOptions:
        """Return the fields of CONNECT: not those of the sensor, whose name and will are for its own broker."""
        other = self.other
        return ConnectOptions(
            client_id=other.client_id,
            protocol=self.broker.protocol,
            keepalive_s=self.broker.keepalive_s,
            will=Message(other.presence, ABSENT, retain=True) if other.presence else None,
            username=other.username,
            password=read_password(other.password_file) if other.password_file else None,
        )


def _address(sensor: str, other: OtherAddress) -> _Address:
    settings = BrokerSettings(
        host=[*other.hosts],
        port=other.port,
        ca_file=other.ca_file,
        keepalive_s=other.keepalive_s,
        username=other.username,
    )
    return _Address(Path(), settings, Topics(*sensor.split("/")), other=other)


class SecondBroker:
    """Listens and tells at another broker; it implements `LinkOwner` and `OtherBrokerHandle`."""

    def __init__(  # noqa: PLR0913 - all but the first are keywords
        self,
        parts: tuple[Loop, Worker],
        *,
        sensor: str,
        folder: Path,
        other: OtherAddress,
        filters: Sequence[str],
        on_message: Callable[[str, bytes, bool], None],
        on_change: Callable[[str | None], None],
    ) -> None:
        """Connect, and subscribe to `filters`.

        `on_message(topic, payload, retained)` is called with what arrives, and `on_change(trouble)` when the connection
        is made, or why there is none. Nothing is ever stored in `folder`.
        """
        history = Backlog(SegmentLog(folder), NO_HISTORY)
        self._outbox = Outbox(history, 1.0, DeadLetters(folder), Clock())
        self._on_message, self._on_change = on_message, on_change
        self.trouble: str | None = NOT_YET
        self._link = Link(*parts, _address(sensor, other), self._outbox)
        self._link.owner = self
        self._link.requests.plan([], [*filters], [])
        self._telling = self._link.delivery.telling = Telling()
        if other.presence:
            self._outbox.put_state(other.presence, PRESENT)
        self._link.start()

    def tell(self, topic: str, payload: bytes, then: Told) -> None:
        """Implement `OtherBrokerHandle.tell`."""
        if self._link.up:
            self._telling.put(Message(topic, payload), then)
            self._link.pump()
        else:
            then("undelivered", self.trouble or NOT_YET)

    def close(self) -> None:
        """Implement `OtherBrokerHandle.close`: without DISCONNECT, so that the broker publishes our absence."""
        self._link.drop()
        self._telling.connection_lost()
        self._outbox.history.close()

    # What the link reports.

    def silent_s(self) -> float:
        """Return 0: there is no older instance to wait for."""
        return 0.0

    def on_connected(self) -> None:
        """Note that we may publish."""
        self._change(None)

    def on_disconnected(self, why: str) -> None:
        """Note why we may not."""
        self._change(why)

    def on_refused(self, why: str) -> None:
        """Note why the broker does not accept us."""
        self._change(why)

    def on_flapping(self, why: str | None) -> None:
        """Do nothing: the link logs it."""

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Pass on what has arrived."""
        self._on_message(topic, payload, retained)

    def on_denied(self, topic: str, why: str | None) -> None:
        """Log what we may not publish there."""
        if why:
            log.error("the other broker does not let us publish", topic=topic, reason=why)

    def _change(self, trouble: str | None) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._on_change(trouble)
