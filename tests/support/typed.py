"""`penates` as a program that a shell runs, without the imports of each start: the warm process forks it."""

import os
import socket
import sys
import threading
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from support.warm import run

LARGEST = 65_536
CLIENT = """#!{python} -IS
import socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
    server.connect("\\0{address}")
    socket.send_fds(server, ["\\0".join(sys.argv[1:]).encode()], [0, 1, 2])
    sys.exit(int(server.recv(16) or 1))
"""
PATIENCE_S = 300


class TypedPenates:
    """The program at a path; each call of it is a process with this environment, in the test's own folder."""

    def __init__(self, program: Path, env: Mapping[str, str]) -> None:
        self._env, address = {**env}, f"penates-{uuid.uuid4().hex}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.bind(f"\0{address}")
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        program.write_text(CLIENT.format(python=sys.executable, address=address))
        program.chmod(0o755)

    def _serve(self) -> None:
        with self._socket:
            while True:
                caller, _ = self._socket.accept()
                request, streams, *_ = socket.recv_fds(caller, LARGEST, 3)
                if not request:
                    caller.close()
                    return
                threading.Thread(target=self._answer, args=(caller, request, streams)).start()

    def _answer(self, caller: socket.socket, request: bytes, streams: list[int]) -> None:
        done = run(["-m", "penates", *request.decode().split("\0")], self._env, PATIENCE_S)
        for stream, said in zip(streams, ("", done.stdout, done.stderr), strict=True):
            if said:
                with suppress(BrokenPipeError):  # who called may be gone, as a script is after Ctrl-C
                    os.write(stream, said.encode())
            os.close(stream)
        with caller, suppress(BrokenPipeError):
            caller.send(str(done.returncode).encode())

    def close(self) -> None:
        """Serve no more calls; those that run go on."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as last:
            last.connect(self._socket.getsockname())
        self._thread.join()
