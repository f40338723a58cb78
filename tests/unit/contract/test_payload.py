import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bootstrap.contract.payload import MAX_BYTES, decode, encode, parse_number
from bootstrap.errors import Refused

numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**18) + 1, 10**18 - 1)
scalars = st.none() | st.booleans() | numbers | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(values)
@example("42")
@example("true")
@example("NaN")
@example("1e400")
@example("")
@example(" on")
@example("0042")
@example("\ud800")
@example("{on")
def test_what_is_encoded_reads_back_as_itself(value: object) -> None:
    try:
        payload = encode(value)
    except UnicodeEncodeError:
        assert "\\ud" in json.dumps(value)
        return
    assert decode(payload) == value
    assert type(decode(payload)) is type(value)


@example(b'"\\ud800"')
@example(b'{"id":"\\uDFFF"}')
@example(b'"\\ud83d\\ude00"')
@given(st.binary() | st.text().map(str.encode) | values.map(json.dumps).map(str.encode))
def test_every_byte_string_has_one_meaning(payload: bytes) -> None:
    try:
        value = decode(payload)
    except Refused:
        return
    assert decode(payload) == value
    json.dumps(value, allow_nan=False)
    decode(encode(value) if value else b"0")  # whatever came in can go out again


@pytest.mark.parametrize(
    ("value", "payload"),
    [
        (21.5, b"21.5"),
        (True, b"true"),
        ("online", b"online"),
        ("42", b'"42"'),
        ("", b'""'),
        ({"a": 1, "b": "°C"}, '{"a":1,"b":"°C"}'.encode()),
        (-0.5, b"-0.5"),
    ],
)
def test_how_it_looks_on_the_wire(value: object, payload: bytes) -> None:
    assert encode(value) == payload


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": -math.inf}])
def test_no_number_that_is_none_goes_out(value: object) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        encode(value)


@pytest.mark.parametrize(
    ("payload", "value"),
    [(b"on", "on"), (b" on\n", "on"), (b"0042", "0042"), (b"21.5", 21.5), (b'"42"', "42"), (b"nan", "nan")],
)
def test_what_comes_in(payload: bytes, value: object) -> None:
    assert decode(payload) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("21.5", 21.5), ("+19.5", 19.5), (".5", 0.5), ("-5.", -5.0), (" 1e3\t", 1000.0), ("0042", 42.0)),
        *(("True", 1.0), ("false", 0.0), ("on", None), ("", None), ("1,5", None), ("1_0", None), ("٣", None)),
        *(("0x10", None), ("1 2", None), ("nano", None), ("9" * 18, 1e18)),
    ],
)
def test_which_text_is_a_number(text: str, value: float | None) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize("text", ["nan", " NaN", "-inf", "Infinity", "1e400", "-" + "9" * 19, "9" * 5000])
def test_which_number_is_none_that_can_be_stored(text: str) -> None:
    with pytest.raises(Refused):
        parse_number(text)


@pytest.mark.parametrize(
    "payload",
    [
        *(b'{"a":1', b"[1", b"{a}", b'{"a":nan}', b"[on]", b" {'a':1}"),
        b'"\\ud800"',
        b'{"\\udfff":1}',
        b"",
        b"\n",
        b"\xff",
        b"NaN",
        b"[NaN]",
        b"1e400",
        b'{"a":-1e999}',
        b"9" * 19,
        b"[" * 9999,
        b"x" * (MAX_BYTES + 1),
    ],
)
def test_what_is_refused(payload: bytes) -> None:
    with pytest.raises(Refused):
        decode(payload)
