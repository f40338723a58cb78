"""What a session at the broker still has, as its client remembers it."""

import resource
from pathlib import Path

import pytest

from bootstrap.history.session_memory import SessionMemory


def test_a_session_keeps_what_was_wanted_until_the_broker_has_let_go_of_it(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "subscriptions.json"
    assert SessionMemory(file, ["a", "b"]).unwanted() == []
    for _ in range(2):  # the first time the broker does not answer
        session = SessionMemory(file, ["b", "c"])
        assert session.unwanted() == ["a"]
    session.renewed()
    assert SessionMemory(file, ["b", "c"]).unwanted() == []
    assert SessionMemory(file, []).unwanted() == ["b", "c"]


@pytest.mark.parametrize("text", ["", "{", "{}", "7", "[7, null]", "[" * 100_000])
def test_a_damaged_memory_is_begun_anew(tmp_path: Path, text: str) -> None:
    file = tmp_path / "subscriptions.json"
    file.write_text(text)
    session = SessionMemory(file, ["a"])
    assert session.unwanted() == []
    assert SessionMemory(file, []).unwanted() == ["a"]


def test_a_full_disk_makes_it_forget_nothing(tmp_path: Path) -> None:
    """Else a session at the broker would stay subscribed for ever to what nobody wants."""
    file = tmp_path / "subscriptions.json"
    SessionMemory(file, ["a"]).unwanted()
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))
    try:
        assert SessionMemory(file, ["b"]).unwanted() == ["a"]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert SessionMemory(file, ["b"]).unwanted() == ["a"]


def test_what_cannot_be_written_is_not_remembered(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    session = SessionMemory(tmp_path / "file" / "subscriptions.json", ["a"])
    assert session.unwanted() == []
    session.renewed()
