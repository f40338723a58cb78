"""A receiver elsewhere in the network, in real time: it streams samples as `rtl_tcp` does, stalls, and hangs up."""

import queue
import socket
import threading
import time
from contextlib import suppress

from support.transmitters import RATE, Pulses, samples

GREETING = b"RTL0" + (5).to_bytes(4, "big") + (29).to_bytes(4, "big")  # a tuner R820T with 29 gains
CHUNK_S = 0.05
SILENCE = samples([], CHUNK_S)


class RtlTcp:
    """Serves one client after the other; what is sent while there is none waits."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._air: queue.Queue[bytes] = queue.Queue()
        self._flows, self._hangs_up, self._closed = threading.Event(), threading.Event(), threading.Event()
        self._flows.set()
        self.clients = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def input(self) -> str:
        """The setting by which a receiver hears it."""
        return f"rtl_tcp:127.0.0.1:{self.port}"

    def send(self, *transmissions: Pulses) -> None:
        """Transmit, in so much time as that takes."""
        for one in transmissions:
            self._air.put(samples([one], CHUNK_S))

    @property
    def idle(self) -> bool:
        """Whether all that was sent is on its way."""
        return self._air.empty()

    def stall(self) -> None:
        """Send nothing to the client that is there now, and keep the connection."""
        self._flows.clear()

    def hang_up(self) -> None:
        """Close the connection to the client that is there now."""
        self._hangs_up.set()

    def close(self) -> None:
        self._closed.set()
        self._flows.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.clients += 1
                self._hangs_up.clear()
                self._flows.set()
                with client, suppress(OSError):
                    client.sendall(GREETING)
                    self._stream(client)

    def _stream(self, client: socket.socket) -> None:
        due = time.monotonic()
        while not self._hangs_up.is_set() and not self._closed.is_set():
            if not self._flows.is_set():
                while client.recv(4096):  # it sends its settings, and then nothing until it ends
                    pass
                return
            chunk = self._air.get() if not self._air.empty() else SILENCE
            client.sendall(chunk)
            due += len(chunk) / 2 / RATE
            self._closed.wait(max(0.0, due - time.monotonic()))
