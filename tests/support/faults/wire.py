"""A wire between a daemon and its broker that can be cut: nothing passes any more, and nobody is told."""

import contextlib
import socket
import threading


class Wire:
    """Forwards a port of its own to the broker's, until it is told otherwise. What is held meanwhile waits."""

    def __init__(self, to: int, port: int = 0) -> None:
        self._to = to
        self._up, self._down = threading.Event(), threading.Event()
        self._ends: list[socket.socket] = []  # of the connections that are open
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self.mend()
        self._begin(self._accept, self._listener)

    def _begin(self, what: object, *arguments: object) -> None:
        thread = threading.Thread(target=what, args=arguments)  # type: ignore[arg-type]
        thread.start()
        with self._lock:
            self._threads = [*(other for other in self._threads if other.is_alive()), thread]

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._join(listener.accept()[0])

    def _join(self, client: socket.socket) -> None:
        broker = socket.socket()
        with self._lock:
            self._ends += [client, broker]
        if broker.connect_ex(("127.0.0.1", self._to)):
            self._forget(client, broker)
            return
        for end in (client, broker):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._begin(self._carry_both, client, broker)

    def _forget(self, *ends: socket.socket) -> None:
        with self._lock:
            self._ends = [end for end in self._ends if end not in ends]
        for end in ends:
            end.close()

    def _carry_both(self, client: socket.socket, broker: socket.socket) -> None:
        """Until both directions have ended; then nothing of the connection is left, however many there were."""
        down = threading.Thread(target=self._carry, args=(broker, client, self._down))
        down.start()
        self._carry(client, broker, self._up)
        down.join()
        self._forget(client, broker)

    def _carry(self, source: socket.socket, to: socket.socket, passes: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                passes.wait()
                to.sendall(self._passing(data))
        passes.wait()  # not even the end of a connection is heard over a wire that is cut
        for end in (source, to):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _passing(self, data: bytes) -> bytes:
        """What becomes of a piece on its way."""
        return data

    def cut(self, *, up: bool = True, down: bool = True) -> None:
        """Let nothing pass any more, towards the broker, from it, or both."""
        for passes, ends in ((self._up, up), (self._down, down)):
            if ends:
                passes.clear()

    def mend(self) -> None:
        """Let everything pass again."""
        self._up.set()
        self._down.set()

    def refuse(self) -> None:
        """Break every connection and close the port: whoever comes is refused."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.break_all()
        self.mend()

    def break_all(self) -> None:
        """Break every connection; whoever comes is joined to the broker again."""
        for end in list(self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept(self) -> None:
        """Open the same port again."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._begin(self._accept, self._listener)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.refuse()
        while self._threads:
            self._threads.pop().join()
