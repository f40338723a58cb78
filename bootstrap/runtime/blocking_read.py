"""The `read` of a device whose kind says `blocks = True`: in a worker thread, never twice at once."""

from collections.abc import Callable
from functools import cached_property

from bootstrap.contract.commands import Done
from bootstrap.device import Device, Reading
from bootstrap.eventloop.loop import Loop
from bootstrap.needs import bus_of
from bootstrap.runtime.device_calls import MOMENT_S, Bus, DeviceCalls

MOST = 100  # commands that may wait for one read


class BlockingRead:
    """Reads a device in a worker thread, and tells all who asked meanwhile how it ended."""

    def __init__(
        self,
        loop: Loop,
        device: Device,
        calls: DeviceCalls,
        publish: Callable[[Callable[[], Reading], int | None], str | None],
        published: Callable[[], None],
    ) -> None:
        """Call `publish` with what returns the reading or raises, and its time; it returns what is wrong, or None."""
        self._loop, self._device, self._calls = loop, device, calls
        self._publish, self._published = publish, published
        self._waiting: list[Done] = []
        self.runs = self._abandoned = False

    def start(self, done: Done) -> None:
        """Read, unless that is being done already, and call `done` at its end with what is wrong, or None."""
        if self._abandoned or len(self._waiting) >= MOST:
            done("stopping" if self._abandoned else "too many wait for this read")
            return
        self._waiting.append(done)
        if not self.runs:
            self.runs = True
            self._calls.start(self._device.read, self._ended, self._bus)

    @cached_property
    def _declared(self) -> Bus:
        """The bus that the device declares."""
        return bus_of(self._device)

    @property
    def _bus(self) -> Bus:
        """The bus that the device declares, or names by an attribute, which may be another one at each read."""
        return self._declared or getattr(self._device, "bus", None)

    def _ended(self, outcome: Callable[[], Reading], at_us: int | None) -> None:
        if not self._abandoned:
            self._finish(self._publish(lambda: self._device.complete(outcome()), at_us))

    def _finish(self, wrong: str | None) -> None:
        self.runs = False
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done(wrong)
        self._published()

    def end_soon(self) -> None:
        """Abandon a read that has not ended in a moment."""
        self._loop.call_later(MOMENT_S, self.abandon)

    def abandon(self) -> None:
        """Drop the outcome of a read that runs, and begin none."""
        self._abandoned = True
        if self.runs:
            self._finish("stopping: the read has not ended")
