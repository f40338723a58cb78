import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.topics import Kind, Topic, Topics

ids = st.text("abcXYZ019-_", min_size=1, max_size=64)


@given(ids, ids, st.sampled_from(Kind), ids)
def test_a_topic_reads_back_as_itself(group: str, sensor: str, kind: Kind, name: str) -> None:
    topic = Topic(group, sensor, kind, name)
    assert Topic.parse(str(topic)) == topic
    assert str(topic).split("/") == [group, sensor, kind, name]


@given(st.text())
def test_an_illegal_topic_cannot_be_constructed(text: str) -> None:
    """Whatever parses is legal by MQTT's rules and ours, and is what was said."""
    try:
        topic = Topic.parse(text)
    except ValueError:
        return
    assert str(topic) == text
    assert not set(text) & set("+#\0 ")
    assert text.isascii()


@pytest.mark.parametrize("level", ["", "a b", "a/b", "a+b", "#", "ä", "a\n", "x" * 65, "٣"])
def test_an_illegal_level_is_refused_wherever_it_stands(level: str) -> None:
    with pytest.raises(ValueError, match="in a topic must be"):
        Topics(level, "cellar")
    with pytest.raises(ValueError, match="in a topic must be"):
        Topics("cm", level)
    with pytest.raises(ValueError, match="in a topic must be"):
        Topics("cm", "cellar").data(level)


@pytest.mark.parametrize("text", ["cm/cellar/data", "cm/cellar/data/a/b", "cm/cellar/date/a", ""])
def test_what_is_not_of_our_form_does_not_parse(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        Topic.parse(text)


def test_the_topics_of_a_sensor() -> None:
    topics = Topics("cm", "alecto1")
    assert topics.data("temperature") == "cm/alecto1/data/temperature"
    assert topics.status("heartbeat") == "cm/alecto1/status/heartbeat"
    assert topics.action("set") == "cm/alecto1/action/set"
    assert (topics.client_id, topics.commands) == ("cm/alecto1", "cm/alecto1/action/+")
