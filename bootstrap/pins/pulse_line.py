"""What sends pulses: the kernel's own transmitter, or a child process that sets a line.

Both block until all is sent, so they are called in a worker thread.
"""

import fcntl
import json
import os
import select
import struct
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from bootstrap.pins import pulse_child
from bootstrap.pins.lent_line import LentLine
from bootstrap.pins.pulse_frame import Frame

CHILD = (sys.executable, "-I", "-S", pulse_child.__file__)
TOLERANCE = 0.25  # part of a frame's shortest duration by which each may be wrong
MORE = 2  # times the repeats that are sent at most, until enough are exact
BEGIN_S, END_S = 10.0, 1.0  # longest start of a child, and its end after it was told to
SEND_MODE, CARRIER = 0x40046911, 0x40046913  # LIRC_SET_SEND_MODE and LIRC_SET_SEND_CARRIER
PULSES = 2  # LIRC_MODE_PULSE


class Sent(NamedTuple):
    """What was sent of one frame.

    Attributes:
        repeats: how often.
        exact: how many of these were exact enough.
        error_us: by how much the worst duration of the best repeats was wrong, in microseconds; None if nobody knows.
        on_air_s: how long the air was occupied, in seconds.
        by: who kept the time: `kernel`, `realtime` or `ordinary`.
    """

    repeats: int
    exact: int
    error_us: float | None
    on_air_s: float
    by: str


class PulseSender(Protocol):
    """What sends frames."""

    def send(self, frame: Frame) -> Sent:
        """Send a frame as often as it says. OSError: it cannot be sent."""

    def stop(self) -> None:
        """End what is being sent, and leave the line low."""


class ChildSender:
    """Sends on a GPIO line, by a child process for each transmission."""

    def __init__(self, line: LentLine) -> None:
        self._line = line
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def send(self, frame: Frame) -> Sent:
        """Send a frame; more often than it says while repeats are inexact, at most twice as often."""
        request = {
            "durations": frame.durations,
            "repeats": frame.repeats,
            "most": MORE * frame.repeats,
            "tolerance_us": TOLERANCE * frame.shortest_us,
        }
        with self._traced() as trace, self._running(trace) as child:
            answer = self._asked(child, request, BEGIN_S + MORE * frame.lasts_s)
        report = json.loads(answer)
        best = sorted(report["worst_us"])[: frame.repeats]
        by = "realtime" if report["real_time"] else "ordinary"
        return Sent(report["sent"], report["exact"], max(best, default=0.0), report["on_air_us"] / 1e6, by)

    @contextmanager
    def _traced(self) -> Iterator[int]:
        """Provide the descriptor of the line's trace, or -1."""
        if self._line.trace is None or not self._line.trace.exists():
            yield -1
            return
        descriptor = os.open(self._line.trace, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _running(self, trace: int) -> Iterator["subprocess.Popen[bytes]"]:
        """Provide a child, which ends with the block."""
        how, descriptor, _trace = self._line
        inherited = [one for one in (descriptor, trace) if one >= 0]
        command = [*CHILD, how, str(descriptor), str(trace)]
        with self._lock:
            if self._stopped:
                raise OSError("stopping")
            child = self._child = subprocess.Popen(  # noqa: S603 - our own program, without a shell
                command, pass_fds=inherited, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        try:
            yield child
        finally:
            with self._lock:
                self._child = None
            _end(child)

    def _asked(self, child: "subprocess.Popen[bytes]", request: object, limit_s: float) -> bytes:
        """Return what a child answers. Its standard input stays open, because it ends with that."""
        assert child.stdin and child.stdout and child.stderr  # noqa: S101, PT018 - they are pipes
        child.stdin.write(json.dumps(request).encode() + b"\n")
        child.stdin.flush()
        if not select.select([child.stdout], [], [], limit_s)[0]:
            raise OSError(f"what sends the pulses has not ended within {limit_s:.0f} s")
        if not (answer := child.stdout.read()):
            why = child.stderr.read().decode(errors="replace").strip()
            raise OSError(f"what sends the pulses has ended: {(why.splitlines() or ['it was stopped'])[-1]}")
        return answer

    def stop(self) -> None:
        """End what is being sent; the child leaves the line low."""
        with self._lock:
            self._stopped = True
            if self._child is not None:
                _end(self._child)


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End a child, by force if need be; one that has ended is only reaped."""
    child.terminate()
    try:
        child.wait(END_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for stream in (child.stdin, child.stdout, child.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()


class KernelSender:
    """Sends by the kernel's driver `gpio-ir-tx`, without a carrier: it keeps the time itself."""

    def __init__(self, node: Path) -> None:
        """Open the node.

        Raises:
            OSError: it is not there, or cannot send pulses.
        """
        self._node = os.open(node, os.O_WRONLY | os.O_CLOEXEC)
        self._stopped = False
        try:
            fcntl.ioctl(self._node, SEND_MODE, struct.pack("I", PULSES))
            fcntl.ioctl(self._node, CARRIER, struct.pack("I", 0))
        except OSError as error:
            os.close(self._node)
            raise OSError(error.errno, f"{node} cannot send pulses without a carrier: {error.strerror}") from None

    def send(self, frame: Frame) -> Sent:
        """Send a frame as often as it says."""
        pulses = array("I", frame.durations[:-1]).tobytes()  # the kernel wants to end with a pulse
        for number in range(frame.repeats):
            if self._stopped:
                raise OSError("stopping")
            os.write(self._node, pulses)
            if number < frame.repeats - 1:
                time.sleep(frame.durations[-1] / 1e6)
        return Sent(frame.repeats, frame.repeats, None, frame.repeats * frame.on_air_us / 1e6, "kernel")

    def stop(self) -> None:
        """Send no further repeat; the kernel ends the one it has begun, and leaves the line low."""
        if not self._stopped:
            self._stopped = True
            os.close(self._node)
