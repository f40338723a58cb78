"""Preloading, so that sensors share memory. A page stays shared until a process writes to it, as running Python does.

The parent first runs a sensor itself, from start to stop, against a fake broker. Everything that a process creates only
once then exists before the fork, for all children. No thread, socket or line of that sensor remains at the first fork.
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
from bootstrap.supervisor.memory_layout import fill_gaps, pack
from bootstrap.supervisor.notify_socket import NotifySocket
from bootstrap.sysfs import millis

TOPICS = Topics("preload", "sensor")
HERE = "127.0.0.1"
# Mosquitto's answers to CONNECT, PUBLISH, SUBSCRIBE and PINGREQ (MQTT 5, 3.2, 3.4, 3.9, 3.13). CONNACK carries its
# limits; PUBACK and SUBACK lack the packet id and the reason codes that follow it.
CONNACK, PUBACK, SUBACK = b"\x20\x09\x00\x00\x06\x22\x00\x0a\x21\x00\x14", b"\x40\x03", b"\x90\x04"
PINGRESP = b"\xd0\x00"
NO_SUBSCRIBERS = b"\x10"  # PUBACK's reason code "no matching subscribers"
NOWHERE = Path(os.devnull)  # not a folder, so a run that fails leaves no files
NUMBER = Path("/proc/sys/kernel/pid_max")
SETTLED = 8  # calls after which CPython 3.11 rewrites a function's code in place (PEP 659)
PATIENCE_S = 2.0  # longest wait of the fake broker


@dataclass(kw_only=True)
class PreloadDevice(Device):
    """Reads a number that the kernel keeps in a file. Wiring: none."""

    blocks = True  # so that children share that code, too
    number = Measure("1")

    def read(self) -> Reading:
        """Read the file."""
        return {"number": millis(NUMBER)}


def preload() -> None:
    """Run a sensor to create what is created once, again to see which code it uses, then until nothing changes.

    This only saves memory: a failure is logged and otherwise ignored.
    """
    try:
        _run_sensor()
        pack(_used_code())
        for _ in range(SETTLED):
            _run_sensor()
    except Exception:  # noqa: BLE001 - the sensors can run without
        log.warning("not preloaded; each sensor uses a megabyte more", traceback=True)


def freeze() -> None:
    """Exclude all existing objects from garbage collection: a child's first collection would write to all of them."""
    gc.collect()
    fill_gaps()
    gc.freeze()


def _used_code() -> set[CodeType]:
    """Return the code objects that a sensor runs from start to stop."""
    used: set[CodeType] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            used.add(frame.f_code)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        _run_sensor()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return used


def _run_sensor() -> None:
    """Run a sensor from start to stop, isolated from the outside.

    Raises:
        OSError: it could not reach its broker, which runs in this process.
    """
    lifeline, ours = os.pipe()
    with socket.create_server((HERE, 0)) as listener, _isolated(), ExitStack() as stack:
        stack.callback(os.close, lifeline)
        listener.settimeout(PATIENCE_S)
        published: list[bytes] = []
        broker = threading.Thread(target=_serve_broker, args=(listener, ours, published), daemon=True)
        broker.start()
        stack.callback(broker.join)
        process = Process(stack, lifeline)
        process.add(
            SensorSettings(
                folder=Path(),
                file="",
                topics=TOPICS,
                kind="preload",
                device=PreloadDevice(),
                folders=Folders(NOWHERE, NOWHERE),
                broker=BrokerSettings(host=HERE, port=listener.getsockname()[1]),
            )
        )
        process.run()
    if not published:
        raise OSError(f"{HERE} cannot be reached")


@contextmanager
def _isolated() -> Iterator[None]:
    """Discard logs and notifications and block signals; restore everything afterwards."""
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


def _serve_broker(listener: socket.socket, lifeline: int, published: list[bytes]) -> None:
    """Answer one client as a broker does. Close its lifeline once it has published a reading, or fails to."""
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
    """Return a retained message at QoS 1 (MQTT 5, 3.3). It must be shorter than 128 bytes."""
    rest = len(topic).to_bytes(2, "big") + topic.encode() + b"\x00\x01\x00" + payload
    return bytes([0x33, len(rest)]) + rest


def _answer(kind: int, body: bytes) -> bytes:
    """Return a broker's answer to a packet, or nothing."""
    match kind:
        case packets.CONNECT:
            return CONNACK
        case packets.PUBLISH:
            end = 2 + int.from_bytes(body[:2], "big")
            return PUBACK + body[end : end + 2] + NO_SUBSCRIBERS
        case packets.SUBSCRIBE:
            held = _retained(TOPICS.status("heartbeat"), b"{}") + _retained(TOPICS.status("state"), b"starting")
            return SUBACK + body[:2] + b"\x00\x01" + held
        case packets.PINGREQ:
            return PINGRESP
        case _:
            return b""
