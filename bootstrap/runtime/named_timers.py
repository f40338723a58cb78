"""The calls that a device has made for later: those with a name replace one another."""

from collections.abc import Callable

from bootstrap.device import Reading
from bootstrap.eventloop.loop import Loop, Timer


class NamedTimers:
    """Timers of one device, whose calls' readings are published."""

    def __init__(self, loop: Loop, publish: Callable[[Callable[[], Reading | None]], None]) -> None:
        """Use `publish` to make a call and to publish what it returns."""
        self._loop, self._publish = loop, publish
        self._named: dict[str, Timer] = {}

    def after(self, seconds: float, call: Callable[[], Reading | None], name: str = "") -> Timer:
        """Implement `Device.after`."""
        timer = self._loop.call_later(seconds, lambda: self._publish(call))
        if name:
            self.cancel(name)
            self._named[name] = timer
        return timer

    def waits_for(self, name: str) -> bool:
        """Implement `Device.waits_for`. While a call is made, it is not still to come."""
        timer = self._named.get(name)
        return timer is not None and timer.call is not None

    def cancel(self, name: str) -> bool:
        """Implement `Device.cancel`."""
        waits = self.waits_for(name)
        if timer := self._named.pop(name, None):
            timer.cancel()
        return waits
