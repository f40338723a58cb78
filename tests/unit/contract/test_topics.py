import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.contract.topics import Kind, Topic, Topics

ids = st.text("abcXYZ019-_", min_size=1, max_size=64)


@given(ids, ids, st.sampled_from(Kind), ids)
def test_a_topic_is_its_levels(group: str, sensor: str, kind: Kind, name: str) -> None:
    assert str(Topic(group, sensor, kind, name)).split("/") == [group, sensor, kind, name]


@given(st.text(), st.text(), st.text(), st.text())
def test_an_illegal_topic_cannot_be_constructed(group: str, sensor: str, kind: str, name: str) -> None:
    """Whatever can be constructed is legal by MQTT's rules and ours."""
    try:
        topic = Topic(group, sensor, kind, name)
    except ValueError:
        return
    assert not set(str(topic)) & set("+#\0 ")
    assert str(topic).isascii()
    assert str(topic).count("/") == 3


@pytest.mark.parametrize("level", ["", "a b", "a/b", "a+b", "#", "ä", "a\n", "x" * 65, "٣"])
def test_an_illegal_level_is_refused_wherever_it_stands(level: str) -> None:
    with pytest.raises(ValueError, match="in a topic must be"):
        Topics(level, "cellar")
    with pytest.raises(ValueError, match="in a topic must be"):
        Topics("cm", level)
    with pytest.raises(ValueError, match="in a topic must be"):
        Topics("cm", "cellar").data(level)


def test_the_topics_of_a_sensor() -> None:
    topics = Topics("cm", "alecto1")
    assert topics.data("temperature") == "cm/alecto1/data/temperature"
    assert topics.status("heartbeat") == "cm/alecto1/status/heartbeat"
    assert (topics.client_id, topics.commands) == ("cm/alecto1", "cm/alecto1/action/+")
