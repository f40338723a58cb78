"""Topic filters: which are any, and which match the same topics."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from bootstrap.contract.topic_filters import a_filter, covers, none_twice, overlap, without_covered

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
    with pytest.raises(ValueError, match=r"such as 'a/\+' and '\+/b'"):
        none_twice(["a/+", "c", "+/b"])


@given(levels, filters, filters)
def test_what_a_covered_filter_matches_the_covering_one_matches(
    topic: list[str], one: list[str], other: list[str]
) -> None:
    if covers("/".join(one), "/".join(other)) and covers("/".join(other), "/".join(topic)):
        assert covers("/".join(one), "/".join(topic))


@given(levels, filters)
def test_a_topic_is_covered_by_what_it_matches(topic: list[str], one: list[str]) -> None:
    assert covers("/".join(one), "/".join(topic)) == topic_matches_sub("/".join(one), "/".join(topic))


def test_topics_of_the_broker_itself_are_covered_only_by_name() -> None:
    assert not covers("#", "$SYS/load")
    assert not covers("+/load", "$SYS/load")
    assert covers("$SYS/#", "$SYS/load")


def test_a_topic_of_very_many_levels_is_compared_like_any_other() -> None:
    assert covers("a/#", "a" + "/" * 60_000)
    assert not covers("a/+", "a" + "/" * 60_000)


def test_of_filters_that_cover_each_other_one_is_left() -> None:
    assert without_covered(["a/b", "a/+", "c", "a/b/#", "c", "+/x"]) == ["a/+", "c", "a/b/#", "+/x"]
