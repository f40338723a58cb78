"""What few devices use: calls in a worker thread, and streams. Each is imported when a device first uses it."""

from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from bootstrap.device import Reading
from bootstrap.runtime.parts import ProcessParts

if TYPE_CHECKING:
    from bootstrap.runtime.device_calls import DeviceCalls

T = TypeVar("T")
Publish: TypeAlias = Callable[[Callable[[], Reading | None], int | None], None]
Failed: TypeAlias = Callable[[OSError | ValueError], Reading | None]


class LentParts:
    """Makes the calls and streams of one device when it needs them, and ends them with it."""

    def __init__(self, parts: ProcessParts, publish: Publish, set_problem: Callable[[str, str | None], None]) -> None:
        """Publish by `publish` what a device makes of a result; its second argument is as in `publish_reading`."""
        self._parts, self._publish, self._set_problem = parts, publish, set_problem

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

        self._publish(reading, at_us)

    @property
    def making_progress(self) -> bool:
        """Whether no call hangs."""
        return "calls" not in vars(self) or self.calls.making_progress

    def end_calls(self) -> None:
        """Drop the calls: before the device's teardown."""
        if "calls" in vars(self):
            self.calls.close()
