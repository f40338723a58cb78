"""What few devices use: calls in a worker thread, streams, the times of edges, a second broker.

Each is imported when a device first uses it.
"""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from bootstrap.device import Device, Reading
from bootstrap.errors import NoReading, reason
from bootstrap.runtime.parts import ProcessParts

if TYPE_CHECKING:
    from bootstrap.bridge.second_broker import SecondBroker
    from bootstrap.contract.other_broker import OtherAddress
    from bootstrap.pins.edge_times import EdgeBatch
    from bootstrap.runtime.device_calls import DeviceCalls
    from bootstrap.runtime.edge_stream import EdgeStream
    from bootstrap.runtime.streams.stream import Stream
    from bootstrap.streams import Frames, Source

T = TypeVar("T")
SetProblem: TypeAlias = Callable[[str, str | None], None]
Failed: TypeAlias = Callable[[OSError | ValueError], Reading | None]


class ReadingsHeard(Protocol):
    """Who publishes what comes between two reads: the sampler of a sensor."""

    stopped_at: float  # monotonic, in seconds

    def run_later(self, call: Callable[[], Reading | None], at_us: int | None = None) -> None:
        """Publish what a call returns."""

    def read_soon(self) -> None:
        """Read in the loop's next turn."""

    def show(self, reading: Reading, *, whole: bool = False) -> None:
        """Publish values as state alone."""


class _LineHearer:
    """Publishes what a device makes of the lines of one stream."""

    def __init__(
        self, name: str, on_line: Callable[[Any], Reading | None], sampler: ReadingsHeard, set_problem: SetProblem
    ) -> None:
        self._on_line, self._sampler, self.set_problem = on_line, sampler, set_problem
        self._last_line = f"last line of {name}"  # a problem's name
        self.on_change = sampler.read_soon
        self._good = self._bad = False

    def hear(self, line: str | bytes) -> bool:
        self._good = False
        self._sampler.run_later(partial(self._heard, line))
        return self._good

    def _heard(self, line: str | bytes) -> Reading | None:
        try:
            found = self._on_line(line)
        except NoReading:
            found = None
        except (OSError, ValueError) as error:
            # A read that has nothing to say does not make up for it; only a good line does.
            self._bad = True
            self.set_problem(self._last_line, reason(error))
            raise
        if self._bad:
            self.set_problem(self._last_line, None)
        self._good, self._bad = True, False
        return found

    def on_failed(self, error: ValueError) -> None:
        def fail() -> Reading:
            raise error

        self._sampler.run_later(fail)


class LentParts:
    """Makes the calls and streams of one device when it needs them, and ends them with it."""

    sensor = ""  # `group/sensor`
    folder = Path()  # the sensor's own

    def __init__(self, device: Device, parts: ProcessParts, sampler: ReadingsHeard, set_problem: SetProblem) -> None:
        """Publish by the sampler what the device makes of results and lines."""
        self._device, self._parts, self._sampler, self._set_problem = device, parts, sampler, set_problem
        self._streams: list[Stream] = []
        self._edges: list[EdgeStream] = []
        self.read_soon, self.show = sampler.read_soon, sampler.show

    @cached_property
    def calls(self) -> "DeviceCalls":
        """The device's calls that may block."""
        from bootstrap.runtime.device_calls import DeviceCalls  # noqa: PLC0415

        return DeviceCalls(self._parts.loop, self._parts.worker, self._set_problem)

    def ask(
        self,
        call: Callable[[], T],
        then: Callable[[T], Reading | None],
        failed: Failed | None = None,
        bus: str | Path | None = None,
    ) -> None:
        """Implement `Device.ask`."""
        self.calls.start(call, partial(self._answered, then, failed), bus)

    def _answered(
        self,
        then: Callable[[Any], Reading | None],
        failed: Failed | None,
        outcome: Callable[[], Any],
        at_us: int | None,
    ) -> None:
        def reading() -> Reading | None:
            try:
                result = outcome()
            except (OSError, ValueError) as error:
                if failed is None:
                    raise
                return failed(error)
            return then(result)

        self._sampler.run_later(reading, at_us)

    @property
    def making_progress(self) -> bool:
        """Whether no call hangs."""
        return "calls" not in vars(self) or self.calls.making_progress

    def end_calls(self) -> None:
        """Drop the calls: before the device's teardown. One that runs has a moment since the device was stopped."""
        if "calls" in vars(self):
            from bootstrap.runtime.device_calls import MOMENT_S  # noqa: PLC0415

            self.calls.close(self._sampler.stopped_at + MOMENT_S)

    def lines(
        self, source: "Source", on_line: Callable[[Any], Reading | None], frames: "Frames | None" = None
    ) -> "Stream":
        """Implement `Device.lines`."""
        from bootstrap.runtime.streams.declared_source import require_declared  # noqa: PLC0415
        from bootstrap.runtime.streams.stream import Stream  # noqa: PLC0415

        require_declared(self._device, source)
        self._streams = [one for one in self._streams if not one.done]
        alike = sum(one.name.partition(" #")[0] == str(source) for one in self._streams)
        name = f"{source} #{alike + 1}" if alike else str(source)
        hearer = _LineHearer(name, on_line, self._sampler, self._set_problem)
        self._streams.append(Stream(self._parts, source, hearer, name=name, frames=frames))
        return self._streams[-1]

    def edges(self, number: int, on_edges: "Callable[[EdgeBatch], None]", *, pull_up: bool = False) -> "EdgeStream":
        """Implement `Context.edges`."""
        from bootstrap.pins.edge_times import open_edges  # noqa: PLC0415
        from bootstrap.runtime.declared_lines import require_line  # noqa: PLC0415
        from bootstrap.runtime.edge_stream import EdgeStream  # noqa: PLC0415

        require_line(self._device, number)
        self._edges.append(EdgeStream(self._parts.loop, open_edges(number, pull_up=pull_up), on_edges))
        return self._edges[-1]

    def other_broker(
        self,
        address: "OtherAddress",
        filters: Sequence[str],
        on_message: Callable[[str, bytes, bool], Reading | None],
        on_change: Callable[[str | None], Reading | None],
    ) -> "SecondBroker":
        """Implement `Context.other_broker`."""
        from bootstrap.bridge.second_broker import SecondBroker  # noqa: PLC0415

        def heard(topic: str, payload: bytes, retained: bool) -> None:
            self._sampler.run_later(partial(on_message, topic, payload, retained))

        return SecondBroker(
            (self._parts.loop, self._parts.worker),
            sensor=self.sensor,
            folder=self.folder / "other_broker",
            other=address,
            filters=filters,
            on_message=heard,
            on_change=lambda trouble: self._sampler.run_later(partial(on_change, trouble)),
        )

    def awaits_stream(self) -> bool:
        """Whether a stream is being opened for the first time."""
        return any(one.opening for one in self._streams)

    def end_streams(self) -> None:
        """Close the streams and end their children: after the device's teardown, which may write a last word."""
        while self._edges:
            self._edges.pop().close()
        for one in self._streams:
            one.close()
        for one in self._streams:
            one.finish()
        self._streams.clear()
