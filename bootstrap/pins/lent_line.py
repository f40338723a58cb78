"""A line that is lent to a child process, which sets its level without gpiozero."""

from pathlib import Path
from typing import Any, NamedTuple

from bootstrap.errors import Exit, Fatal


class LentLine(NamedTuple):
    """A line that its holder has requested, for a child that inherits its descriptor.

    Attributes:
        how: the way to set its level: `gpio`, the kernel's request of one line; `file`, a simulated line.
        descriptor: that of the request, or of the file.
        trace: of a simulated line, the file in which edges and their times are noted if it is there.
    """

    how: str
    descriptor: int
    trace: Path | None = None


def lend(device: Any) -> LentLine:  # noqa: ANN401 - gpiozero has no types
    """Return the line of a gpiozero device.

    Raises:
        Fatal: its pin factory cannot lend lines.
    """
    if not hasattr(device.pin, "lend"):
        factory = type(device.pin.factory).__name__
        raise Fatal(Exit.SETTINGS, f"{factory} cannot send pulses: leave GPIOZERO_PIN_FACTORY unset")
    found: LentLine = device.pin.lend()
    return found
