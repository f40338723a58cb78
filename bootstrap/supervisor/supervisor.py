"""The supervisor: one parent that loads everything once, forks each sensor as its own process, and looks after them."""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Collection
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NoReturn

from bootstrap.config.model import House, SensorSettings
from bootstrap.eventloop.loop import STOP_SIGNALS, Loop, Signals, has_terminal
from bootstrap.homeassistant.discovery import announced
from bootstrap.logs import log
from bootstrap.logs.rotating_stderr import RotatingStderr
from bootstrap.runtime import process
from bootstrap.runtime.sd_notify import notify, watchdog_s
from bootstrap.supervisor import preload
from bootstrap.supervisor.child import UNSETTLED, Child, ChildState

LOCK = "supervisor"
SIGNALS = (*STOP_SIGNALS, signal.SIGCHLD)
SETTLE_S = 15.0  # children that have not come to rest by then are reported as they are
COMMAND_NAME = Path("/proc/self/comm")  # what ps and top show (proc(5))


class Supervisor:
    """All children of one house. What `stack` holds is released in reverse order, whatever ends us."""

    def __init__(self, house: House, stack: ExitStack, log_file: RotatingStderr | None) -> None:
        self.children: dict[str, Child] = {}
        self._log_file = log_file
        self.stopping = False
        self._waiting: list[tuple[Collection[str], Callable[[], None]]] = []
        self.loop = Loop()
        self._signals = Signals(self.loop, self._signalled, SIGNALS)
        stack.callback(self._signals.close)
        self._lifeline, ours = os.pipe2(os.O_CLOEXEC)  # the children see its end when we end, however we do
        stack.callback(os.close, ours)
        self.reload: Callable[[], None] = lambda: None
        self.on_ended: Callable[[Child], None] = lambda _child: None
        self.apply_settings(house)

    def apply_settings(self, house: House) -> None:
        """Go by these settings from now on."""
        self.watchdog_s = house.supervisor.watchdog_s
        log.settle(all_of_it=True)
        log.start("supervisor", house.log.level, house.log.format)
        if self._log_file is not None:
            self._log_file.limit_mb = house.supervisor.log_mb

    def child(self, name: str) -> Child:
        """The child of this name, made if there is none; it does not run yet."""
        return self.children.setdefault(name, Child(self, name, self._write))

    def run(self, names: Collection[str], ready: Callable[[], None]) -> None:
        """Start these, look after all, stop. `ready` is called once every child has come to rest."""
        preload.preload()
        preload.freeze()
        for name in names:
            self.children[name].start()
        self.when_settled(names, lambda: self._ready(ready))
        if watchdog := watchdog_s():
            self.loop.call_every(watchdog, lambda: notify("WATCHDOG=1"))
        self.loop.run(until=lambda: self.stopping and not (self._running() or self._waiting))

    def _ready(self, ready: Callable[[], None]) -> None:
        notify("READY=1")
        ready()

    def _running(self) -> list[Child]:
        return [child for child in self.children.values() if child.pid is not None]

    def stop_all(self, why: str) -> None:
        """Stop every child in order, and end."""
        if self.stopping:
            return
        log.info("stopping", why=why, running=len(self._running()))
        self.stopping = True
        notify("STOPPING=1")
        for child in self.children.values():
            child.stop()

    def kill_all(self) -> None:
        """Stop every child now."""
        log.warning("stopping at once", running=len(self._running()))
        for child in self.children.values():
            child.kill()

    def when_settled(self, names: Collection[str], call: Callable[[], None]) -> None:
        """Call once these children have come to rest, or after a while."""
        waiting = (names, call)
        self._waiting.append(waiting)
        self.loop.call_later(SETTLE_S, lambda: self._settle_anyway(waiting))
        self.on_settled()

    def on_settled(self) -> None:
        """A child has come to rest; see in the next turn who waited for that."""
        self.loop.call_soon(self._tell_who_waits)

    def _tell_who_waits(self) -> None:
        well = sum(child.state is ChildState.ONLINE for child in self.children.values())
        notify(f"STATUS={well} of {len(self.children)} sensors online")
        for waiting in self._waiting.copy():
            names, call = waiting
            if not any(self.children[name].state in UNSETTLED for name in names if name in self.children):
                self._waiting.remove(waiting)
                call()

    def _settle_anyway(self, waiting: tuple[Collection[str], Callable[[], None]]) -> None:
        if waiting in self._waiting:
            self._waiting.remove(waiting)
            waiting[1]()

    # What comes from outside.

    def _signalled(self, name: str) -> None:
        if name == "SIGCHLD":
            self._reap()
        elif name == "SIGHUP" and not has_terminal():
            self.reload()
        elif self.stopping:
            self.kill_all()
        else:
            self.stop_all(name)

    def _reap(self) -> None:
        """Bury who has died."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                for child in self._running():
                    if child.pid == pid:
                        _end_group(pid)
                        child.ended(status)
                        self.on_ended(child)

    def _write(self, sensor: str, line: bytes) -> None:
        """A line of a child's."""
        if left := log.pass_on(sensor, line):
            with suppress(OSError):
                os.write(2, left)
        if self._log_file is not None:
            self._log_file.rotate()

    # Birth.

    def fork(self, settings: SensorSettings, stderr: int, address: str) -> int:
        """Begin a process that lives as this sensor. For the child, signals wait until it has handlers of its own."""
        known = process.known_time(settings)  # looked up here, it costs memory only once
        with suppress(Exception):  # the same; where a class of the user's own fails at it, only its child ends
            announced(settings)
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                self._become(settings, stderr, address, known)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        return pid

    def _become(self, settings: SensorSettings, stderr: int, address: str, known: float) -> NoReturn:
        """Be the child: let go of all that is the supervisor's, then live. Nothing of its code runs after that."""
        code = 1
        try:
            journal = log.is_journal(sys.stderr)
            os.dup2(stderr, 2)
            self._signals.close()
            self._set_environment(address, journal=journal)
            _close_all_but(0, 1, 2, self._lifeline)
            os.setpgid(0, 0)  # Ctrl-C at a terminal is for the supervisor, which stops us in order
            with suppress(OSError):
                COMMAND_NAME.write_text(settings.topics.sensor, encoding="ascii")
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            code = process.run(settings, process.Inherited(self._lifeline, known))
        except BaseException:  # noqa: BLE001 - nothing may escape into the supervisor's own code
            traceback.print_exc()
        finally:
            with suppress(OSError, ValueError):
                sys.stdout.flush()
            os._exit(code)

    def _set_environment(self, address: str, *, journal: bool) -> None:
        """We are to the child what systemd is to us (sd_notify(3), systemd.exec(5))."""
        os.environ["NOTIFY_SOCKET"] = address
        os.environ["WATCHDOG_USEC"] = str(round(self.watchdog_s * 1_000_000))
        os.environ.pop("WATCHDOG_PID", None)
        if journal:
            status = os.fstat(2)
            os.environ["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"


def _end_group(pid: int) -> None:
    """What a device started itself, and left behind, holds its lines and ports."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _close_all_but(*kept: int) -> None:
    """Close what was inherited. The objects that hold it live on in the caller's frames, and are never used again."""
    for descriptor in {int(entry.name) for entry in Path("/proc/self/fd").iterdir()}.difference(kept):
        with suppress(OSError):
            os.close(descriptor)
