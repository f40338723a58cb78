"""What is a reading, and which values are in what others publish."""

import json
from contextlib import closing, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.errors import Refused
from bootstrap.history.points import foreign, heartbeat, point
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
        ("a/b", b'{"time":1,"kind":"x","x":{"time":2}}', "a/b", {"time_": 1.0, "kind_": "x", "x_time": 2.0}),
    ],
)
def test_where_a_foreign_value_belongs(topic: str, payload: bytes, sensor: str, fields: dict[str, object]) -> None:
    found = foreign(topic, payload, TIME_US)
    assert (found.sensor, found.time_us, found.fields) == (sensor, TIME_US, fields)


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        *((b"+19.5", 19.5), (b".5", 0.5), (b"5.", 5.0), (b"True", 1.0), (b"FALSE", 0.0), (b" 21.5 \n", 21.5)),
        *((b"0042", 42.0), (b"-1e3", -1000.0), (b'"42"', "42"), (b'"True"', "True"), (b"unavailable", "unavailable")),
    ],
)
def test_what_is_a_number_and_what_is_a_word(payload: bytes, value: float | str) -> None:
    assert foreign("a/b", payload, TIME_US).fields == {"b": value}


# Each has a good temperature of 21.5 beside what is bad.
ONE_BAD = {
    b'{"temperature":21.5,"humidity":nan}': "humidity",
    b'{"temperature":21.5,"humidity":NaN}': "humidity",
    b'{"humidity":-inf,"temperature":21.5}': "humidity",
    b'{"temperature":21.5,"ts":1732680000000000000}': "ts",
    b'{"id":-12345678901234567890,"temperature":21.5}': "id",
    b'{"temperature":21.5,"other":1e400}': "other",
    b'{"temperature":21.5,"other":' + b"9" * 5000 + b"}": "other",
    b'{"temperature":21.5,"name":"\\ud83d"}': "name",
    b'{"temperature":21.5,"\\ud83d":1}': "\\ud83d",
    b'{"temperature":21.5,"":1}': "",
    b'{"temperature":21.5,"a\\u001b[31m":1}': "a\\x1b[31m",
    b'{"temperature":21.5,"what":undefined}': "what",
    b'{"unit":"\xb0C","temperature":21.5}': "unit",
    b'{"temperature":21.5,"\xb0C":1}': "\\udcb0C",
}


@pytest.mark.parametrize("payload", ONE_BAD)
def test_one_bad_value_costs_no_other_and_is_named(payload: bytes) -> None:
    found = foreign("a/b", payload, TIME_US)
    assert (found.fields, [*found.invalid]) == ({"temperature": 21.5}, [ONE_BAD[payload]])


def test_a_name_too_long_and_a_name_used_twice_cost_no_other() -> None:
    payload = json.dumps({"x" * 201: 1, "a": {"b": 2}, "a_b": 3, "text": "a\nb, {nan: NaN}", "c": 4}).encode()
    found = foreign("a/b", payload.replace(b"4}", b"+4}"), TIME_US)
    assert found.fields == {"a_b": 2.0, "text": "a\nb, {nan: NaN}", "c": 4.0}
    assert {*found.invalid} == {"x" * 80, "a_b"}


def test_a_broken_probe_of_three() -> None:
    payload = b'{"Time":"2026-01-01T11:57:31","A":{"T":17.1,"H":70.0},"B":{"T":nan,"H":nan},"C":{"T":8.8}}'
    found = foreign("tele/multi/SENSOR", payload, TIME_US)
    assert found.fields == {"Time": "2026-01-01T11:57:31", "A_T": 17.1, "A_H": 70.0, "C_T": 8.8}
    assert found.invalid == {"B_T": "nan is not a value", "B_H": "nan is not a value"}


NO_VALUES = (b"", b"NaN", b"nan", b"-inf", b"1e400", b"9" * 19, b"[]", b"{}", b'{"a":null}', b"\xff", b"[" * 70_000)
NO_OBJECTS = (b"{'x'}", b'{"a":1', b"[online]x", b'{"a":1}}', b"{a:1}", b'{"a":"' + b'\\"' * 30_000)


@pytest.mark.parametrize("payload", [*NO_VALUES, *NO_OBJECTS, b'{"a":nan}', b"[" * 60_000])
def test_what_is_no_value(payload: bytes) -> None:
    with pytest.raises(Refused):
        foreign("a/b", payload, TIME_US)


@pytest.mark.parametrize("topic", ["//", "a/\x1b[31m", "a/\N{RIGHT-TO-LEFT OVERRIDE}b"])
def test_a_topic_without_a_name_that_can_be_shown_has_no_value(topic: str) -> None:
    with pytest.raises(Refused):
        foreign(topic, b"1", TIME_US)


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
        *(reading(1, nested=[]).encode(), reading(1, nothing=None).encode(), reading(1, word="\ud800").encode()),
        *(
            reading(1).replace("2026", "20_6").encode(),
            reading(1).replace("1}", "1.5}").encode(),
            reading(2**63).encode(),
        ),
        *(reading(1, level=1).replace("2026-", f"{year}-").encode() for year in (1969, 2262, 9999)),
        reading(1).replace("2026-11-20T20:31:07.123456Z", "9999-12-31T23:59:59-23:59").encode(),
        reading(1).replace("r1", "\\ud800").encode(),
    ],
)
def test_what_is_no_reading(payload: bytes) -> None:
    with pytest.raises(Refused):
        point(TOPIC, payload)


@pytest.mark.parametrize(
    ("bad", "name"),
    [
        *(('"b":NaN', "b"), ('"b":nan', "b"), ('"b":1e400', "b"), ('"b":null', "b"), ('"b":[1]', "b")),
        *(('"b":"\\ud800"', "b"), ('"\\ud800":1', "\\ud800"), ('"a b":1', "a b"), ('"kind":1', "kind"), ('"":1', "")),
    ],
)
def test_one_bad_value_of_a_reading_costs_no_other_and_is_named(bad: str, name: str) -> None:
    found = point(TOPIC, reading(1, level=7).replace("}", f", {bad}}}").encode())
    assert (found.fields, [*found.invalid]) == ({"level": 7.0}, [name])


def test_a_word_in_latin_1_costs_no_other_value_of_a_reading() -> None:
    found = point(TOPIC, reading(1, level=7, word="?").encode().replace(b"?", b"\xb0"))
    assert (found.fields, [*found.invalid]) == ({"level": 7.0}, ["word"])
    with pytest.raises(Refused):
        point(TOPIC, reading(1, level=7).encode().replace(b"r1", b"\xb0"))


@pytest.mark.parametrize("bad", ['"\\ud800":1', '"reads":NaN', '"reads":nan', '"group":3', '"a\\\\b":1'])
def test_a_heartbeat_keeps_its_good_numbers(bad: str) -> None:
    payload = f'{{"time":"2026-11-20T20:31:07Z",{bad},"queued":3,"why":null,"host":"pi"}}'
    found = heartbeat("cm/attic/status/heartbeat", payload.encode())
    assert (found.fields, len(found.invalid)) == ({"queued": 3.0}, 1)


@settings(max_examples=50, deadline=None)
@given(st.binary() | st.text().map(str.encode) | st.builds(reading, st.integers(), level=st.text()).map(str.encode))
def test_any_message_is_refused_or_can_be_stored(tmp_path_factory: pytest.TempPathFactory, payload: bytes) -> None:
    file = tmp_path_factory.mktemp("any") / "history.sqlite"
    with closing(SqliteStore(file, keep_days=36_500)) as store, closing(SqliteReader(file)) as past, suppress(Refused):
        store.put([point(TOPIC, payload)])
        assert len([*past.rows("cm/attic", -(2**63))]) == 1


def test_an_object_that_a_sensor_has_measured_is_stored_as_json() -> None:
    found = point(TOPIC, reading(1, scene={"on": True, "rooms": ["ä", 1.5]}, level=5).encode())
    assert found.fields == {"scene": '{"on":true,"rooms":["ä",1.5]}', "level": 5.0}


def test_an_object_that_is_none_costs_no_other() -> None:
    for bad in ('{"a":NaN}', '{"a":nan}', '{"a":"\\ud83d"}'):
        found = point(TOPIC, reading(1, scene=0, level=5).replace('"scene": 0', f'"scene": {bad}').encode())
        assert (found.fields, [*found.invalid]) == ({"level": 5.0}, ["scene"])
