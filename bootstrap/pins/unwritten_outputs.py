"""What becomes of outputs when the kernel does not take a level: they are set to rest until it does."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.eventloop.threads import Inbox
from bootstrap.logs import log

NUMBERS = itertools.count(1)  # one for each device of a process
RETRY_S = 1.0

Tell = Callable[[str | None], None]


def ignore(_why: str) -> None:
    """Do nothing about a level that was not taken: nobody owns this line yet."""


class UnwrittenOutputs:
    """Sets the outputs of one device to their safe values after one could not be set, again and again until it works.

    A line that could not be switched off may still be on, and the call that tried it is over.
    """

    def __init__(self, loop: Loop, inbox: Inbox, make_safe: Callable[[], None], tell: Tell) -> None:
        """Call `tell` with what is wrong, and with None once the outputs are safe."""
        self._loop, self._inbox, self._make_safe, self._tell = loop, inbox, make_safe, tell
        self._message = f"unwritten {next(NUMBERS)}"
        self._timer: Timer | None = None
        self._closed = False
        inbox.on(self._message, self._noticed)

    def watch(self, device: Any) -> None:  # noqa: ANN401 - gpiozero has no types
        """Notice each level that the lines of this output do not take, from whichever thread it was set."""
        for line in _lines(device):
            line.on_unwritten = lambda why: self._inbox.post(self._message, why.encode(errors="replace"))

    def _noticed(self, why: bytes) -> None:
        if self._timer is None and not self._closed:  # once the lines are released, nobody knows what they do
            text = f"an output could not be set: {why.decode()}; all are set to their safe values once that works"
            log.error("an output could not be set; trying to make all safe until that works", error=why.decode())
            self._timer = self._loop.call_later(0, self._try_again)
            self._tell(text)

    def _try_again(self) -> None:
        try:
            self._make_safe()
        except OSError:
            self._timer = self._loop.call_later(RETRY_S, self._try_again)
        else:
            self._timer = None
            log.info("all outputs are at their safe values")
            self._tell(None)

    def close(self) -> None:
        """Try no more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()


def _lines(device: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    """Yield what tells of levels that were not taken: a device itself, or the pins of which it is made."""
    yield from (one for one in (device, getattr(device, "pin", None)) if hasattr(one, "on_unwritten"))
    for part in device if isinstance(device, Iterable) else ():
        yield from _lines(part)
