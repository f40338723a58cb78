"""The `kernel` pin factory: gpiozero on the kernel's own line interface, through libgpiod 2.

An edge carries the kernel's time, is debounced by the kernel, and waits in the kernel until the loop reads it: there is
no thread, and nothing wakes up while nothing happens.
"""

from datetime import timedelta
from typing import Any, cast

import gpiod
from gpiod.line import Bias, Direction, Edge, Value
from gpiozero.exc import PinFixedPull, PinInvalidBounce, PinInvalidFunction, PinInvalidPull, PinSetInput
from gpiozero.pins.local import LocalPiFactory, LocalPiPin

from bootstrap.eventloop.loop import Loop
from bootstrap.logs import log
from bootstrap.pins.header import header_chip, request_line
from bootstrap.pins.lent_line import LentLine
from bootstrap.pins.software_pwm import SoftwarePwm
from bootstrap.pins.unwritten_outputs import ignore

BIASES = {"up": Bias.PULL_UP, "down": Bias.PULL_DOWN, "floating": Bias.DISABLED}
EDGES = {"both": Edge.BOTH, "rising": Edge.RISING, "falling": Edge.FALLING}


class KernelFactory(LocalPiFactory):  # type: ignore[misc]  # gpiozero has no types
    """Provides the lines of the header's chip."""

    def __init__(self) -> None:
        super().__init__()
        self.chip = header_chip()
        self.pin_class = KernelPin

    def close(self) -> None:
        """Release every line."""
        super().close()
        self.chip.close()

    def request(self, number: int, settings: gpiod.LineSettings) -> gpiod.LineRequest:
        """Request a line.

        Raises:
            OSError: it is in use; the message says by whom.
        """
        return request_line(self.chip, number, settings)


class KernelPin(LocalPiPin):  # type: ignore[misc]  # gpiozero has no types
    """One line. `edge_ns` is the time of the edge being delivered, on the monotonic clock."""

    def __init__(self, factory: KernelFactory, info: Any) -> None:  # noqa: ANN401 - gpiozero has no types
        super().__init__(factory, info)
        self._request: gpiod.LineRequest | None = None
        self._loop: Loop | None = None
        self._pwm: SoftwarePwm | None = None
        self.on_unwritten = ignore
        self._reset()

    def _reset(self) -> None:
        """Forget the configuration: gpiozero may open a pin again after `close`."""
        self._direction, self._bias = Direction.AS_IS, Bias.AS_IS
        self._edge, self._edges = Edge.NONE, "both"
        self._bounce_s: float | None = None
        self._sequence = 0
        self.edge_ns = 0

    def _configure(self, value: Value = Value.INACTIVE) -> None:
        """Configure the line in the kernel."""
        if self._direction is Direction.OUTPUT:
            settings = gpiod.LineSettings(direction=self._direction, output_value=value)
        else:
            bounce = timedelta(seconds=self._bounce_s or 0)
            settings = gpiod.LineSettings(
                direction=self._direction, bias=self._bias, edge_detection=self._edge, debounce_period=bounce
            )
        if self._request is None:
            self._request = self._factory.request(self._number, settings)
        else:
            self._request.reconfigure_lines({self._number: settings})

    def close(self) -> None:
        """Release the line; what it does then depends on the hardware."""
        self.frequency = None
        self._when_changed = None
        if self._request is not None:
            if self._loop is not None:
                self._loop.remove_reader(self._request.fd)
            self._request.release()
        self._request = self._loop = None
        self._reset()

    # What gpiozero requires of a pin.

    def _get_function(self) -> str:
        return "output" if self._direction is Direction.OUTPUT else "input"

    def _set_function(self, value: str) -> None:
        if value not in ("input", "output"):
            raise PinInvalidFunction(f"invalid function {value!r} for {self!r}")
        level = Value.INACTIVE
        if value == "output":
            level = Value(int(self._level()))  # keep its level until one is set
        self._direction = Direction.OUTPUT if value == "output" else Direction.INPUT
        self._configure(level)

    def output_with_state(self, state: bool) -> None:
        """Make the line an output that has this level from the start."""
        self._direction = Direction.OUTPUT
        self._configure(Value(int(state)))

    def _requested(self) -> gpiod.LineRequest:
        """Return the line, requesting it on first use."""
        if self._request is None:
            self._configure()
        return cast("gpiod.LineRequest", self._request)

    def _level(self) -> bool:
        return self._requested().get_value(self._number) is Value.ACTIVE

    def _get_state(self) -> float:
        return self._pwm.duty if self._pwm else self._level()

    def _set_state(self, value: float) -> None:
        if self._direction is not Direction.OUTPUT:
            raise PinSetInput(f"cannot set the state of {self!r}, which is an input")
        if self._pwm:
            self._pwm.set(value)
        else:
            self._write(bool(value))

    def _write(self, level: bool) -> None:
        try:
            self._requested().set_value(self._number, Value(int(level)))
        except OSError as error:
            self.on_unwritten(str(error))
            raise

    def _get_pull(self) -> str:
        return next((name for name, bias in BIASES.items() if bias is self._bias), "floating")

    def _set_pull(self, value: str) -> None:
        if self._direction is Direction.OUTPUT:
            raise PinFixedPull(f"cannot set a pull on {self!r}, which is an output")
        if self._info.pull not in (value, ""):
            raise PinFixedPull(f"{self!r} has a pull-{self._info.pull} resistor on the board")
        if value not in BIASES:
            raise PinInvalidPull(f"invalid pull {value!r} for {self!r}")
        self._bias = BIASES[value]
        self._configure()

    def _get_frequency(self) -> float | None:
        return self._pwm.frequency if self._pwm else None

    def _set_frequency(self, value: float | None) -> None:
        duty = self._get_state() if self._direction is Direction.OUTPUT else 0.0  # its level stays until one is set
        if self._pwm:
            self._pwm.close()
            self._pwm = None
        if value:
            self._pwm = SoftwarePwm(self._write, value, duty)

    def _get_bounce(self) -> float | None:
        return self._bounce_s

    def _set_bounce(self, value: float | None) -> None:
        if value is not None and value < 0:
            raise PinInvalidBounce("bounce must be 0 or more")
        self._bounce_s = value
        self._configure()

    def _get_edges(self) -> str:
        return self._edges

    def _set_edges(self, value: str) -> None:
        self._edges = value
        if self._edge is not Edge.NONE:
            self._enable_event_detect()

    def _enable_event_detect(self) -> None:
        self._edge = EDGES[self._edges]
        self._configure()

    def _disable_event_detect(self) -> None:
        self._edge = Edge.NONE
        if self._request is not None:
            self._configure()

    def lend(self) -> LentLine:
        """Lend the line to a child process."""
        return LentLine("gpio", self._requested().fd)

    # What the loop requires.

    def attach(self, loop: Loop) -> None:
        """Deliver edges in this loop."""
        self._loop = loop
        loop.add_reader(self._requested().fd, self._read)

    def _read(self, _events: int) -> None:
        for event in self._requested().read_edge_events():
            if self._when_changed is None:
                return  # the previous edge made the device release its line
            if event.line_seqno > self._sequence + 1:
                log.error("edges were lost: they were read too slowly", lost=event.line_seqno - self._sequence - 1)
            self._sequence, self.edge_ns = event.line_seqno, event.timestamp_ns
            rising = event.event_type is event.Type.RISING_EDGE
            self._call_when_changed(event.timestamp_ns / 1e9, rising)
