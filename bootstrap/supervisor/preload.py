"""Memory that processes share. A page stays shared until somebody writes to it, and Python writes wherever it works.

So the parent first runs a sensor itself, from birth to stop, against a broker that is none. What is made once in a
process's life is then there for all of its children. No thread, socket or line of it is left when the first is forked.
"""

import gc
import io
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType

from bootstrap.config.model import BrokerSettings, SensorSettings
from bootstrap.contract.topics import Topics
from bootstrap.device import Device, Measure, Reading
from bootstrap.eventloop.loop import STOP_SIGNALS, Loop
from bootstrap.logs import log
from bootstrap.mqtt import packets
from bootstrap.paths import Folders
from bootstrap.runtime.process import Process
from bootstrap.supervisor.code_packing import pack
from bootstrap.supervisor.notify_socket import NotifySocket
from bootstrap.sysfs import millis

TOPICS = Topics("preload", "sensor")
HERE = "127.0.0.1"
# Answers to CONNECT, PUBLISH and SUBSCRIBE, as Mosquitto gives them (MQTT 5, 3.2, 3.4, 3.9): the first with its limits,
# the others begin with the packet's id, and nobody hears what is published.
CONNACK, PUBACK, SUBACK = b"\x20\x09\x00\x00\x06\x22\x00\x0a\x21\x00\x14", b"\x40\x03", b"\x90\x04"
NOBODY = b"\x10"
NOWHERE = Path(os.devnull)  # no folder: a life that goes wrong leaves nothing behind
NUMBER = Path("/proc/sys/kernel/pid_max")
SETTLED = 8  # calls after which CPython 3.11 rewrites a function's code in place (PEP 659)
PATIENCE_S = 2.0


@dataclass(kw_only=True)
class Rehearsal(Device):
    """Reads a number that the kernel keeps in a file. Wiring: none."""

    number = Measure("1")

    def read(self) -> Reading:
        """Read the file."""
        return {"number": millis(NUMBER)}


def preload() -> None:
    """Run a sensor once for what is made once, once to see which code it uses, and then until nothing changes any more.

    It only saves memory: where it cannot be done, that is logged, and all goes on without.
    """
    try:
        _rehearse()
        pack(_used_code())
        for _ in range(SETTLED):
            _rehearse()
    except Exception:  # noqa: BLE001 - whatever it is, the sensors can run
        log.warning("not preloaded: each sensor takes a megabyte more", traceback=True)


def freeze() -> None:
    """Exclude everything there is from garbage collection: the first one in a child would write to all of it."""
    gc.collect()
    gc.freeze()


def _used_code() -> set[CodeType]:
    """Return the code that a sensor runs from its birth to its stop."""
    used: set[CodeType] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            used.add(frame.f_code)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        _rehearse()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return used


def _rehearse() -> None:
    """Run a sensor that nobody sees.

    Raises:
        OSError: it could not reach its broker, which is in this very process.
    """
    lifeline, ours = os.pipe()
    with socket.create_server((HERE, 0)) as listener, _unseen(), ExitStack() as stack:
        stack.callback(os.close, lifeline)
        listener.settimeout(PATIENCE_S)
        published: list[bytes] = []
        broker = threading.Thread(target=_be_broker, args=(listener, ours, published), daemon=True)
        broker.start()
        stack.callback(broker.join)
        process = Process(stack, lifeline)
        process.add(
            SensorSettings(
                folder=Path(),
                file="",
                topics=TOPICS,
                kind="rehearsal",
                device=Rehearsal(),
                folders=Folders(NOWHERE, NOWHERE),
                broker=BrokerSettings(host=HERE, port=listener.getsockname()[1]),
            )
        )
        process.run()
    if not published:
        raise OSError(f"{HERE} cannot be reached")


@contextmanager
def _unseen() -> Iterator[None]:
    """Log to nowhere, notify nobody, let signals wait; afterwards everything is as it was."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    environment, hook = dict(os.environ), threading.excepthook
    with closing(NotifySocket(Loop(), print)) as supervisor, log.redirect(io.StringIO()):
        os.environ.update(NOTIFY_SOCKET=supervisor.address, WATCHDOG_USEC="60000000")
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(environment)
            threading.excepthook = hook
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _be_broker(listener: socket.socket, lifeline: int, published: list[bytes]) -> None:
    """Answer one client as a broker does. Once it has published a reading, or if it does not, close its lifeline."""
    with os.fdopen(lifeline, "wb") as line, suppress(OSError), listener.accept()[0] as client:
        client.settimeout(PATIENCE_S)
        buffer = bytearray()
        while chunk := client.recv(4096):
            buffer += chunk
            done = 0
            for head, start, done in packets.split(buffer):
                body = bytes(buffer[start:done])
                client.sendall(_answer(head & packets.TYPE, body))
                if b"/data/reading" in body:
                    published.append(body)
                    line.close()
            del buffer[:done]


def _retained(topic: str, payload: bytes) -> bytes:
    """Return a retained message at QoS 1 (MQTT 5, 3.3), all of it shorter than 128 bytes."""
    rest = len(topic).to_bytes(2, "big") + topic.encode() + b"\x00\x01\x00" + payload
    return bytes([0x33, len(rest)]) + rest


def _answer(kind: int, body: bytes) -> bytes:
    """Return what a broker answers to a packet."""
    match kind:
        case packets.CONNECT:
            return CONNACK
        case packets.PUBLISH:
            end = 2 + int.from_bytes(body[:2], "big")
            return PUBACK + body[end : end + 2] + NOBODY
        case packets.SUBSCRIBE:
            held = _retained(TOPICS.status("heartbeat"), b"{}") + _retained(TOPICS.status("state"), b"starting")
            return SUBACK + body[:2] + b"\x00\x01" + held
        case _:
            return b""
