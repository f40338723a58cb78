"""What a device declares is what it is held to: its readings, and the commands that it takes."""

from typing import Any

import pytest

from bootstrap.contract.commands import only, seconds
from bootstrap.device import Takes
from bootstrap.errors import Refused
from support.odd_devices import Told

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
