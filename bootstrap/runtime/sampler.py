"""Reading the device on time, and separating good readings from faults."""

import math
import time
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from bootstrap.contract.commands import Done
from bootstrap.device import Device, Reading
from bootstrap.errors import NoReading, Refused
from bootstrap.eventloop.backoff import Backoff
from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.pins.edge import Edge
from bootstrap.runtime.reporter import Reporter

if TYPE_CHECKING:
    from bootstrap.runtime.blocking_read import BlockingRead
    from bootstrap.runtime.device_calls import DeviceCalls

FIRST_RETRY_S = 1.0
RETRY_JITTER = 0.3  # share of a retry's wait: sensors on one bus that fails do not all try again in the same instant


def phase_of(name: str) -> float:
    """Return when in its period a sensor of this name reads, from 0 to 1: sensors that start together spread out."""
    return zlib.crc32(name.encode()) / 2**32


class Sampler:
    """Calls `read` every `every_s` seconds; sooner after a failure, so that a slow sensor does not stay in fault."""

    def __init__(
        self, loop: Loop, device: Device, reporter: Reporter, published: Callable[[], None], phase: float = 0.0
    ) -> None:
        """Call `published` whenever something was put in the outbox.

        `phase` moves all reads but the first by this part of a period, so that the second follows after half a period
        at the earliest, and before one and a half.
        """
        self._loop, self._device, self._reporter, self._published = loop, device, reporter, published
        self._phase, self._in_step_with = phase, 0.0
        self.counted_from: float | None = None  # from when periods are counted (monotonic), if not from the first read
        self._timer: Timer | None = None
        self._backoff = Backoff(min(FIRST_RETRY_S, device.every_s), device.every_s, RETRY_JITTER)
        # While a stream is being opened, nothing to read does not mean that all is well.
        self.awaits_stream: Callable[[], bool] = lambda: False
        self._elsewhere: BlockingRead | None = None
        self._reading = self._stopped = False
        self.stopped_at = math.inf  # monotonic, in seconds

    def read_elsewhere(self, calls: "DeviceCalls") -> None:
        """Run `read` in a worker thread from now on. The import is local because few devices need it."""
        from bootstrap.runtime.blocking_read import BlockingRead  # noqa: PLC0415

        publish = partial(self._publish, whole=True)
        self._elsewhere = BlockingRead(self._loop, self._device, calls, publish, self._published)

    def start(self) -> None:
        """Read in the loop's next turn, then periodically."""
        counted_from = time.monotonic() if self.counted_from is None else self.counted_from
        self._in_step_with = counted_from + self._phase * self._device.every_s
        self._timer = self._loop.call_later(0, self._tick)

    @property
    def making_progress(self) -> bool:
        """Whether the next read is scheduled or runs, or the sampler is stopped."""
        return self._stopped or self._reading or (self._timer is not None and self._timer.call is not None)

    def stop(self) -> None:
        """Stop reading, and ignore edges and delayed calls. A read in a worker thread may end within a moment."""
        self._stopped = True
        self.stopped_at = min(self.stopped_at, time.monotonic())
        if self._timer is not None:
            self._timer.cancel()
        if self._elsewhere is not None:
            self._elsewhere.end_soon()

    @property
    def idle(self) -> bool:
        """Whether no read runs in a worker thread."""
        return self._elsewhere is None or not self._elsewhere.runs

    def abandon(self) -> None:
        """Stop at once: the outcome of a read that runs in a worker thread is dropped."""
        self.stop()
        if self._elsewhere is not None:
            self._elsewhere.abandon()

    def _tick(self) -> None:
        began = self._timer.due if self._timer else time.monotonic()
        self._reading = True
        self.read(partial(self._read_ended, began))

    def _read_ended(self, began: float, wrong: str | None) -> None:
        self._reading = False
        self._published()
        if not self._stopped:
            self._read_again(self._next_due(began) if wrong is None else self._retry_due())

    def _read_again(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._tick)

    def _next_due(self, began: float) -> float:
        """Return when to read next, in step. Steps that have already passed, or soon would, are skipped."""
        self._backoff.reset()
        every_s = self._device.period_s
        earliest = max(time.monotonic(), began + every_s / 2)
        return self._in_step_with + math.ceil((earliest - self._in_step_with) / every_s) * every_s

    def _retry_due(self) -> float:
        """Return when to read next after a failure."""
        return time.monotonic() + self._backoff.advance()

    def read(self, done: Done = lambda _: None) -> None:
        """Read once and publish the result, then call `done` with what is wrong, or None.

        Where `read` runs in a worker thread and does so already, that one counts.
        """
        if self._elsewhere is not None:
            self._reporter.reads += not self._elsewhere.runs
            self._elsewhere.start(done)
        else:
            self._reporter.reads += 1
            done(self._publish(self._device.read, whole=True))

    def read_soon(self) -> None:
        """Read in the loop's next turn, if it reads at all."""
        if self._timer is not None and not self._stopped:
            self._read_again(time.monotonic())

    def on_edge(self, edge: Edge) -> None:
        """Publish what an edge means, with the edge's own timestamp."""
        self._publish_between_reads(lambda: self._device.on_edge(edge), edge.time_ns // 1000)

    def run_later(self, call: Callable[[], Reading | None], at_us: int | None = None) -> None:
        """Publish the result of a delayed call of the device. `at_us` is as in `publish_reading`."""
        self._publish_between_reads(call, at_us)

    def show(self, reading: Reading, *, whole: bool = False) -> None:
        """Publish values as state that are none of now: see `Context.show`."""
        if not self._stopped:
            self._reporter.show(self._reporter.judge(reading), whole=whole)
            self._published()

    def _publish_between_reads(self, measure: Callable[[], Reading | None], at_us: int | None = None) -> None:
        """Publish what was measured between two reads. After a failure, read soon to see whether the device is well."""
        if self._stopped:
            return
        if self._publish(measure, at_us) is not None and self._timer is not None:
            self._read_again(self._retry_due())
        self._published()

    def _publish(
        self, measure: Callable[[], Reading | None], at_us: int | None = None, *, whole: bool = False
    ) -> str | None:
        """Call `measure` and publish its reading. Returns what is wrong, or None."""
        try:
            reading = measure()
        except NoReading:
            reading, whole = None, whole and not self.awaits_stream()
        except (OSError, ValueError) as error:
            return self._reporter.publish_failure(error)
        judged = self._reporter.judge({} if reading is None else reading)
        self._reporter.publish_measured(judged, at_us, whole=whole)
        return _reasons(judged.invalid) if judged.invalid else None

    def publish(self, reading: Reading) -> None:
        """Publish what an action has measured or changed.

        Raises:
            Refused: a value is invalid; then nothing is published.
        """
        judged = self._reporter.judge(reading)
        if judged.invalid:
            raise Refused(_reasons(judged.invalid))
        self._reporter.publish_measured(judged)


def _reasons(invalid: Mapping[str, str]) -> str:
    return "; ".join(dict.fromkeys(invalid.values()))
