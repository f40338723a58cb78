"""What a device declares is what it is held to: its readings, and the commands that it takes."""

from enum import StrEnum
from typing import Any

import pytest

from bootstrap.contract.commands import only, seconds
from bootstrap.device import Measure, Takes, takes
from bootstrap.errors import Refused
from support.odd_devices import Told


class Position(StrEnum):
    """Where a shutter is."""

    OPEN = "open"
    SHUT = "shut"


WORDS = Measure(str, words=("open", "shut"))
OBJECT = Measure(dict)
FINE = Takes(unit="°C", low=5, high=30, step=0.1)
DIM = Takes(("on", "off"), unit="%", low=0, high=100)
HEAT = Takes(unit="°C", low=5, high=30)
LAMP = Takes(("on", "off"), keys=("state", "for_s"))


@pytest.mark.parametrize(
    ("takes", "value"),
    [
        (DIM, "on"),
        (DIM, 0),
        (DIM, 100),
        (DIM, 99.9),
        *((FINE, value) for value in (5, 5.1, 5.3, 20, 29.9, 30, 1e1)),
        (Takes(high=9, step=3), -6),
        (Takes(low=1, high=10, step=3), 7),
        (Takes(low=0), 10**300),
        (Takes(high=0), -1.5),
        (DIM, {"whatever": 1}),  # it has declared no keys
        (LAMP, "off"),
        (LAMP, {"state": "off"}),
        (LAMP, {"for_s": "long", "state": "off"}),  # the device judges what the other keys hold
        (Takes(), "anything"),
        (Takes(), None),
        (Takes(), [1]),
        (Takes(keys=("a",)), {"a": [1]}),
    ],
)
def test_what_a_command_may_carry(takes: Takes, value: Any) -> None:
    takes.check(value)


@pytest.mark.parametrize(
    ("takes", "value", "why"),
    [
        (DIM, 100.1, "send one of on, off, or a number from 0 to 100 %"),
        (DIM, -1, "send one of on, off, or a number from 0 to 100 %"),
        (DIM, "50", "send one of on, off, or a number from 0 to 100 %"),
        (DIM, True, "send one of on, off, or a number from 0 to 100 %"),
        (DIM, None, "send one of on, off, or a number from 0 to 100 %"),
        (DIM, [1], "send one of on, off, or a number from 0 to 100 %"),
        (HEAT, "warm", "send a number from 5 to 30 °C"),
        (Takes(low=1, high=2), 10**400, "send a number from 1 to 2"),
        (FINE, 20.05, "send a number from 5 to 30 °C in steps of 0.1"),
        (FINE, 30.1, "send a number from 5 to 30 °C in steps of 0.1"),
        (Takes(low=1, high=10, step=3), 6, "send a number from 1 to 10 in steps of 3"),
        (
            Takes(("off",), low=0, high=100, step=10, unit="%"),
            55,
            "send one of off, or a number from 0 to 100 % in steps of 10",
        ),
        (Takes(low=0, unit="s"), -1, "send a number of at least 0 s"),
        (Takes(high=5), "much", "send a number of at most 5"),
        (Takes(high=5), True, "send a number of at most 5"),
        (LAMP, 1, "send one of on, off"),
        (LAMP, {"state": "bright"}, "send one of on, off"),
        (LAMP, {"state": "on", "fro_s": 5}, "no key 'fro_s'; an object may have state, for_s, id, before"),
        (LAMP, {"for_s": 5}, "the key 'state' is missing; it holds what is to be done"),
        (LAMP, {}, "the key 'state' is missing; it holds what is to be done"),
    ],
)
def test_what_a_command_may_not_carry(takes: Takes, value: Any, why: str) -> None:
    with pytest.raises(Refused) as refused:
        takes.check(value)
    assert str(refused.value) == why


def test_a_word_alone_or_under_its_key() -> None:
    assert (only("debug", "level"), only({"level": "debug"}, "level")) == ("debug", "debug")
    with pytest.raises(Refused, match="no key 'lvl'; an object may have level, id, before"):
        only({"lvl": "debug"}, "level")
    with pytest.raises(Refused, match="send a word"):
        only({}, "level")


@pytest.mark.parametrize("value", [0, -1, True, "5", 31_622_401, 1e300])
def test_a_duration_is_refused_with_both_its_bounds(value: Any) -> None:
    with pytest.raises(Refused, match=r"a number of seconds above 0 and at most 31622400 \(a year\)$"):
        seconds(value)


def test_a_name_that_was_never_declared_is_of_the_reading_and_not_of_read() -> None:
    """An edge, a timer or an action may have returned it."""
    with pytest.raises(TypeError, match="a reading has 'lvl', which is not a declared measure; declared: clicks"):
        Told().check({"lvl": 1})


@pytest.mark.parametrize(("low", "high", "step"), [(0, 1, 0), (0, 1, -1), (2, 1, 1)])
def test_a_range_that_is_none_is_found_at_its_declaration(low: float, high: float, step: float) -> None:
    with pytest.raises(ValueError, match="step must be above 0, and low at most high"):
        takes(low=low, high=high, step=step)(print)


@pytest.mark.parametrize(
    ("measure", "value", "why"),
    [
        (WORDS, "open", None),
        (WORDS, Position.SHUT, None),
        (Measure(str, words=Position), "shut", None),
        (Measure(str), "anything", None),
        (WORDS, "ajar", "'ajar' is not one of open, shut"),
        (WORDS, "", "'' is not one of open, shut"),
        (WORDS, "Open", "'Open' is not one of open, shut"),
        (WORDS, 1, "1 is not a value in str"),
        (WORDS, OSError("jammed"), "jammed"),
        (OBJECT, {}, None),
        (OBJECT, {"a": [1, {"b": None}], "ä": "x"}, None),
        (OBJECT, "a", "'a' is not a value in object"),
        (OBJECT, [1], "[1] is not a value in object"),
        (OBJECT, True, "True is not a value in object"),
        (OBJECT, {"a": float("nan")}, "an object that JSON cannot hold: Out of range float values"),
        (OBJECT, {"a": {1}}, "an object that JSON cannot hold: Object of type set is not JSON serializable"),
        (OBJECT, {"a": "\ud83d"}, "an object that JSON cannot hold: 'utf-8' codec can't encode"),
        (
            OBJECT,
            {"a": 10**18},
            "an object that JSON cannot hold: a whole number in the payload has more than 18 digits",
        ),
        (OBJECT, {"a": "x" * 20_000}, "an object of 20008 bytes; at most 16384"),
        (Measure("V"), {"a": 1}, "{'a': 1} is not a value in V"),
    ],
)
def test_words_and_objects_are_held_to_what_is_declared(measure: Measure, value: Any, why: str | None) -> None:
    found = measure.wrong(value)
    assert (found is None) == (why is None)
    assert (found or "").startswith(why or "")


def test_an_object_that_holds_itself_is_refused() -> None:
    endless: dict[str, Any] = {}
    endless["a"] = endless
    assert (OBJECT.wrong(endless) or "").startswith("an object that JSON cannot hold: Circular reference")


def test_what_is_declared_is_told() -> None:
    assert Measure(str, words=Position, event=True).facts == {"unit": "str", "words": ["open", "shut"], "event": True}
    assert {type(word) for word in Measure(str, words=Position).words} == {str}
    assert OBJECT.facts == {"unit": "object"}


@pytest.mark.parametrize("unit", [bool, dict, "V"])
def test_words_are_those_of_a_text(unit: Any) -> None:
    with pytest.raises(ValueError, match="words are those of a str"):
        Measure(unit, words=("a",))
    with pytest.raises(ValueError, match="none of them is empty"):
        Measure(str, words=("a", ""))
