"""What a program says that a device has done before the device itself says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from penates.testing import Bench
from support.recorded import recorded

PLUG = "zwave/nodeID_2"
SWITCH = f"{PLUG}/switch_binary/endpoint_0/currentValue"
POWER = f"{PLUG}/sensor_multilevel/endpoint_0/Power"


@contextmanager
def plug(guess_s: float) -> Iterator[Bench]:
    """A plug that is off."""
    found = next(one for one in recorded() if one.settings["address"] == "nodeID_2").made()
    found.says = replace(found.says, guess_s=guess_s)
    with Bench(found) as bench:
        bench.hear(SWITCH, {"value": False}, retained=True)
        yield bench


def test_a_plug_that_only_acknowledges_has_not_switched() -> None:
    with plug(guess_s=60) as bench:
        bench.act("set", "on")
        bench.hear(SWITCH, {"value": True})
        assert bench.ended == []
        assert bench.readings == []
        bench.hear(SWITCH, {"value": False})
        assert bench.ended == ["it says false"]
        assert bench.readings == []


def test_what_is_repeated_is_true_and_one_reading() -> None:
    with plug(guess_s=60) as bench:
        bench.act("set", "on")
        bench.hear(POWER, {"value": 5.5})
        for _ in range(3):
            bench.hear(SWITCH, {"value": True})
        assert bench.ended == [None]
        assert bench.readings == [{"on": True}]


def test_what_nothing_contradicts_is_true() -> None:
    with plug(guess_s=0.02) as bench:
        bench.act("set", "on")
        bench.hear(SWITCH, {"value": True})
        bench.until(lambda: bench.ended)
        assert bench.ended == [None]
        assert bench.readings == [{"on": True}]


def test_a_repeated_command_does_not_lose_what_was_said_of_the_first() -> None:
    with plug(guess_s=0.02) as bench:
        bench.act("set", "on")
        bench.hear(SWITCH, {"value": True})
        bench.act("set", "on")
        bench.until(lambda: len(bench.ended) > 1)
        assert bench.ended == ["another command came before the device had answered", None]
        assert bench.readings == [{"on": True}]


@pytest.mark.parametrize("guesses", [0, 1])
def test_a_command_in_place_of_another_starts_anew(guesses: int) -> None:
    with plug(guess_s=60) as bench:
        bench.act("set", "on")
        for _ in range(guesses):
            bench.hear(SWITCH, {"value": True})
        bench.act("set", "off")
        bench.hear(SWITCH, {"value": False})
        assert bench.ended == ["another command came before the device had answered"]
        bench.hear(SWITCH, {"value": False})
        assert bench.ended[1:] == [None]
        assert bench.readings == []
