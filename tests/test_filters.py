"""Topic filters: which are any, which match the same topics, and what a session at the broker still has."""

import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from bootstrap.contract.topic_filters import a_filter, none_twice, overlap
from bootstrap.history.session_memory import SessionMemory

levels = st.lists(st.sampled_from(["a", "b", ""]), min_size=1, max_size=4)
filters = st.tuples(st.lists(st.sampled_from(["a", "b", "", "+"]), max_size=3), st.sampled_from(["a", "+", "#"])).map(
    lambda parts: [*parts[0], parts[1]]
)


@given(levels, filters, filters)
def test_what_one_topic_matches_overlaps(topic: list[str], one: list[str], other: list[str]) -> None:
    if all(topic_matches_sub("/".join(filter_), "/".join(topic)) for filter_ in (one, other)):
        assert overlap(one, other)


@given(filters, filters)
def test_what_overlaps_has_a_topic_that_matches_both(one: list[str], other: list[str]) -> None:
    longest = max(len(one), len(other))
    padded = [
        [*filter_[:-1], *["+"] * (longest - len(filter_) + 1)] if filter_[-1] == "#" else filter_
        for filter_ in (one, other)
    ]
    if overlap(one, other) and len(padded[0]) == len(padded[1]):
        topic = [second if first == "+" else first for first, second in zip(*padded, strict=True)]
        topic = ["a" if level in "+#" and level else level for level in topic]
        assert all(topic_matches_sub("/".join(filter_), "/".join(topic)) for filter_ in (one, other))


@pytest.mark.parametrize("text", ["a", "a/b", "+", "#", "/", "a//b", "+/b/#", "$SYS/broker/uptime", "a b/ä"])
def test_a_filter(text: str) -> None:
    a_filter(text)


@pytest.mark.parametrize("text", ["#/a", "a#", "a/b+", "a/#/b", "+a", "$share/a/b", "a\nb", "a\0", "x" * 65_536])
def test_no_filter(text: str) -> None:
    with pytest.raises(ValueError, match="topic filter"):
        a_filter(text)


def test_two_that_overlap_are_named() -> None:
    none_twice(["a/+", "b/+", "a/b/c"])
    none_twice("a/+")
    with pytest.raises(ValueError, match=r"as 'a/\+' and '\+/b' do"):
        none_twice(["a/+", "c", "+/b"])


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
