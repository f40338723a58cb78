"""The `simulated` pin factory: gpiozero on a folder of simulated lines, on any machine."""

import os
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from gpiozero.exc import PinFixedPull, PinInvalidFunction, PinInvalidPull, PinSetInput
from gpiozero.pins.local import LocalPiFactory, LocalPiPin

from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.pins.lent_line import LentLine
from bootstrap.pins.simulated_lines import SimulatedLine
from bootstrap.pins.unwritten_outputs import ignore

if TYPE_CHECKING:
    import socket

REVISION = 0xC03111  # a Pi 4B, which has the current header


class SimulatedFactory(LocalPiFactory):  # type: ignore[misc]  # gpiozero has no types
    """Provides the lines of a folder."""

    def __init__(self) -> None:
        super().__init__()
        self.pin_class = SimulatedPin
        # gpiozero shares the pins of all local factories; what another one left stands for lines of another folder.
        self.pins: dict[Any, SimulatedPin] = {}
        self._reservations: dict[Any, list[Any]] = defaultdict(list)

    def _get_revision(self) -> int:
        return REVISION


class SimulatedPin(LocalPiPin):  # type: ignore[misc]  # gpiozero has no types
    """One line. `edge_ns` is the time of the edge being delivered, on the monotonic clock."""

    def __init__(self, factory: SimulatedFactory, info: Any) -> None:  # noqa: ANN401 - gpiozero has no types
        super().__init__(factory, info)
        self._line = SimulatedLine(self._number)
        self._held: int | None = None
        self._socket: socket.socket | None = None
        self._loop: Loop | None = None
        self._settling: Timer | None = None
        self.on_unwritten = ignore
        self._reset()

    def _reset(self) -> None:
        """Forget the configuration: gpiozero may open a pin again after `close`."""
        self._function, self._pull, self._edges = "input", "floating", "both"
        self._output = 0.0
        self._frequency: float | None = None
        self._bounce_s: float | None = None
        self._raw = self._settled = False
        self.edge_ns = 0

    def _hold(self) -> None:
        if self._held is None:
            self._held = self._line.hold()
        pull = "" if self._pull == "floating" else self._pull
        self._line.write_state(self._held, f"{float(self._output):.4g}" if self._function == "output" else pull)

    def lend(self) -> LentLine:
        """Lend the line to a child process."""
        self._hold()
        assert self._held is not None  # noqa: S101 - `_hold` has just opened it
        return LentLine("file", self._held, self._line.trace)

    def close(self) -> None:
        """Release the line."""
        self._disable_event_detect()
        self._when_changed = None
        if self._held is not None:
            os.close(self._held)
        self._held = self._loop = None
        self._reset()

    # What gpiozero requires of a pin.

    def _get_function(self) -> str:
        return self._function

    def _set_function(self, value: str) -> None:
        if value not in ("input", "output"):
            raise PinInvalidFunction(f"invalid function {value!r} for {self!r}")
        self._function = value
        self._hold()

    def _input(self) -> bool:
        driven = self._line.driven()
        return self._pull == "up" if driven is None else driven

    def _get_state(self) -> float:
        if self._function == "output":
            return self._output
        return self._settled if self._bounce_s and self._loop else self._input()

    def _set_state(self, value: float) -> None:
        if self._function != "output":
            raise PinSetInput(f"cannot set the state of {self!r}, which is an input")
        before, self._output = self._output, value
        try:
            self._hold()
        except OSError as error:
            self._output = before
            self.on_unwritten(str(error))
            raise
        self._line.note(value)

    def _get_pull(self) -> str:
        return self._pull

    def _set_pull(self, value: str) -> None:
        if self._function != "input":
            raise PinFixedPull(f"cannot set a pull on {self!r}, which is an output")
        if value not in ("up", "down", "floating"):
            raise PinInvalidPull(f"invalid pull {value!r} for {self!r}")
        self._pull = value
        self._hold()

    def _get_frequency(self) -> float | None:
        return self._frequency

    def _set_frequency(self, value: float | None) -> None:
        self._frequency = value

    def _get_bounce(self) -> float | None:
        return self._bounce_s

    def _set_bounce(self, value: float | None) -> None:
        self._bounce_s = value

    def _get_edges(self) -> str:
        return self._edges

    def _set_edges(self, value: str) -> None:
        self._edges = value

    def _enable_event_detect(self) -> None:
        self._socket = self._line.listen()
        self._raw = self._settled = self._input()

    def _disable_event_detect(self) -> None:
        if self._socket is None:
            return
        if self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
        if self._settling is not None:
            self._settling.cancel()
        self._socket.close()
        self._socket = None
        self._line.poke.unlink(missing_ok=True)

    # What the loop requires.

    def attach(self, loop: Loop) -> None:
        """Deliver edges in this loop."""
        if self._socket is not None:
            self._loop = loop
            loop.add_reader(self._socket.fileno(), self._read)

    def _read(self, _events: int) -> None:
        if self._socket is not None:
            for level, moment_ns in SimulatedLine.changes(self._socket):
                self._changed(self._pull == "up" if level is None else level, moment_ns)

    def _changed(self, level: bool, moment_ns: int) -> None:
        """Report a change at once, or once it has settled: a level that bounces back is not a change."""
        self._raw = level
        if not self._bounce_s or self._loop is None:
            self._report(moment_ns)
            return
        if self._settling is not None:
            self._settling.cancel()
        self._settling = self._loop.call_later(self._bounce_s, lambda: self._report(time.monotonic_ns()))

    def _report(self, moment_ns: int) -> None:
        if self._raw == self._settled:
            return
        self._settled, self.edge_ns = self._raw, moment_ns
        if self._edges in ("both", "rising" if self._raw else "falling"):
            self._call_when_changed(moment_ns / 1e9, self._raw)
