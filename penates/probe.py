"""A client of the broker that asks one thing at a time and waits for the answer: for `penates doctor`."""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self

import paho.mqtt.client as mqtt
from paho.mqtt.reasoncodes import ReasonCode

from bootstrap.connection import Client, Hello

PATIENCE_S = 2.0
HEARING_S = 1.0  # for a message that is on its way, or will never come
KEEPALIVE_S = 30


class Silent(Exception):  # noqa: N818 - it is a fact about the broker
    """The broker has not answered in time, or has hung up."""


class Probe:
    """One connection, driven by whoever asks; it ends by `close`, or like a process that was killed by `kill`.

    Every method that asks raises Silent if there is no answer.
    """

    def __init__(self, ready: socket.socket, hello: Hello) -> None:
        """`ready` is a connected socket, TLS hands shaken."""
        self._socket = ready
        self._answers: dict[int, list[ReasonCode]] = {}
        self._greeting: ReasonCode | None = None
        self._why = ""
        self.heard: list[tuple[str, bytes]] = []
        self.tells = hello.protocol == "5"  # 3.1.1 answers a publish without saying how it went
        self._client = client = Client(ready, hello)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = lambda _client, _data, number, reason, _more: self._answered(number, [reason])
        client.on_subscribe = lambda _client, _data, number, reasons, _more: self._answered(number, reasons)
        client.on_message = self._on_message
        client.connect("given", keepalive=KEEPALIVE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # paho's callbacks, while we wait.

    def _on_connect(self, _client: object, _data: object, _flags: object, reason: ReasonCode, _more: object) -> None:
        self._greeting = reason

    def _on_disconnect(self, _client: object, _data: object, _flags: object, reason: ReasonCode, _: object) -> None:
        self._why = str(reason)

    def _answered(self, number: int, reasons: list[ReasonCode]) -> None:
        self._answers[number] = reasons

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        with suppress(UnicodeDecodeError):
            self.heard.append((message.topic, bytes(message.payload)))

    def _until(self, met: Callable[[], bool], patience_s: float) -> bool:
        deadline = time.monotonic() + patience_s
        while not met():
            left_s = deadline - time.monotonic()
            if left_s <= 0 or self._client.socket() is None:
                return False
            self._client.loop(left_s)
        return True

    def _wait(self, met: Callable[[], bool]) -> None:
        if not self._until(met, PATIENCE_S):
            raise Silent(self._why or f"no answer within {PATIENCE_S:g} s")

    # What can be asked.

    def greet(self) -> ReasonCode:
        """Wait for the answer to CONNECT."""
        with suppress(Silent):
            self._wait(lambda: self._greeting is not None)
        if self._greeting is None:
            raise Silent(self._why or f"no answer to CONNECT within {PATIENCE_S:g} s")
        return self._greeting

    def subscribe(self, *filters: str) -> list[ReasonCode]:
        """Ask for these; returns the answer to each. At QoS 0 all that is retained comes before any later answer."""
        number = self._client.subscribe([(one, 0) for one in filters])[1] or 0
        self._wait(lambda: number in self._answers)
        return self._answers[number]

    def publish(self, topic: str, payload: bytes = b"") -> ReasonCode:
        """Say this, never retained; returns the answer."""
        number = self._client.publish(topic, payload, qos=1).mid
        self._wait(lambda: number in self._answers)
        return self._answers[number][0]

    def hears(self, topic: str, payload: bytes) -> bool:
        """Whether this comes, or has come already."""
        return self._until(lambda: (topic, payload) in self.heard, HEARING_S)

    def kill(self) -> None:
        """Hang up without a word, as the kernel does for a process that was killed."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def close(self) -> None:
        """Say goodbye."""
        with suppress(OSError, ValueError):
            self._client.disconnect()
            self._client.loop(0)
        self._socket.close()
