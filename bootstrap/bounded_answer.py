"""HTTP answers that must be complete in time. The timeout of a socket alone begins again with every byte."""

import http.client
import io
import socket
import time
from typing import Any


class BoundedAnswer(http.client.HTTPResponse):
    """An answer of which all must arrive within the timeout that the connection has."""

    def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:  # noqa: ANN401 - as the library passes them
        super().__init__(sock, *args, **more)
        limit_s = sock.gettimeout()
        if limit_s:
            self.fp = io.BufferedReader(_BoundedReader(self.fp.detach(), sock, limit_s))


class _BoundedReader(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, sock: socket.socket, limit_s: float) -> None:
        self._raw, self._sock, self._limit_s = raw, sock, limit_s
        self._until = time.monotonic() + limit_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - any buffer
        """Read what has come, as long as there is time left for the whole."""
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError(f"the answer is not complete after {self._limit_s:g} s")
        self._sock.settimeout(left_s)
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
