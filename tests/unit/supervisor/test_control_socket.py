"""The supervisor's socket: requests that are slow to come, and answers that are."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bootstrap.eventloop.loop import Loop
from bootstrap.supervisor import control_socket
from bootstrap.supervisor.control_socket import ControlServer, Unavailable, ask, problem_of
from support.world import PATIENCE_S, eventually

Answer: TypeAlias = dict[str, Any]
STRANGER = 54_321  # a user whom no machine has
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
            loop.call_later(after_s, lambda: answer({"sensors": []}))

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
    assert asked(loop, lambda: ask(tmp_path, {"do": "stop"}, PATIENCE_S)) == {"sensors": []}


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


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"do": "stop", "names": False}, "'names' must be a list of names; an empty one means all"),
        ({"do": "stop", "names": "lamp"}, "'names' must be a list of names; an empty one means all"),
        ({"do": "stop", "names": [""]}, "'names' must be a list of names; an empty one means all"),
        ({"do": "stop", "name": ["lamp"]}, "a request has no 'name'; it has do, house, names"),
        ({"do": ["stop"]}, "'do' and 'house' must be strings"),
        ({"do": "stop", "house": 3}, "'do' and 'house' must be strings"),
        ({"do": "stop", "names": ["lamp"], "house": "/etc/penates"}, ""),
        ({"do": "stop"}, ""),
    ],
)
def test_a_request_that_is_misspelt_is_not_one_for_all_sensors(request_: object, why: str) -> None:
    assert problem_of(request_) == why


def test_visitors_that_ask_nothing_shut_out_nobody(
    loop: Loop, tmp_path: Path, serve: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(after_s=0)
    monkeypatch.setattr(control_socket, "PATIENCE_S", 10 * PATIENCE_S)  # so that no time makes room for us
    with ExitStack() as stack:
        for _ in range(2 * control_socket.REQUESTS):
            visitor = stack.enter_context(socket.socket(socket.AF_UNIX))
            visitor.connect(str(tmp_path / control_socket.SOCKET))
            loop.run(lambda: False, 0)
        assert asked(loop, lambda: ask(tmp_path, {"do": "status"}, PATIENCE_S)) == {"sensors": []}


@pytest.mark.parametrize("answer", [b"[]", b'{"error": "x", "exit": "now"}', b'{"sensors": [3]}', b"3"])
def test_an_answer_that_no_supervisor_would_give_is_not_believed(tmp_path: Path, answer: bytes) -> None:
    with answering(tmp_path, answer), pytest.raises(Unavailable, match="answered what no supervisor would"):
        ask(tmp_path, {"do": "status"}, PATIENCE_S)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can have a socket of another user")
def test_a_socket_of_a_user_who_owns_nothing_here_is_not_asked(tmp_path: Path) -> None:
    os.chown(tmp_path, STRANGER - 1, STRANGER - 1)
    with answering(tmp_path, b'{"sensors": []}', STRANGER), pytest.raises(Unavailable, match=f"is of user {STRANGER}"):
        ask(tmp_path, {"do": "status"}, PATIENCE_S)
    os.chown(tmp_path, STRANGER, STRANGER)
    (tmp_path / control_socket.SOCKET).unlink()
    with answering(tmp_path, b'{"sensors": []}', STRANGER):  # such as the supervisor of an installed house
        assert ask(tmp_path, {"do": "status"}, PATIENCE_S) == {"sensors": []}


@contextmanager
def answering(folder: Path, answer: bytes, user: int | None = None) -> Iterator[None]:
    """A socket in this folder, of this user, that answers one visitor."""

    def reply() -> None:
        with listener.accept()[0] as connection, suppress(OSError):
            connection.recv(1000)
            connection.sendall(answer)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / control_socket.SOCKET))
        os.seteuid(user if user is not None else os.geteuid())
        listener.listen()  # the kernel notes who does that
        os.seteuid(os.getuid())
        thread = threading.Thread(target=reply, daemon=True)
        thread.start()
        yield
        thread.join(PATIENCE_S)
