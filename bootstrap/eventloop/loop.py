"""The event loop: one thread waits on sockets, descriptors, signals and the next timer. Nothing else ticks."""

import heapq
import itertools
import math
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeAlias

import zmq

from bootstrap.eventloop.threads import Socket

Pollable: TypeAlias = "int | Socket"
OnReady: TypeAlias = Callable[[int], None]

# Plain numbers: combining zmq's own costs a call into its enumeration.
READABLE, WRITABLE = int(zmq.POLLIN), int(zmq.POLLOUT)
SOON_S = 0.02  # for calls made by `call_soon`, before descriptors and timers have their turn
SWEEP = 64  # lowest number of timers at which cancelled ones are removed
LONGEST_S = 24 * 3600.0  # longest wait: a day in milliseconds fits any poller that counts in 32 bits
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Timer:
    """A call that will be made once, unless it is cancelled. `due` is monotonic, in seconds."""

    __slots__ = ("call", "due")

    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due = due
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Cancel the call. Doing so twice, or after the call, does nothing."""
        self.call = None


class Loop:
    """Calls handlers when their descriptor is ready, and timers when they are due. An exception in one leaves `run`."""

    def __init__(self) -> None:
        self._poller = zmq.Poller()
        self._handlers: dict[Pollable, OnReady] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._soon: deque[Callable[[], None]] = deque()
        self._sweep_at = SWEEP

    def add_reader(self, source: Pollable, handler: OnReady, events: int = READABLE) -> None:
        """Call `handler(events)` whenever this socket or descriptor is ready for one of `events`; 0 means none."""
        self._handlers[source] = handler
        self._poller.register(source, events)

    def remove_reader(self, source: Pollable) -> None:
        """Stop watching `source`. Call it before the descriptor is closed; a second call does nothing."""
        self._handlers.pop(source, None)
        if source in self._poller:
            self._poller.unregister(source)

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        """Call once, `delay_s` seconds from now."""
        return self.call_at(time.monotonic() + delay_s, call)

    def call_at(self, due: float, call: Callable[[], None]) -> Timer:
        """Call once, when `time.monotonic()` reaches `due`."""
        timer = Timer(due, call)
        if len(self._timers) >= self._sweep_at:
            self._sweep()
        heapq.heappush(self._timers, (due, next(self._order), timer))
        return timer

    def call_earlier(self, timer: Timer | None, delay_s: float, call: Callable[[], None]) -> Timer:
        """Return `timer` if it is due within `delay_s` seconds; otherwise cancel it and call that much later."""
        due = time.monotonic() + delay_s
        if timer is not None and timer.call is not None:
            if timer.due <= due:
                return timer
            timer.cancel()
        return self.call_at(due, call)

    def _sweep(self) -> None:
        """Remove cancelled timers: a lamp that often receives `for_s` would otherwise keep each until it is due."""
        self._timers = [entry for entry in self._timers if entry[2].call is not None]
        heapq.heapify(self._timers)
        self._sweep_at = max(SWEEP, 2 * len(self._timers))

    def call_every(self, period_s: float, call: Callable[[], None]) -> None:
        """Call repeatedly, each time `period_s` seconds after the last call."""

        def again() -> None:
            call()
            self.call_later(period_s, again)

        self.call_later(period_s, again)

    def call_soon(self, call: Callable[[], None]) -> None:
        """Call after this turn's handlers and timers, in order: for what must not run in a library's callback."""
        self._soon.append(call)

    def run(self, until: Callable[[], bool], limit_s: float = math.inf) -> bool:
        """Run until `until()` is true, for at most `limit_s` seconds. Return whether it became true."""
        limit = None if limit_s == math.inf else self.call_later(limit_s, lambda: None)
        while not (met := until()) and (limit is None or limit.call is not None):
            self._turn()
        if limit is not None:
            limit.cancel()
        return met

    def _turn(self) -> None:
        for source, events in self._poller.poll(self._patience_ms()):
            handler = self._handlers.get(source)
            if handler is not None:  # an earlier handler of this turn may have removed it
                handler(events)
        self._run_timers()
        self._run_soon()

    def _patience_ms(self) -> int | None:
        """Return the time to the next timer, rounded up, or None without one: waking early would mean waking twice."""
        if self._soon:
            return 0
        while self._timers and self._timers[0][2].call is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return None
        return max(0, math.ceil(min(self._timers[0][0] - time.monotonic(), LONGEST_S) * 1000))

    def _run_soon(self) -> None:
        """Make the calls of `call_soon`, but only for a moment, so that signals and timers have their turn."""
        enough = time.monotonic() + SOON_S
        while self._soon:
            self._soon.popleft()()
            if time.monotonic() >= enough:
                return

    def _run_timers(self) -> None:
        """Run what is due now; what becomes due meanwhile waits a turn, so that sockets are never starved."""
        now = time.monotonic()
        due = []
        while self._timers and self._timers[0][0] <= now:
            due.append(heapq.heappop(self._timers)[2])
        for timer in due:
            call, timer.call = timer.call, None
            if call is not None:
                call()


class Signals:
    """Signals as a descriptor that the loop reads: their handlers do nothing, the loop calls `on_signal(name)`."""

    def __init__(
        self, loop: Loop, on_signal: Callable[[str], None], numbers: Iterable[signal.Signals] = STOP_SIGNALS
    ) -> None:
        self._loop, self._on_signal = loop, on_signal
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._handlers = {number: signal.signal(number, _nothing) for number in numbers}
        loop.add_reader(self._reader, self._receive)

    def _receive(self, _events: int) -> None:
        for number in os.read(self._reader, 64):
            if number in self._handlers:
                self._on_signal(signal.Signals(number).name)

    def close(self) -> None:
        """Restore the previous signal handlers and wake-up descriptor."""
        self._loop.remove_reader(self._reader)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._reader)
        os.close(self._writer)


def _nothing(_number: int, _frame: object) -> None:
    """Do nothing: with a handler, the signal reaches the wake-up descriptor."""


def has_terminal() -> bool:
    """Return whether a terminal started us: SIGHUP then means that it is gone."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()
