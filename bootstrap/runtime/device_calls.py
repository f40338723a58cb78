"""The calls of a device that may block: in a worker thread, one after the other on one bus."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Generic, NoReturn, TypeAlias, TypeVar

from bootstrap.errors import NoReading
from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.eventloop.threads import Worker, WorkerCall
from bootstrap.runtime.bus_lock import BusLock, holder_of
from bootstrap.runtime.sd_notify import watchdog_s

T = TypeVar("T")
Bus: TypeAlias = str | Path | None

HANG_S = 30.0  # longest time of a call, unless a watchdog sets another one
BUS_S = 120.0  # longest wait for a bus, after which the device is in fault
MOMENT_S = 1.0  # for a call that runs when its device is stopped
HUNG, BUSY = "call", "bus"  # names of problems


class _DeviceCall(Generic[T]):
    """Work that waits for its bus first."""

    def __init__(self, work: Callable[[], T], bus: Bus) -> None:
        self._work, self._bus = work, bus
        self.name = getattr(work, "__name__", "a call")
        self.asked = time.monotonic()
        self.began: float | None = None  # when it had the bus; monotonic, in seconds
        self.unwanted = False
        self.task: WorkerCall[tuple[T, int]]

    @property
    def node(self) -> Path | None:
        """The bus's node, which other processes can lock, too."""
        path = Path(self._bus) if self._bus else None
        return path if path and (path.is_absolute() or isinstance(self._bus, Path)) else None

    @property
    def lane(self) -> str:
        return str(self.node.resolve()) if self.node else str(self._bus or "")

    def run(self) -> tuple[T, int]:
        """Work, once it has the bus. Returns the result, and the time in microseconds since 1970."""
        with BusLock(self.node) if self.node else nullcontext():
            if self.unwanted:
                raise NoReading
            self.began = time.monotonic()
            return self._work(), time.time_ns() // 1000

    def hangs(self, limit_s: float) -> bool:
        return self.began is not None and time.monotonic() - self.began >= limit_s

    @property
    def busy(self) -> str | None:
        """Why it has not begun, if it has waited for its bus for too long."""
        if self.began is not None or time.monotonic() - self.asked < BUS_S:
            return None
        holder = holder_of(self.node) if self.node else ""
        return f"{self._bus or 'a thread'} was not free for {BUS_S:g} s{holder and f'; {holder} has it'}"

    def judge_in_s(self, limit_s: float) -> float:
        """Return in how many seconds it may have taken too long."""
        due = self.asked + BUS_S if self.began is None else self.began + limit_s
        return due - time.monotonic()


class DeviceCalls:
    """Runs calls of one device, and finds those that hang. Waiting for a bus is no hang, however long it takes."""

    def __init__(self, loop: Loop, worker: Worker, set_problem: Callable[[str, str | None], None]) -> None:
        self._loop, self._worker, self._set_problem = loop, worker, set_problem
        self._calls: list[_DeviceCall[object]] = []
        self._timer: Timer | None = None
        self._problems = set[str]()
        self._closed = False
        self._limit_s = 2 * (watchdog_s() or HANG_S / 2)

    def start(self, work: Callable[[], T], ended: Callable[[Callable[[], T], int | None], None], bus: Bus) -> None:
        """Run `work` in a thread; then, in the loop, `ended(outcome, at_us)`, unless the device has been released.

        `outcome()` returns what `work` returned, or raises what it raised.
        """
        if self._closed:  # asked by a teardown
            return
        call = _DeviceCall(work, bus)
        self._calls.append(call)  # type: ignore[arg-type]  # only its state matters here

        def end(outcome: Callable[[], T], at_us: int | None) -> None:
            if not self._closed:
                self._calls.remove(call)  # type: ignore[arg-type]
                self._judge()
                ended(outcome, at_us)

        def failed(error: BaseException) -> None:
            end(partial(_raise, error), None)

        call.task = self._worker.call(call.run, lambda got: end(lambda: got[0], got[1]), failed, call.lane)
        self._timer = self._loop.call_earlier(self._timer, min(self._limit_s, BUS_S), self._judge)

    def _judge(self) -> None:
        """Enter or remove what is wrong with the calls, and look again when one of them may take too long."""
        hung = next((call for call in self._calls if call.hangs(self._limit_s)), None)
        self._tell(HUNG, f"{hung.name} has not ended for {self._limit_s:g} s" if hung else None)
        self._tell(BUSY, next(filter(None, (call.busy for call in self._calls)), None))
        if self._timer is not None:
            self._timer.cancel()
        if self._calls and not self._closed:
            wait_s = min(call.judge_in_s(self._limit_s) for call in self._calls)
            self._timer = self._loop.call_later(wait_s if wait_s > 0 else self._limit_s, self._judge)

    def _tell(self, problem: str, why: str | None) -> None:
        """Enter or remove a problem. While there is none, nothing is done."""
        if why is not None and not self._closed:
            self._problems.add(problem)
            self._set_problem(problem, why)
        elif problem in self._problems:
            self._problems.remove(problem)
            self._set_problem(problem, None)

    @property
    def making_progress(self) -> bool:
        """Whether no call hangs."""
        return not any(call.hangs(self._limit_s) for call in self._calls)

    def close(self, until: float) -> None:
        """Begin no more calls, wait `until` then (monotonic) for those that run, and drop the results."""
        self._closed = True
        for call in self._calls:
            call.unwanted = True
            call.task.cancel()
        for call in self._calls:
            if call.began is not None and call.task.thread is not None:
                call.task.thread.join(max(0.0, until - time.monotonic()))
        self._judge()
        self._calls.clear()


def _raise(error: BaseException) -> NoReturn:
    raise error
