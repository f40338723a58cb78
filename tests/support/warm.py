"""Start `penates` from a process that has imported everything already, instead of importing it anew each time.

A suite starts thousands of processes, and most of what they cost is the same imports over again. The warm process is a
program of its own, without threads; for each request it forks, as the supervisor does for sensors. Coverage that
measures it goes on in what it forks.
"""

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from support.paths import ROOT, TESTS, WARM_PROCESS, WHEN_COVERED

ROOM = " " * 16_384  # of its arguments and its environment, over which those that it forks write theirs
LARGEST = 200_000  # bytes of a request
NETWORK = Path("/proc/thread-self/ns/net")
PATIENCE_S = 90.0
FOR_PYTHON = "PYTHON"  # what the names of all variables for the interpreter itself begin with
OWN = {name: value for name, value in os.environ.items() if name.startswith(FOR_PYTHON)} | {
    "PYTHONPATH": os.pathsep.join(map(str, [WHEN_COVERED, TESTS, ROOT])),
    "PYTHONWARNINGS": "error",
}


def started_like(env: Mapping[str, str]) -> bool:
    """Whether a process with this environment would start as the warm one did: Python reads it only then."""
    return {name: value for name, value in env.items() if name.startswith(FOR_PYTHON)} == OWN


class Warm:
    """The warm process of this one. It ends when we do."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        others = {name: value for name, value in os.environ.items() if not name.startswith(FOR_PYTHON)}
        env = {**others, **OWN, "ROOM": ROOM}
        with other:
            command = [sys.executable, str(WARM_PROCESS), str(other.fileno()), ROOM]
            null = subprocess.DEVNULL
            self._process = subprocess.Popen(command, env=env, stdin=null, stdout=null, pass_fds=[other.fileno()])
        self.pid, self.descriptor = self._process.pid, self._socket.fileno()
        atexit.register(self.close)

    def start(self, program: Sequence[str], env: Mapping[str, str], cwd: Path | None, streams: Sequence[int]) -> int:
        """Return the id of a new child of ours that runs `python PROGRAM…` with these standard streams."""
        request = {"program": [*map(str, program)], "env": {**env}, "cwd": str(cwd or Path.cwd())}
        with self._asking, NETWORK.open("rb") as network:
            socket.send_fds(self._socket, [json.dumps(request).encode()], [*streams, network.fileno()])
            return int(self._socket.recv(LARGEST))

    def close(self) -> None:
        self._socket.close()
        self._process.wait()


_started: list[Warm] = []


def kept() -> Sequence[Warm]:
    """What stays from one test to the next."""
    return _started


class Forked:
    """A process that the warm one has forked; a child of ours, to be used as one of `subprocess`."""

    def __init__(
        self, program: Sequence[str], env: Mapping[str, str], cwd: Path | None, streams: Sequence[int]
    ) -> None:
        if not _started:
            _started.append(Warm())
        self.stderr: IO[str] | None = None
        self.returncode: int | None = None
        self._waiting = threading.Lock()
        self.pid = _started[0].start(program, env, cwd, streams)

    def poll(self) -> int | None:
        """The exit code if it has ended; negative for a signal."""
        with self._waiting:
            if self.returncode is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                self.returncode = os.waitstatus_to_exitcode(status) if pid else None
            return self.returncode

    def wait(self, timeout: float) -> int:
        """The exit code once it has ended."""
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if (left := deadline - time.monotonic()) <= 0:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            with contextlib.suppress(ProcessLookupError):
                ended = os.pidfd_open(self.pid)
                try:
                    select.select([ended], [], [], left)
                finally:
                    os.close(ended)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def with_errors(program: Sequence[str], env: Mapping[str, str], cwd: Path | None) -> Forked:
    """A process whose standard error is read as text."""
    reading, writing = os.pipe()
    errors = open(reading, encoding="utf-8")  # noqa: PTH123, SIM115 - closed by whoever reads it
    try:
        forked = Forked(program, env, cwd, [0, 1, writing])
    except BaseException:
        errors.close()
        raise
    finally:
        os.close(writing)
    forked.stderr = errors
    return forked


def run(program: Sequence[str], env: Mapping[str, str], timeout: float) -> subprocess.CompletedProcess[str]:
    """What a program says until it ends, as `subprocess.run` tells it."""
    with contextlib.ExitStack() as stack:
        said = [stack.enter_context(os.fdopen(os.memfd_create(name), "w+", encoding="utf-8")) for name in ("o", "e")]
        forked = Forked(program, env, None, [0, *(file.fileno() for file in said)])
        try:
            code = forked.wait(timeout)
        finally:
            forked.kill()
            forked.wait(PATIENCE_S)
        for file in said:
            file.seek(0)
        return subprocess.CompletedProcess([*program], code, *(file.read() for file in said))
