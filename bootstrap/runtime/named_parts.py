"""The parts of a process as one of many sensors uses them: what it logs carries its own name."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from bootstrap.eventloop.loop import READABLE, Loop, OnReady, Pollable, Timer
from bootstrap.eventloop.threads import Worker, WorkerCall
from bootstrap.logs import log
from bootstrap.runtime.parts import ProcessParts

T = TypeVar("T")


def named(parts: ProcessParts, name: str) -> ProcessParts:
    """Return the parts of a process for the sensor of this name."""
    return replace(parts, loop=_NamedLoop(parts.loop, name), worker=_NamedWorker(parts.worker, name))


class _NamedCall:
    """A call that logs as one sensor: a third of the memory of a partial, of which there are dozens for each sensor."""

    __slots__ = ("_call", "_name")

    def __init__(self, name: str, call: Callable[..., None]) -> None:
        self._name, self._call = name, call

    def __call__(self, *given: object) -> None:
        log.call_as(self._name, self._call, *given)


class _NamedLoop(Loop):
    """A process's loop; calls that are made through it log as one sensor."""

    def __init__(self, loop: Loop, name: str) -> None:
        self._shared, self._name = loop, name

    def _as_own(self, call: Callable[..., None]) -> Callable[..., None]:
        return _NamedCall(self._name, call)

    def add_reader(self, source: Pollable, handler: OnReady, events: int = READABLE) -> None:
        self._shared.add_reader(source, self._as_own(handler), events)

    def remove_reader(self, source: Pollable) -> None:
        self._shared.remove_reader(source)

    def call_at(self, due: float, call: Callable[[], None]) -> Timer:
        return self._shared.call_at(due, self._as_own(call))

    def call_soon(self, call: Callable[[], None]) -> None:
        self._shared.call_soon(self._as_own(call))

    def run(self, until: Callable[[], bool], limit_s: float = 0.0) -> bool:
        return self._shared.run(until, limit_s)


class _NamedWorker(Worker):
    """A process's worker; what follows from its calls logs as one sensor."""

    def __init__(self, worker: Worker, name: str) -> None:
        self._shared, self._name = worker, name

    def call(
        self, work: Callable[[], T], then: Callable[[T], None], failed: Callable[[BaseException], None], lane: str = ""
    ) -> WorkerCall[T]:
        return self._shared.call(
            work,
            lambda result: log.call_as(self._name, then, result),
            lambda error: log.call_as(self._name, failed, error),
            lane,
        )
