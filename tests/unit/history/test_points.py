"""What is a reading, and which values are in what others publish."""

import json
from contextlib import closing, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.errors import Refused
from bootstrap.history.points import foreign, point
from bootstrap.history.sqlite.reader import SqliteReader
from bootstrap.history.sqlite.store import SqliteStore

TOPIC = "cm/attic/data/reading"
TIME_US = 1_795_206_667_123_456


def reading(seq: int, **fields: object) -> str:
    return json.dumps({"time": "2026-11-20T20:31:07.123456Z", "run": "r1", "seq": seq, **fields})


# What others say.


@pytest.mark.parametrize(
    ("topic", "payload", "sensor", "fields"),
    [
        ("a/b/c", b"1", "a/b", {"c": 1.0}),
        ("a/b", b"1", "a/a", {"b": 1.0}),
        ("a", b"false", "a/a", {"value": 0.0}),
        ("/a//b/", b"dry", "a/a", {"b": "dry"}),
        ("a/b/c/d", b"{'x'}", "a/b/c", {"d": "{'x'}"}),
        ("a/b", b'{"time":1,"kind":"x","x":{"time":2}}', "a/b", {"time_": 1.0, "kind_": "x", "x_time": 2.0}),
    ],
)
def test_where_a_foreign_value_belongs(topic: str, payload: bytes, sensor: str, fields: dict[str, object]) -> None:
    found = foreign(topic, payload, TIME_US)
    assert (found.sensor, found.time_us, found.fields) == (sensor, TIME_US, fields)


@pytest.mark.parametrize("payload", [b"", b"NaN", b"[]", b"{}", b'{"a":null}', b"\xff", b"[" * 70_000])
def test_what_is_no_value(payload: bytes) -> None:
    with pytest.raises(Refused):
        foreign("a/b", payload, TIME_US)


def test_a_topic_without_a_name_has_no_value() -> None:
    with pytest.raises(Refused):
        foreign("//", b"1", TIME_US)


@settings(max_examples=50, deadline=None)
@given(
    st.binary()
    | st.text().map(str.encode)
    | st.dictionaries(st.text(), st.floats() | st.text()).map(str).map(str.encode)
)
def test_any_foreign_payload_is_refused_or_has_values(payload: bytes) -> None:
    with suppress(Refused):
        assert all(isinstance(value, float | str) for value in foreign("a/b", payload, TIME_US).fields.values())


# What is a reading.


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"21.5", b"[]", b"{}", b"\xff", b"[" * 100_000),
        *(reading(1, nested={}).encode(), reading(1, nothing=None).encode(), reading(1, word="\ud800").encode()),
        *(
            reading(1).replace("2026", "20_6").encode(),
            reading(1).replace("1}", "1.5}").encode(),
            reading(2**63).encode(),
        ),
    ],
)
def test_what_is_no_reading(payload: bytes) -> None:
    with pytest.raises(Refused):
        point(TOPIC, payload)


@settings(max_examples=50, deadline=None)
@given(st.binary() | st.text().map(str.encode) | st.builds(reading, st.integers(), level=st.text()).map(str.encode))
def test_any_message_is_refused_or_can_be_stored(tmp_path_factory: pytest.TempPathFactory, payload: bytes) -> None:
    file = tmp_path_factory.mktemp("any") / "history.sqlite"
    with closing(SqliteStore(file, keep_days=36_500)) as store, closing(SqliteReader(file)) as past, suppress(Refused):
        store.put([point(TOPIC, payload)])
        assert len([*past.rows("cm/attic", -(2**63))]) == 1
