"""Reads the device in time, and tells true readings from faults."""

import time
from collections.abc import Callable, Mapping

from bootstrap.device import Device, Reading
from bootstrap.errors import NoReading, Refused
from bootstrap.loop import Loop, Timer
from bootstrap.pins import Edge
from bootstrap.reporter import Reporter

FIRST_RETRY_S = 1.0


class Sampler:
    """Calls `read` every `every_s` seconds; after a failure sooner, so that a slow sensor is not long in fault."""

    def __init__(self, loop: Loop, device: Device, reporter: Reporter, said: Callable[[], None]) -> None:
        self._loop, self._device, self._reporter, self._said = loop, device, reporter, said
        self._timer: Timer | None = None
        self._retry_s = FIRST_RETRY_S
        self._stopped = False

    def start(self) -> None:
        """Read in the loop's next turn, and go on."""
        self._timer = self._loop.after(0, self._tick)

    @property
    def moves(self) -> bool:
        """Whether the next read will come."""
        return self._stopped or (self._timer is not None and self._timer.call is not None)

    def stop(self) -> None:
        """Read no more, and hear no more of edges and of what was to be done later."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        began = self._timer.due if self._timer else time.monotonic()
        failed = self.read() is not None
        self._said()
        self._timer = self._loop.at(self._retry_due() if failed else self._next_due(began), self._tick)

    def _next_due(self, began: float) -> float:
        """In step with the first read; steps that have passed meanwhile are left out."""
        self._retry_s = FIRST_RETRY_S
        every_s = self._device.every_s
        missed = max(0.0, time.monotonic() - began) // every_s
        return began + (missed + 1) * every_s

    def _retry_due(self) -> float:
        """After a failure: later each time."""
        every_s = self._device.every_s
        self._retry_s, wait_s = min(every_s, self._retry_s * 2), min(every_s, self._retry_s)
        return time.monotonic() + wait_s

    def read(self) -> str | None:
        """Read once, publish what comes of it, and return what is wrong, if anything is."""
        self._reporter.reads += 1
        return self._publish(self._device.read, whole=True)

    def edge(self, edge: Edge) -> None:
        """Publish what an edge means, at its own time."""
        self._happened(lambda: self._device.on_edge(edge), edge.time_ns // 1000)

    def later(self, call: Callable[[], Reading | None]) -> None:
        """Publish what the device wanted to do later."""
        self._happened(call)

    def _happened(self, measure: Callable[[], Reading | None], at_us: int | None = None) -> None:
        """Publish what came between two reads; if it failed, do not wait for the next to see whether all is well."""
        if self._stopped:
            return
        if self._publish(measure, at_us) is not None and self._timer is not None:
            self._timer.cancel()
            self._timer = self._loop.at(self._retry_due(), self._tick)
        self._said()

    def _publish(
        self, measure: Callable[[], Reading | None], at_us: int | None = None, *, whole: bool = False
    ) -> str | None:
        """Publish what is measured now, and return what is wrong, if anything is."""
        try:
            reading = measure()
        except NoReading:
            reading = None
        except (OSError, ValueError) as error:
            return self._reporter.say_failure(error)
        good, refused = self._reporter.sift({} if reading is None else reading)
        self._reporter.say_measured(good, refused, at_us, whole=whole)
        return _reasons(refused) if refused else None

    def take(self, reading: Reading) -> None:
        """Publish what an action measured or brought about.

        Raises:
            Refused: a value cannot be true; then nothing is published.
        """
        good, refused = self._reporter.sift(reading)
        if refused:
            raise Refused(_reasons(refused))
        self._reporter.say_measured(good, refused)


def _reasons(refused: Mapping[str, str]) -> str:
    return "; ".join(dict.fromkeys(refused.values()))
