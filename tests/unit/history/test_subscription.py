"""A subscription to a broker that refuses, breaks off and tells again."""

import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bootstrap.config.model import BrokerSettings
from bootstrap.contract import timestamps
from bootstrap.contract.subscription import OnBatch, ReceivedMessage
from bootstrap.contract.topics import Topics
from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox, Sockets
from bootstrap.history.session_name import SessionName
from bootstrap.history.subscription import Subscription, SubscriptionSource
from bootstrap.mqtt.address import BrokerAddress
from bootstrap.mqtt.connect import connect
from support.world import PATIENCE_S, FakeBroker, eventually

Answers = dict[int, Callable[[bytes], bytes]]
REFUSES: Answers = {0x80: lambda body: b"\x90\x05" + body[:2] + b"\x00\x87\x87"}  # not authorized, as MQTT 5 says it
GRANTS: Answers = {0x80: lambda body: b"\x90\x05" + body[:2] + b"\x00\x01\x01"}


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    sockets = Sockets()
    inbox = Inbox(sockets)
    yield inbox
    inbox.close()
    sockets.end()


@contextmanager
def hearing(
    inbox: Inbox, folder: Path, answers: Answers, take: OnBatch = print, known: float = 0.0
) -> Iterator[Subscription]:
    """What is heard of a broker that answers like this."""
    fake = FakeBroker(answers)
    try:
        with subscribed(inbox, folder, fake.port, take, known) as subscription:
            yield subscription
    finally:
        fake.close()


@contextmanager
def subscribed(inbox: Inbox, folder: Path, port: int, take: OnBatch, known: float = 0.0) -> Iterator[Subscription]:
    """What is heard at this port."""
    address = BrokerAddress(folder, BrokerSettings(host="127.0.0.1", port=port), Topics("cm", "recorder"))
    filters, retained = ["+/+/data/reading"], ["+/+/status/about"]
    name = SessionName(None, "cm/recorder/history")
    source = SubscriptionSource(address, address.connect_options, name, filters, retained, known=known)
    intake = Subscription(inbox._sockets, inbox, source, take)  # noqa: SLF001 - ours
    try:
        yield intake
    finally:
        intake.close()


def test_a_broker_that_lets_us_hear_nothing_is_a_fault_of_this_one_alone(inbox: Inbox, tmp_path: Path) -> None:
    """Not of the next, which is there after a reload: what the one before has said last may still wait."""
    loop = Loop()
    loop.add_reader(inbox.socket, inbox.receive)
    with hearing(inbox, tmp_path, REFUSES) as intake:
        assert loop.run(lambda: "refused the subscription: Not authorized" in (intake.trouble or ""), PATIENCE_S)
    with hearing(inbox, tmp_path, REFUSES):
        eventually(lambda: inbox.socket.poll(0), "it has said so")
    with hearing(inbox, tmp_path, GRANTS) as intake:
        loop.run(lambda: not inbox.socket.poll(0), PATIENCE_S)
        assert intake.trouble is None


def test_what_is_told_again_came_when_it_came_first_however_often_the_line_breaks(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The acknowledgement is lost, the next line breaks before it is told again; then it is, and news follow."""
    monkeypatch.setattr("bootstrap.history.subscription.FIRST_RETRY_S", 0.01)
    monkeypatch.setattr("bootstrap.history.subscription.LAST_RETRY_S", 0.01)
    taken: list[ReceivedMessage] = []

    def told(number: int, *, again: bool) -> bytes:
        return bytes([0x32 | again << 3, 7, 0, 1]) + b"t" + bytes([0, number, 0]) + b"1"

    says = iter([told(1, again=False), None, told(1, again=True) + told(2, again=False), b""])

    def subscribed(body: bytes) -> bytes:
        if (words := next(says)) is None:
            raise EOFError
        return GRANTS[0x80](body) + words

    def acknowledged(_body: bytes) -> bytes:
        if len(taken) == 1:
            raise EOFError
        return b""

    with hearing(inbox, tmp_path, {0x80: subscribed, 0x40: acknowledged}, taken.extend):
        eventually(lambda: len(taken) == 3, "it is told again")
    first, again, news = taken
    assert again == first
    assert news.at_us > first.at_us


def test_large_messages_wait_and_are_stored_within_a_limit_of_bytes(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is away at first; what is not read meanwhile stays at the broker."""
    for name, value in (("BATCH_BYTES", 1000), ("FULL_BYTES", 3000), ("FIRST_RETRY_S", 0.01), ("LAST_RETRY_S", 0.01)):
        monkeypatch.setattr(f"bootstrap.history.subscription.{name}", value)
    monkeypatch.setattr("bootstrap.mqtt.session.CHUNK", 500)
    messages = (b"\x32\xf9\x02\0\1t" + bytes([0, number, 0]) + bytes([number]) * 371 for number in range(1, 21))
    words = b"".join(messages)
    taken: list[int] = []
    sizes: list[int] = []
    back = threading.Event()

    def take(batch: Sequence[ReceivedMessage]) -> None:
        sizes.append(sum(len(one.payload) for one in batch))
        if not back.is_set():
            raise OSError("the disk is full")
        taken.extend(one.payload[0] for one in batch)

    with hearing(inbox, tmp_path, {0x80: lambda body: GRANTS[0x80](body) + words}, take) as intake:
        eventually(lambda: (intake.progress()["waiting"] or 0) * 371 >= 3000, "as much waits as may")
        tried = len(sizes)
        eventually(lambda: len(sizes) > tried + 1, "it is tried again")
        assert (intake.progress()["waiting"] or 0) * 371 < 3000 + 500 + 371
        back.set()
        eventually(lambda: len(taken) == 20, "all of it is stored")
    assert taken == [*range(1, 21)]
    assert 0 < max(sizes) <= 1000


@pytest.mark.parametrize("is_set", [True, False])
def test_what_arrives_before_the_clock_is_set_waits_for_it(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_set: bool
) -> None:
    """If the clock is never set, what has arrived is stored after a while and marked."""
    clock = threading.Event()
    taken: list[ReceivedMessage] = []
    monkeypatch.setattr(timestamps, "synchronised", clock.is_set)
    monkeypatch.setattr(timestamps, "CHECK_S", 0.01)
    answers: Answers = {0x80: lambda body: GRANTS[0x80](body) + b"\x32\x07\x00\x01t\x00\x01\x001"}
    with hearing(inbox, tmp_path, answers, taken.extend, known=time.time() + 3600) as subscription:
        eventually(lambda: subscription.progress()["waiting"] == 1, "it has arrived")
        arrived_us = time.time() * 1e6
        assert not taken
        if is_set:
            clock.set()
        else:
            monkeypatch.setattr(timestamps, "HOLD_S", 0.0)
        eventually(lambda: taken, "it is stored")
    assert (taken[0].unsure, taken[0].boot_us) == (not is_set, None)
    assert taken[0].at_us == pytest.approx(arrived_us, abs=PATIENCE_S * 1e6)


def test_it_takes_leave_of_the_broker(inbox: Inbox, tmp_path: Path) -> None:
    """Else the broker would go on sending to nobody, until it notices."""
    subscribed, left = threading.Event(), threading.Event()

    def grant(body: bytes) -> bytes:
        subscribed.set()
        return GRANTS[0x80](body)

    def note(_body: bytes) -> bytes:
        left.set()
        return b""

    with hearing(inbox, tmp_path, {0x80: grant, 0xE0: note}):
        assert subscribed.wait(PATIENCE_S)
    assert left.wait(PATIENCE_S)


def test_a_connection_that_breaks_at_an_acknowledgement_is_made_again_at_once(inbox: Inbox, tmp_path: Path) -> None:
    """And not only when a ping is due, a minute later."""
    stored, broken, connects = threading.Event(), threading.Event(), threading.Semaphore(0)
    message = b"\x32\x07\x00\x01t\x00\x01\x001"

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client = listener.accept()[0]
                connects.release()
                client.recv(1000)
                client.sendall(b"\x20\x03\x00\x00\x00" + message)
                stored.wait(PATIENCE_S)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()  # with a reset: nothing can be written any more
                broken.set()

    def store(_batch: object) -> None:
        stored.set()
        broken.wait(PATIENCE_S)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        with subscribed(inbox, tmp_path, listener.getsockname()[1], store):
            assert connects.acquire(timeout=PATIENCE_S)
            assert connects.acquire(timeout=PATIENCE_S)
        listener.shutdown(socket.SHUT_RDWR)


def test_a_broker_that_resets_for_a_while_is_connected_to_again(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a forwarded port does while the broker behind it is away, before CONNECT can be written."""
    monkeypatch.setattr("bootstrap.history.subscription.FIRST_RETRY_S", 0.01)
    monkeypatch.setattr("bootstrap.history.subscription.LAST_RETRY_S", 0.01)
    stored = threading.Event()
    resets: list[object] = []

    def reset_at_first(host: str, port: int, trust: Path | None) -> socket.socket:
        if len(resets) == 3:
            return connect(host, port, trust)
        ready = connect(host, front.getsockname()[1], trust)
        poller = select.poll()
        poller.register(ready, 0)
        resets.append(poller.poll(PATIENCE_S * 1000))
        return ready

    def reset_all() -> None:
        with suppress(OSError):
            while True:
                client = front.accept()[0]
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()

    monkeypatch.setattr("bootstrap.history.subscription.connect", reset_at_first)
    grants = {0x80: lambda body: GRANTS[0x80](body) + b"\x32\x07\x00\x01t\x00\x01\x001"}
    with socket.create_server(("127.0.0.1", 0)) as front:
        threading.Thread(target=reset_all, daemon=True).start()
        with hearing(inbox, tmp_path, grants, lambda _: stored.set()):
            assert stored.wait(PATIENCE_S)
        front.shutdown(socket.SHUT_RDWR)
    assert [bool(reset) for reset in resets] == [True] * 3


def test_a_store_that_hangs_for_good_makes_no_progress(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bootstrap.history.subscription.HANG_S", 0.01)
    released = threading.Event()
    grants = {0x80: lambda body: GRANTS[0x80](body) + b"\x32\x07\x00\x01t\x00\x01\x001"}

    def hang(_batch: object) -> None:
        released.wait(PATIENCE_S)

    with hearing(inbox, tmp_path, grants, hang) as intake:
        eventually(lambda: not intake.making_progress, "it hangs")
        released.set()
        eventually(lambda: intake.making_progress, "it goes on")
