"""One sensor's process as the supervisor sees it: starting, watching, restarting and stopping it."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Protocol

from bootstrap.config.model import ProcessSettings
from bootstrap.contract import timestamps
from bootstrap.errors import Exit
from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.logs import log
from bootstrap.supervisor.log_pipe import LogPipe
from bootstrap.supervisor.notify_socket import NotifySocket

FIRST_RETRY_S = 0.5
LAST_RETRY_S = 60.0
STEADY_S = 10.0  # a process that has run this long starts over with the first retry delay when it ends
STOP_S = 20.0  # longest wait for an orderly stop, which takes less
ABORT_S = 2.0  # longest wait for a hung process to print its stacks; its outputs stay as they are meanwhile


class ChildState(StrEnum):
    """The state of a child. A running child reports ONLINE and FAULT itself."""

    STARTING = "starting"
    ONLINE = "online"
    FAULT = "fault"
    RELOADING = "reloading"
    STOPPING = "stopping"
    STOPPED = "stopped"  # on request
    WAITING = "waiting"  # it ended and will be restarted
    FAILED = "failed"  # its settings are wrong; restarted only after a change


RUNNING = frozenset(
    {ChildState.STARTING, ChildState.ONLINE, ChildState.FAULT, ChildState.RELOADING, ChildState.STOPPING}
)
UNSETTLED = frozenset({ChildState.STARTING, ChildState.RELOADING, ChildState.STOPPING})


def longest_s(watchdog_s: float) -> float:
    """Return how many seconds a process may take to make outputs safe before it counts as hung."""
    return max(STOP_S, watchdog_s)


class ChildOwner(Protocol):
    """What a child needs of its supervisor."""

    loop: Loop
    watchdog_s: float
    stopping: bool

    def fork(self, settings: ProcessSettings, stderr: int, address: str) -> int:
        """Fork a process that runs these sensors, logs to `stderr` and notifies `address`. Returns its process id."""

    def fork_safe(self, settings: ProcessSettings, status: int, *, stopping: bool) -> int | None:
        """Fork a process that makes outputs safe, if one that ended with `status` has left them as they were.

        `stopping` is whether it has said before that it stops. Returns the id of the new process, or None if there is
        nothing to do.
        """

    def on_settled(self) -> None:
        """Handle a child's new state."""


@dataclass
class Child:
    """One sensor and its process. `settings` is None while its file has faults."""

    owner: ChildOwner
    name: str
    write: Callable[[str, bytes], None] = field(repr=False)  # called with the client id and a line that it logged
    settings: ProcessSettings | None = None
    state: ChildState = ChildState.STOPPED
    since: str = ""
    pid: int | None = None
    restarts: int = 0
    error: str = ""  # the last error
    status: str = ""  # the last STATUS that it sent
    carried: dict[str, tuple[str, str]] = field(default_factory=dict)  # state and reason of each that it carries

    def __post_init__(self) -> None:
        self.wanted = False  # whether it should run
        self._timer: Timer | None = None  # of the current state: a retry, the watchdog, the limit of a stop
        self._retry_s = FIRST_RETRY_S
        self._began_at = 0.0
        self._hung = ""
        self._reported = ChildState.ONLINE
        self._asked_us = self._reloads_us = 0  # monotonic times of the last reload: requested, and begun by the child
        self._log_pipe: LogPipe | None = None
        self._notify_socket: NotifySocket | None = None
        self._outcome: tuple[int, str] | None = None  # exit code and reason of the last unexpected end
        self._told_stopping = False  # whether the process has said that it stops
        self._killed: int | None = None  # status of a process whose outputs are being made safe
        self._enter(ChildState.STOPPED)

    def row(self) -> dict[str, object]:
        """Return what `penates status` shows of it."""
        settings = self.settings
        return {
            "name": self.name,
            "sensor": settings.label if settings else None,
            "kind": settings.kind if settings else None,
            "state": self.state,
            "since": self.since,
            "pid": self.pid,
            "restarts": self.restarts,
            "error": self.error,
            "status": self.status,
            "carries": [{"sensor": name, "state": state, "why": why} for name, (state, why) in self.carried.items()],
        }

    def _enter(self, state: ChildState, after_s: float | None = None, then: Callable[[], None] | None = None) -> None:
        """Enter a state, cancel the old one's timer, and call `then` after `after_s` seconds."""
        if state is not self.state or not self.since:
            self.state, self.since = state, timestamps.now()
        self._wait(after_s, then)

    def _wait(self, after_s: float | None, then: Callable[[], None] | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.owner.loop.call_later(after_s, then) if after_s is not None and then is not None else None

    # Requests.

    def start(self) -> None:
        """Start it, unless it is running."""
        self.wanted = True
        if self.state in RUNNING or self.owner.stopping:
            return
        self._outcome, self._retry_s = None, FIRST_RETRY_S
        self._fork()

    def stop(self) -> None:
        """Stop it in order."""
        self.wanted = False
        if self.pid is None:
            self._enter(ChildState.STOPPED)
        elif self.state is not ChildState.STOPPING:
            self._enter(ChildState.STOPPING, STOP_S, lambda: self._abort(f"did not stop within {STOP_S:g} s"))
            self._signal(signal.SIGTERM)

    def restart(self) -> None:
        """Stop it, then start it again."""
        self.stop()
        self.wanted = True
        if self.pid is None:
            self.start()

    def reload(self) -> None:
        """Make it reload its settings. If it is not up, or is stopping, restart it instead."""
        if self.state in (ChildState.ONLINE, ChildState.FAULT, ChildState.RELOADING):
            self._asked_us = time.monotonic_ns() // 1000
            self._enter(ChildState.RELOADING, self.owner.watchdog_s, self._silent)
            self._signal(signal.SIGHUP)
        else:
            self.restart()

    def fail(self, why: str) -> None:
        """Enter the state FAILED, because its file has faults."""
        self.error = why
        self._enter(ChildState.FAILED)

    def clear_failure(self) -> None:
        """Leave the state FAILED, because its file has no faults any more; it stays stopped."""
        if self.state is ChildState.FAILED:
            self.error = ""
            self._enter(ChildState.STOPPED)

    def kill(self) -> None:
        """Kill it immediately."""
        self._signal(signal.SIGKILL)

    # Events.

    def _fork(self) -> None:
        if self.settings is None:
            return
        self._hung, self.status, self._told_stopping = "", "", False
        self._began_at = time.monotonic()
        try:
            self._begin(self.settings)
        except OSError as error:  # no memory or no descriptors, which may pass
            self._on_unexpected_end((Exit.ABSENT, f"cannot be started: {error}"), steady=False)
        else:
            self._enter(ChildState.STARTING, self.owner.watchdog_s, self._silent)

    def _begin(self, settings: ProcessSettings) -> None:
        with ExitStack() as stack:
            write = partial(self.write, settings.label)
            self._log_pipe = LogPipe(self.owner.loop, write, hold=self._outcome is not None)
            stack.callback(self._log_pipe.close, drop=False)
            self._notify_socket = NotifySocket(self.owner.loop, self.on_notify)
            stack.callback(self._notify_socket.close)
            self.pid = self._notify_socket.pid = self.owner.fork(
                settings, self._log_pipe.writer, self._notify_socket.address
            )
            stack.pop_all()
        self._log_pipe.writer_inherited()

    def _fork_again(self) -> None:
        self.restarts += 1
        self._fork()

    def on_notify(self, lines: list[str]) -> None:
        """Handle what it sent by sd_notify(3)."""
        if self._hung:
            return
        self._told_stopping = self._told_stopping or "STOPPING=1" in lines
        _note_carried(lines, self.carried)
        for line in lines:
            key, _, value = line.partition("=")
            if key == "STATUS":
                self.status = value
            elif key == "X_WHY":
                self.error = value or self.error
            elif key == "X_STATE" and value in (ChildState.ONLINE, ChildState.FAULT):
                self._reported = ChildState(value)
                if self.state not in (ChildState.RELOADING, ChildState.STOPPING):
                    self._enter_reported(self._reported)
            elif key == "MONOTONIC_USEC" and value.isdecimal():
                self._reloads_us = int(value)
            elif key == "READY" and self.state is ChildState.RELOADING and self._reloads_us >= self._asked_us:
                self._enter_reported(self._reported)
        if self.state is not ChildState.STOPPING:
            self._wait(self.owner.watchdog_s, self._silent)

    def _enter_reported(self, state: ChildState) -> None:
        self._enter(state)
        if self._outcome is not None:
            self.owner.loop.call_later(STEADY_S, partial(self._steady, self._began_at))
        self.owner.on_settled()

    def _steady(self, began_at: float) -> None:
        """Accept that it has recovered from an unexpected end, and write the log lines held back meanwhile."""
        if self.pid is None or began_at != self._began_at or self._log_pipe is None or self._outcome is None:
            return
        self._outcome, self._retry_s = None, FIRST_RETRY_S
        log.info("running again", sensor=self.name, restarts=self.restarts)
        self._log_pipe.release()

    def _silent(self) -> None:
        self._abort(f"made no progress for {self.owner.watchdog_s:g} s")

    def _abort(self, why: str) -> None:
        """Make a hung process print every thread's stack and end. SIGCONT wakes one that was suspended."""
        self._hung = why
        if self._log_pipe is not None:
            self._log_pipe.release()
        log.error("hangs; its stacks follow", sensor=self.name, reason=why)
        self._wait(ABORT_S, self.kill)
        self._signal(signal.SIGABRT)
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def ended(self, status: int) -> None:
        """Handle the end of the process. What it sent last is read first."""
        if self._notify_socket is not None:
            self._notify_socket.receive()
            self._notify_socket.close()
            self._notify_socket = None
        if self._killed is None and (pid := self._fork_safe(status)):
            self.pid, self._killed = pid, status
            self._wait(longest_s(self.owner.watchdog_s), self.kill)
            return
        status, self._killed = status if self._killed is None else self._killed, None
        code = os.waitstatus_to_exitcode(status)
        steady = time.monotonic() - self._began_at >= STEADY_S
        why = self._hung or _reason(code, self.status)
        self.pid, self.status, self.carried = None, "", {}
        asked = self.state is ChildState.STOPPING
        self._close_log_pipe(drop=not asked and (code, why) == self._outcome and not steady)
        if asked:
            self._on_requested_end(code, why)
        else:
            self._on_unexpected_end((code, why), steady=steady)
        self.owner.on_settled()

    def _fork_safe(self, status: int) -> int | None:
        return self.owner.fork_safe(self.settings, status, stopping=self._told_stopping) if self.settings else None

    def _on_requested_end(self, code: int, why: str) -> None:
        """Handle a requested end, whatever its exit code."""
        self._outcome = None
        if code != Exit.STOPPED:
            self.error = why
            log.warning("ended", sensor=self.name, reason=why, exit=code)
        self._enter(ChildState.STOPPED)
        if self.wanted:
            self._fork()

    def _close_log_pipe(self, *, drop: bool) -> None:
        if self._log_pipe is not None:
            self._log_pipe.close(drop=drop)
            self._log_pipe = None

    def _on_unexpected_end(self, outcome: tuple[int, str], *, steady: bool) -> None:
        """Schedule a restart, later each time, and log it only if the reason is a new one."""
        code, why = outcome
        if steady:
            self._retry_s = FIRST_RETRY_S
        news, self._outcome = steady or outcome != self._outcome, outcome
        self.error = why
        if code == Exit.SETTINGS:
            self._enter(ChildState.FAILED)
            log.error("ended; not restarted until its settings change", sensor=self.name, reason=why, exit=code)
        else:
            self._enter(ChildState.WAITING, self._retry_s, self._fork_again)
            if news:
                log.warning("ended; will be restarted", sensor=self.name, reason=why, exit=code, after_s=self._retry_s)
            self._retry_s = min(LAST_RETRY_S, self._retry_s * 2)


def _note_carried(lines: list[str], carried: dict[str, tuple[str, str]]) -> None:
    """Note the states of the sensors that a process carries; one without a state is no longer carried."""
    for line in lines:
        if line.startswith("X_SENSOR="):
            sensor, state, why = [*line.partition("=")[2].split(" ", 2), "", ""][:3]
            carried.pop(sensor, None)
            if state:
                carried[sensor] = (state, why)


def _reason(code: int, status: str) -> str:
    """Return why a process ended: the signal, or the last status that it sent."""
    if code < 0:
        names = {number.value: number.name for number in signal.Signals}  # lacks most real-time signals
        return f"killed by {names.get(-code, f'signal {-code}')}"
    return f"{status} (exit code {code})" if status and code else f"exited with code {code}"
