"""The supervisor's socket: requests that are slow to come, and answers that are."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bootstrap.eventloop.loop import Loop
from bootstrap.supervisor import control_socket
from bootstrap.supervisor.control_socket import ControlServer, ask
from support.world import PATIENCE_S, eventually

Answer: TypeAlias = dict[str, Any]
TURN_S = 0.02  # a thread that has what it asked for does not wake the loop


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def serve(loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """A server that answers after so many seconds, and has little patience with whoever asks."""
    monkeypatch.setattr(control_socket, "PATIENCE_S", 0.2)
    servers = []

    def start(after_s: float) -> None:
        def reply(_request: Answer, answer: Callable[[Answer], None]) -> None:
            loop.call_later(after_s, lambda: answer({"well": True}))

        servers.append(ControlServer(loop, tmp_path, reply))

    yield start
    for server in servers:
        server.close()


def asked(loop: Loop, call: Callable[[], Any]) -> Any:
    """What a thread gets while the loop turns."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(call()), daemon=True)
    thread.start()
    eventually(lambda: loop.run(lambda: bool(found), TURN_S), "it is answered")
    thread.join(PATIENCE_S)
    return found[0]


def test_an_answer_may_take_longer_than_the_request(loop: Loop, tmp_path: Path, serve: Callable[..., None]) -> None:
    serve(after_s=0.6)
    assert asked(loop, lambda: ask(tmp_path, {"do": "stop"}, PATIENCE_S)) == {"well": True}


def test_whoever_asks_nothing_is_not_waited_for(loop: Loop, tmp_path: Path, serve: Callable[..., None]) -> None:
    serve(after_s=0)

    def dawdle() -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(tmp_path / control_socket.SOCKET))
            return connection.recv(100)

    assert asked(loop, dawdle) == b""


@pytest.mark.parametrize("words", [b"no json", b"[1]", b"\xff", b"[" * 5000])
def test_what_is_no_request_is_answered(loop: Loop, tmp_path: Path, serve: Callable[..., None], words: bytes) -> None:
    serve(after_s=0)

    def ramble() -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(tmp_path / control_socket.SOCKET))
            connection.sendall(words)
            connection.shutdown(socket.SHUT_WR)
            found: dict[str, Any] = json.loads(connection.makefile("rb").read())
            return found

    assert asked(loop, ramble) == {"error": "a request must be a JSON object", "exit": 1}
