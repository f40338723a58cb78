"""A TCP link to the broker that is as bad as networks are."""

import contextlib
import socket
import threading
import time
from enum import StrEnum

SLOW_S = 0.3


class Mode(StrEnum):
    """What the link does to all connections."""

    WELL = "well"
    SLOW = "slow"  # each piece is late
    SILENT = "silent"  # nothing passes, nobody is told; later it goes on
    RESET = "reset"  # what there is breaks, and what is new is accepted and reset
    CORRUPT = "corrupt"  # a byte of each piece is another


class Link:
    """Forwards a port of its own to the broker's."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._change = threading.Condition()
        self._mode = Mode.WELL
        self._open = True
        self._ends: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def be(self, mode: Mode) -> None:
        """Treat all connections like this from now on."""
        with self._change:
            self._mode = mode
            self._change.notify_all()
        if mode is Mode.RESET:
            self._break()

    def _break(self) -> None:
        for end in list(self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while self._open:
                client = self._listener.accept()[0]
                broker = socket.socket()
                if self._mode is Mode.RESET or broker.connect_ex(("127.0.0.1", self._to)):
                    client.close()
                    broker.close()
                    continue
                self._ends |= {client, broker}
                for source, to in ((client, broker), (broker, client)):
                    self._threads.append(threading.Thread(target=self._carry, args=(source, to)))
                    self._threads[-1].start()

    def _carry(self, source: socket.socket, to: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65_536):
                with self._change:
                    self._change.wait_for(lambda: self._mode is not Mode.SILENT)
                if self._mode is Mode.SLOW:
                    time.sleep(SLOW_S)
                if self._mode is Mode.CORRUPT:
                    piece = piece[:-1] + bytes([piece[-1] ^ 0x55])
                to.sendall(piece)
        for end in (source, to):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Break everything; returns once it is gone."""
        self._open = False
        self.be(Mode.RESET)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in (self._listener, *self._ends):
            end.close()
