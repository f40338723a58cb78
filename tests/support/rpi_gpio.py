"""What RPi.GPIO offers, on lines that exist only here: stands in for the module that drives real ones.

Edges are told in a thread of their own, and what the real one refuses is refused, as far as gpiozero asks for it.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

BCM, BOARD = 11, 10
OUT, IN, SERIAL, SPI, I2C, HARD_PWM, UNKNOWN = 0, 1, 40, 41, 42, 43, -1
PUD_OFF, PUD_DOWN, PUD_UP = 20, 21, 22
RISING, FALLING, BOTH = 31, 32, 33
NO_BOUNCE = -666


@dataclass
class Line:
    """One line of the header, and all that it was set to."""

    level: bool = False
    function: int = IN
    pull: int = PUD_OFF
    bounce_ms: int | None = None
    told: Callable[[int], None] | None = None
    outputs: list[bool] = field(default_factory=list)


lines: dict[int, Line] = {}


def drive(channel: int, level: bool) -> None:
    """Pull a line from outside."""
    line = lines[channel]
    line.level = level
    if line.told:
        teller = threading.Thread(target=line.told, args=(channel,))
        teller.start()
        teller.join()


def setmode(mode: int) -> None:
    assert mode == BCM


def setwarnings(_on: bool) -> None: ...


def setup(channel: int, direction: int, pull_up_down: int = PUD_OFF, initial: bool | None = None) -> None:
    line = lines.setdefault(channel, Line())
    if direction == OUT and pull_up_down != PUD_OFF:
        raise ValueError("pull_up_down parameter is not valid for outputs")
    line.function, line.pull = direction, pull_up_down
    if pull_up_down != PUD_OFF:
        line.level = pull_up_down == PUD_UP
    if initial is not None:
        output(channel, initial)


def gpio_function(channel: int) -> int:
    return lines[channel].function


def input(channel: int) -> bool:  # noqa: A001 - its name there
    return lines[channel].level


def output(channel: int, value: float) -> None:
    line = lines[channel]
    if line.function != OUT:
        raise RuntimeError("The GPIO channel has not been set up as an OUTPUT")
    line.level = bool(value)
    line.outputs.append(line.level)


def add_event_detect(channel: int, _edge: int, callback: Callable[[int], None], bouncetime: int) -> None:
    if bouncetime != NO_BOUNCE and bouncetime <= 0:
        raise ValueError("Bouncetime must be greater than 0")
    lines[channel].told, lines[channel].bounce_ms = callback, bouncetime


def remove_event_detect(channel: int) -> None:
    lines[channel].told = None


def cleanup(channel: int | None = None) -> None:
    for line in lines.values() if channel is None else [lines[channel]]:
        line.function, line.pull, line.told = IN, PUD_OFF, None
