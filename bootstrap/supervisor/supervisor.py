"""The supervisor: one parent that loads everything once, forks each sensor as its own process, and watches them."""

import os
import signal
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack, suppress
from math import ceil
from pathlib import Path
from typing import NoReturn

from bootstrap.config.model import House, ProcessSettings, SensorSettings
from bootstrap.errors import Exit
from bootstrap.eventloop.loop import STOP_SIGNALS, Loop, Signals, has_terminal
from bootstrap.homeassistant.discovery import announced
from bootstrap.logs import log
from bootstrap.logs.rotating_stderr import RotatingStderr
from bootstrap.needs import may_drive
from bootstrap.runtime import process
from bootstrap.runtime.safe_outputs import make_safe
from bootstrap.runtime.sd_notify import notify, watchdog_s
from bootstrap.supervisor import preload
from bootstrap.supervisor.child import UNSETTLED, Child, ChildState, longest_s

LOCK = "supervisor"
SIGNALS = (*STOP_SIGNALS, signal.SIGCHLD)
ORDERLY = (Exit.STOPPED, Exit.ABSENT)  # the process has set its outputs, if it has said before that it stops
NO_OUTPUTS = (Exit.RUNNING, Exit.SETTINGS)  # it has released them, or had none
SETTLE_S = 15.0  # children that have not settled by then are reported as they are
COMMAND_NAME = Path("/proc/self/comm")  # what ps and top show (proc(5))


class Supervisor:
    """The children of one house. `stack` releases everything in reverse order, whatever ends the supervisor."""

    def __init__(self, house: House, stack: ExitStack, log_file: RotatingStderr | None) -> None:
        self.children: dict[str, Child] = {}
        self._log_file = log_file
        self.stopping = False
        self._waiting: list[tuple[Collection[str], Callable[[], None]]] = []
        self.loop = Loop()
        self._signals = Signals(self.loop, self._on_signal, SIGNALS)
        stack.callback(self._signals.close)
        self._lifeline, ours = os.pipe2(os.O_CLOEXEC)  # reads end-of-file in the children when we end, however we do
        stack.callback(os.close, ours)
        self.reload: Callable[[], None] = lambda: None
        self.on_ended: Callable[[Child], None] = lambda _child: None
        self.apply_settings(house)

    def apply_settings(self, house: House) -> None:
        """Apply the house's settings."""
        self.watchdog_s = house.supervisor.watchdog_s
        log.settle(all_of_it=True)
        log.start("supervisor", house.log.level, house.log.format)
        if self._log_file is not None:
            self._log_file.limit_mb = house.supervisor.log_mb

    def child(self, name: str) -> Child:
        """Return the child of this name; a new one is stopped."""
        return self.children.setdefault(name, Child(self, name, self._write))

    def run(self, names: Collection[str], ready: Callable[[], None]) -> None:
        """Start these children and supervise all until a stop. `ready` is called once these have settled."""
        preload.preload()
        preload.freeze()
        for name in names:
            self.children[name].start()
        self.when_settled(names, lambda: self._ready(ready))
        if watchdog := watchdog_s():
            self.loop.call_every(watchdog, self._notify_watchdog)
        self.loop.run(until=lambda: self.stopping and not (self._running() or self._waiting))

    @staticmethod
    def _notify_watchdog() -> None:
        notify("WATCHDOG=1")

    def _ready(self, ready: Callable[[], None]) -> None:
        notify("READY=1")
        ready()

    def _running(self) -> list[Child]:
        return [child for child in self.children.values() if child.pid is not None]

    def stop_all(self, why: str) -> None:
        """Stop every child in order, then end."""
        if self.stopping:
            return
        log.info("stopping", why=why, running=len(self._running()))
        self.stopping = True
        notify("STOPPING=1")
        for child in self.children.values():
            child.stop()

    def kill_all(self) -> None:
        """Kill every child immediately."""
        log.warning("stopping at once", running=len(self._running()))
        for child in self.children.values():
            child.kill()

    def when_settled(self, names: Collection[str], call: Callable[[], None]) -> None:
        """Call `call` once these children have settled, or after SETTLE_S seconds."""
        waiting = (names, call)
        self._waiting.append(waiting)
        self.loop.call_later(SETTLE_S, lambda: self._settle_anyway(waiting))
        self.on_settled()

    def on_settled(self) -> None:
        """Check in the loop's next turn who waited for a child to settle."""
        self.loop.call_soon(self._notify_waiting)

    def _notify_waiting(self) -> None:
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

    # Signals and log lines.

    def _on_signal(self, name: str) -> None:
        if name == "SIGCHLD":
            self._reap()
        elif name == "SIGHUP" and not has_terminal():
            self.reload()
        elif self.stopping:
            self.kill_all()
        else:
            self.stop_all(name)

    def _reap(self) -> None:
        """Reap every child process that has ended."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                for child in self._running():
                    if child.pid == pid:
                        _kill_group(pid)
                        child.ended(status)
                        self.on_ended(child)

    def _write(self, sensor: str, line: bytes) -> None:
        """Write a line that a child has logged."""
        if left := log.pass_on(sensor, line):
            with suppress(OSError):
                os.write(2, left)
        if self._log_file is not None:
            self._log_file.rotate()

    # Forking.

    def fork(self, settings: ProcessSettings, stderr: int, address: str) -> int:
        """Fork a process that runs this sensor. Signals stay blocked in the child until it has its own handlers."""
        known = process.known_time(settings)  # called before the fork, which costs its memory only once
        with suppress(Exception):  # called for its memory, too; if a user's class fails here, only its child may end
            announced(settings.sensors[0])
        return self._fork(lambda: self._run_sensor(settings, stderr, address, known))

    def fork_safe(self, settings: ProcessSettings, status: int, *, stopping: bool) -> int | None:
        """Fork a process that makes outputs safe if one that ended badly with `status` may have driven some.

        One that ended in order has done so, and has said that it was `stopping`: a library may end a process with any
        code. Returns its process id, or None if there is nothing to do.
        """
        driving = [one for one in settings.sensors if may_drive(one.device)]
        in_order = (*NO_OUTPUTS, *ORDERLY) if stopping else NO_OUTPUTS
        if os.waitstatus_to_exitcode(status) not in in_order and driving:
            with suppress(OSError):  # no memory: the sensor's next process will set them
                return self._fork(lambda: self._make_safe(driving))
        return None

    def _make_safe(self, sensors: Sequence[SensorSettings]) -> int:
        _close_all_but(0, 1, 2)
        signal.alarm(ceil(longest_s(self.watchdog_s)) + 1)  # should the supervisor no longer be there to kill it
        return max(make_safe(one) for one in sensors)

    def _fork(self, run: Callable[[], int]) -> int:
        """Fork a process that runs this and exits with what it returns. Returns its process id."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                self._run_child(run)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        return pid

    def _run_child(self, run: Callable[[], int]) -> NoReturn:
        """Run as the child: release what is the supervisor's, then run this and exit. Never returns."""
        code = 1
        try:
            self._signals.close()
            os.setpgid(0, 0)  # Ctrl-C in a terminal goes to the supervisor alone, which stops us in order
            code = run()
        except BaseException:  # noqa: BLE001 - nothing may escape into the supervisor's own code
            log.error("a bug before the sensor could run", traceback=True, exit=code)
        finally:
            with suppress(OSError, ValueError):
                sys.stdout.flush()
            os._exit(code)

    def _run_sensor(self, settings: ProcessSettings, stderr: int, address: str, known: float) -> int:
        """Run a process, which logs to `stderr`. Returns its exit code."""
        journal = log.is_journal(sys.stderr)
        os.dup2(stderr, 2)
        self._set_environment(address, journal=journal)
        _close_all_but(0, 1, 2, self._lifeline)
        with suppress(OSError):
            COMMAND_NAME.write_text(settings.label.rpartition("/")[2], encoding="ascii")
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        return process.run(settings, process.Inherited(self._lifeline, known))

    def _set_environment(self, address: str, *, journal: bool) -> None:
        """Set the variables by which the child notifies us as it would systemd (sd_notify(3), systemd.exec(5))."""
        os.environ["NOTIFY_SOCKET"] = address
        os.environ["WATCHDOG_USEC"] = str(round(self.watchdog_s * 1_000_000))
        os.environ.pop("WATCHDOG_PID", None)
        if journal:
            status = os.fstat(2)
            os.environ["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"


def _kill_group(pid: int) -> None:
    """Kill what a device started and left running: it would hold the device's lines and ports."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _close_all_but(*kept: int) -> None:
    """Close inherited descriptors. The objects that own them stay in the caller's frames and are never used again."""
    for descriptor in {int(entry.name) for entry in Path("/proc/self/fd").iterdir()}.difference(kept):
        with suppress(OSError):
            os.close(descriptor)
