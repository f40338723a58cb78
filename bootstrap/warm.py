"""Memory that processes share. A page stays shared until somebody writes to it, and Python writes wherever it works.

So the parent first lives the life of a sensor itself, from birth to stop, against a broker that is none. What is made
once in a process's life is then there for all, and what the life runs through is copied to lie side by side: a child
that runs through it writes to few pages. No thread, socket or line is left of it when the first child is forked.
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
from types import CodeType, FrameType, FunctionType

from bootstrap import life, log
from bootstrap.config import Address, Broker, Log, Settings
from bootstrap.device import Device, Measure, Reading
from bootstrap.ears import Ears
from bootstrap.folders import Folders
from bootstrap.loop import STOP_SIGNALS, Loop
from bootstrap.sysfs import millis
from bootstrap.topics import Topics

TOPICS = Topics("warm", "up")
HERE = "127.0.0.1"
# Answers to CONNECT, PUBLISH and SUBSCRIBE, as Mosquitto gives them (MQTT 5, 3.2, 3.4, 3.9): the first with its limits,
# the others begin with the packet's id, and nobody hears what is published.
ACCEPTED, ACKNOWLEDGED, GRANTED = b"\x20\x09\x00\x00\x06\x22\x00\x0a\x21\x00\x14", b"\x40\x03", b"\x90\x04"
UNHEARD = b"\x10"
NOWHERE = Path(os.devnull)  # no folder: a life that goes wrong leaves nothing behind
NUMBER = Path("/proc/sys/kernel/pid_max")
SETTLED = 8  # calls after which CPython 3.11 rewrites a function's code in place (PEP 659)
PATIENCE_S = 2.0
LONG = 0x80  # a byte that is followed by another of the length

_kept: list[CodeType] = []


@dataclass(kw_only=True)
class Warm(Device):
    """Wiring: none."""

    warm = Measure("1")

    def read(self) -> Reading:
        """Any number that the kernel keeps in a file."""
        return {"warm": millis(NUMBER)}


def up() -> None:
    """Live once for what is made once, once to see what is used; put that together, and use it until it is settled.

    It is no more than thrift: where it cannot be done, that is said, and all goes on without.
    """
    try:
        _live()
        _gather(_used())
        for _ in range(SETTLED):
            _live()
    except Exception:  # noqa: BLE001 - whatever it is, the sensors can run
        log.warning("not warmed up: each sensor takes a megabyte more", traceback=True)


def _used() -> set[CodeType]:
    """The code that a life runs through."""
    used: set[CodeType] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            used.add(frame.f_code)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        _live()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return used


def freeze() -> None:
    """Leave all that exists to itself: else the first collection in a child writes to all of it."""
    gc.collect()
    gc.freeze()


def _gather(used: set[CodeType]) -> None:
    """Copy the code of functions that were called, one after the other. Without the old there would be gaps to fill."""
    functions = [thing for thing in gc.get_objects() if isinstance(thing, FunctionType) and thing.__code__ in used]
    _kept.extend(used)
    for function in functions:
        function.__code__ = _copied(function.__code__)


def _copied(code: CodeType) -> CodeType:
    """Lambdas and the like lie within the code that makes them."""
    parts = (_copied(part) if isinstance(part, CodeType) else part for part in code.co_consts)
    return code.replace(co_consts=tuple(parts))


def _live() -> None:
    """The life of a sensor that nobody sees.

    Raises:
        OSError: it could not reach its broker, which is in this very process.
    """
    lifeline, ours = os.pipe()
    with socket.create_server((HERE, 0)) as listener, _unseen(), ExitStack() as stack:
        stack.callback(os.close, lifeline)
        listener.settimeout(PATIENCE_S)
        heard: list[bytes] = []
        broker = threading.Thread(target=_be_broker, args=(listener, ours, heard), daemon=True)
        broker.start()
        stack.callback(broker.join)
        folder = Path()
        address = Address(folder, Broker(host=HERE, port=listener.getsockname()[1]), TOPICS)
        settings = Settings("", TOPICS, "warm", Warm(), address, 60.0, Folders(NOWHERE, NOWHERE), Log())
        life.Daemon(settings, stack, lifeline).live()
    if not heard:
        raise OSError(f"{HERE} cannot be reached")


@contextmanager
def _unseen() -> Iterator[None]:
    """What is logged goes nowhere, what is said to a supervisor to deaf ears; signals wait. All is put back."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    environment, hook = dict(os.environ), threading.excepthook
    with closing(Ears(Loop(), print)) as ears, log.elsewhere(io.StringIO()):
        os.environ.update(NOTIFY_SOCKET=ears.address, WATCHDOG_USEC="60000000")
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(environment)
            threading.excepthook = hook
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _be_broker(listener: socket.socket, lifeline: int, heard: list[bytes]) -> None:
    """Accept one client and whatever it says; once it has published a reading, or if it does not, end its lifeline."""
    with os.fdopen(lifeline, "wb") as line, suppress(OSError, IndexError), listener.accept()[0] as client:
        client.settimeout(PATIENCE_S)
        stream = client.makefile("rb")
        while kind := stream.read(1):
            body = stream.read(_length(stream))
            client.sendall(_answer(kind[0], body))
            if b"/data/reading" in body:
                heard.append(body)
                line.close()


def _length(stream: io.BufferedReader) -> int:
    """Of a packet's rest (MQTT 5, 1.5.5)."""
    total = shift = 0
    while True:
        byte = stream.read(1)[0]
        total |= (byte & ~LONG) << shift
        shift += 7
        if byte < LONG:
            return total


def _held(topic: str, payload: bytes) -> bytes:
    """A retained message at QoS 1 (MQTT 5, 3.3), all of it shorter than 128 bytes."""
    rest = len(topic).to_bytes(2, "big") + topic.encode() + b"\x00\x01\x00" + payload
    return bytes([0x33, len(rest)]) + rest


def _answer(kind: int, body: bytes) -> bytes:
    match kind >> 4:
        case 1:
            return ACCEPTED
        case 3:
            end = 2 + int.from_bytes(body[:2], "big")
            return ACKNOWLEDGED + body[end : end + 2] + UNHEARD
        case 8:
            held = _held(TOPICS.status("heartbeat"), b"{}") + _held(TOPICS.status("state"), b"starting")
            return GRANTED + body[:2] + b"\x00\x01" + held
        case _:
            return b""
