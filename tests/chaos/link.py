"""A wire to the broker that is as bad as networks are."""

import socket
import time
from enum import StrEnum

from support.faults.wire import Wire

SLOW_S = 0.3


class Mode(StrEnum):
    """What the link does to all connections."""

    WELL = "well"
    SLOW = "slow"  # each piece is late
    SILENT = "silent"  # nothing passes, nobody is told; later it goes on
    RESET = "reset"  # what there is breaks, and what is new is accepted and reset
    CORRUPT = "corrupt"  # a byte of each piece is another


class Link(Wire):
    """Forwards a port of its own to the broker's."""

    _mode = Mode.WELL

    def be(self, mode: Mode) -> None:
        """Treat all connections like this from now on."""
        self._mode = mode
        if mode is Mode.SILENT:
            self.cut()
        else:
            self.mend()
        if mode is Mode.RESET:
            self.break_all()

    def _join(self, client: socket.socket) -> None:
        if self._mode is Mode.RESET:
            client.close()
        else:
            super()._join(client)

    def _passing(self, data: bytes) -> bytes:
        if self._mode is Mode.SLOW:
            time.sleep(SLOW_S)
        if self._mode is Mode.CORRUPT:
            return data[:-1] + bytes([data[-1] ^ 0x55])
        return data
