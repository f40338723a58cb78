"""What every display can do, whatever its chip."""

from collections.abc import Sequence
from typing import Protocol

from bootstrap.display.bus_port import I2CPort


class Panel(Protocol):
    """A display. It is told what it is to show, and sends what differs from what it shows.

    Attributes:
        columns: characters in a line.
        rows: lines.
    """

    columns: int
    rows: int

    def fitted(self, lines: Sequence[str]) -> list[str]:
        """Return the lines as they will be readable: cut, and with other characters for those that it lacks."""

    def show(self, port: I2CPort, lines: Sequence[str], *, lit: bool, anew: bool) -> None:
        """Show these fitted lines, with or without light.

        Only what has changed is sent. `anew` sets the chip up and sends everything, because it may have lost its power.

        Raises:
            OSError: it does not answer. The next call begins anew.
        """
