"""Valves and heaters, which are on for a limited time, and relays that are pressed."""

import time
from pathlib import Path
from typing import Any

import pytest

from bootstrap.errors import Refused
from bootstrap.pins.simulated_lines import SimulatedLine
from bootstrap.plain_lines.limited_line import LimitedLine
from daemons.heater import Heater
from daemons.relay import Relay
from daemons.valve import Valve
from penates.testing import Bench

PIN = 17
KINDS: dict[str, tuple[type[LimitedLine], str, str, str]] = {  # with the words for on and off, and its measure
    "valve": (Valve, "open", "close", "open"),
    "heater": (Heater, "on", "off", "on"),
}


def on_for_ns() -> list[int]:
    """For how long the line was on each time, until now if it still is."""
    found, since = [], None
    for row in SimulatedLine(PIN).history.read_text().splitlines():
        at, level = row.split()
        if level == "1" and since is None:
            since = int(at)
        elif level == "0" and since is not None:
            found.append(int(at) - since)
            since = None
    return found if since is None else [*found, time.monotonic_ns() - since]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_off_in_time_and_rests(kind: str) -> None:
    make, on, _off, measure = KINDS[kind]
    with Bench(make(pin=PIN, longest_s=0.2, rest_s=0.3)) as bench:
        SimulatedLine(PIN).history.touch()
        assert (bench.level(PIN), bench.read()) == (0, {measure: False, "resting": False})
        bench.act("set", on)
        assert (bench.level(PIN), bench.readings[-1]) == (1, {measure: True, "resting": False})
        bench.until(lambda: bench.readings[-1] == {measure: False, "resting": True})
        assert bench.level(PIN) == 0
        with pytest.raises(Refused, match="it rests for another"):
            bench.act("set", on)
        bench.until(lambda: bench.readings[-1] == {measure: False, "resting": False})
        bench.act("set", on)
        assert bench.level(PIN) == 1
        assert on_for_ns()[0] >= 0.1e9  # its 0.2 s begin before its line is set, on a busy machine by far


@pytest.mark.parametrize("kind", KINDS)
def test_commands_that_come_again_and_again_give_it_no_more_time(kind: str) -> None:
    make, on, _off, measure = KINDS[kind]
    device = make(pin=PIN, longest_s=0.3, rest_s=3600.0)
    with Bench(device) as bench:

        def told_again() -> bool:
            device.after(0.01, lambda: None)  # so that the next turn comes soon
            try:
                bench.act("set", {"state": on, "for_s": 0.3})
            except Refused:
                return True
            return False

        began = time.monotonic()
        bench.until(told_again)
        assert time.monotonic() - began >= 0.3
        assert (bench.level(PIN), bench.read()) == (0, {measure: False, "resting": True})


def test_a_break_that_is_no_rest_gives_it_no_more_time() -> None:
    device = Valve(pin=PIN, longest_s=0.3, rest_s=3600.0)
    with Bench(device) as bench:
        SimulatedLine(PIN).history.touch()

        def opened_and_closed() -> bool:
            device.after(0.01, lambda: None)
            try:
                bench.act("set", "open" if bench.level(PIN) == 0 else "close")
            except Refused:
                return True
            return False

        bench.until(opened_and_closed, 60)
        assert len(on_for_ns()) > 1
        assert bench.read() == {"open": False, "resting": True}
        assert device.left_s <= 0


def test_it_goes_off_as_told_before_its_time_and_that_is_never_refused() -> None:
    with Bench(Heater(pin=PIN, longest_s=600, rest_s=60)) as bench:
        bench.act("set", "off")
        bench.act("set", {"state": "on", "for_s": 0.1})
        bench.until(lambda: bench.readings[-1]["on"] is False)
        assert (bench.level(PIN), bench.readings[-1]) == (0, {"on": False, "resting": False})
        bench.act("set", {"state": "on", "for_s": 0.1})
        bench.act("set", "on")  # replaces the shorter time
        bench.act("set", "off")
        assert bench.level(PIN) == 0
    with Bench(Heater(pin=PIN, longest_s=0.05, rest_s=60)) as bench:
        bench.act("set", "on")
        bench.until(lambda: bench.read()["resting"])
        bench.act("set", "off")
        assert bench.level(PIN) == 0


REFUSED = [
    ({"state": "on", "for_s": 601}, "'for_s' must be at most 600"),
    ({"state": "off", "for_s": 10}, "'for_s' is for 'on'"),
    ({"state": "on", "for_s": -1}, "a duration"),
    ({"for_s": 10}, "the key 'state' is missing"),
    ("toggle", "send one of on, off"),
    (True, "send one of on, off"),
    (1, "send one of on, off"),
    ({"state": "on", "until": 10}, "no key 'until'"),
]


@pytest.mark.parametrize(("value", "why"), REFUSED)
def test_what_makes_no_sense_is_refused_and_switches_nothing(value: Any, why: str) -> None:
    with Bench(Heater(pin=PIN, longest_s=600)) as bench:
        with pytest.raises(Refused, match=why):
            bench.act("set", value)
        assert bench.level(PIN) == 0


def test_a_restart_gives_it_no_more_time(tmp_path: Path) -> None:
    with Bench(Valve(pin=PIN, longest_s=0.3, rest_s=60), tmp_path) as bench:
        bench.act("set", "open")
        bench.until(lambda: bench.readings[-1]["open"] is False)
    device = Valve(pin=PIN, longest_s=0.3, rest_s=0.4)
    with Bench(device, tmp_path) as bench:
        assert bench.read() == {"open": False, "resting": True}
        with pytest.raises(Refused, match="it rests"):
            bench.act("set", "open")
        bench.until(lambda: bench.readings[-1] == {"open": False, "resting": False})
        bench.act("set", "open")
    device = Valve(pin=PIN, longest_s=3600, rest_s=60)
    with Bench(device, tmp_path):
        assert 3599 < device.left_s < 3600


def test_a_valve_without_a_limit_does_not_start() -> None:
    with pytest.raises(TypeError, match="longest_s"):
        Valve(pin=PIN)  # type: ignore[call-arg]


@pytest.mark.parametrize("active_high", [True, False])
def test_a_relay_is_pressed_for_a_moment(active_high: bool) -> None:
    with Bench(Relay(pin=PIN, pulse_s=0.1, active_high=active_high)) as bench:
        off, on = (0, 1) if active_high else (1, 0)
        assert (bench.level(PIN), bench.read()) == (off, {"pressed": False})
        bench.act("set", "press")
        assert (bench.level(PIN), bench.readings[-1]) == (on, {"pressed": True})
        with pytest.raises(Refused, match="it is being pressed"):
            bench.act("set", "press")
        bench.until(lambda: bench.readings[-1] == {"pressed": False})
        assert bench.level(PIN) == off
        wrong: list[Any] = ["on", "off", True, {"state": "on"}, {"press": True}, {}, [], 1, None]
        for value in wrong:
            with pytest.raises(Refused):
                bench.act("set", value)
        assert bench.level(PIN) == off


@pytest.mark.parametrize(("kind", "once", "free"), [(Valve, "open", "close"), (Heater, "on", "off")])
def test_what_is_switched_on_is_so_at_most_once_and_off_is_always(
    kind: type[LimitedLine], once: str, free: str
) -> None:
    assert kind.commands["set"].only_once(once)
    assert not kind.commands["set"].only_once(free)
    assert Relay.commands["set"].only_once("press")


@pytest.mark.parametrize("left", [b'{"used_s": 0.1', b"[]", b'{"used_s": "0"}', b'{"used_s": -1e9}'])
def test_a_kept_file_that_is_damaged_gives_it_no_time(left: bytes, tmp_path: Path) -> None:
    def heater() -> Heater:
        return Heater(pin=PIN, longest_s=3600.0, rest_s=3600.0)

    with Bench(heater(), tmp_path):
        pass
    (file,) = tmp_path.glob("**/kept.json")
    assert file.read_text() == '{"used_s":0.0}'
    file.write_bytes(left)
    for _ in range(2):  # nor does the next start, however this one has ended
        with Bench(again := heater(), tmp_path) as bench:
            if left.endswith(b"e9}"):
                assert again.left_s == 3600.0
                break
            assert bench.read() == {"on": False, "resting": True}
            with pytest.raises(Refused, match="it rests for another"):
                bench.act("set", "on")


def test_what_could_not_be_switched_off_rests_once_its_line_is_off() -> None:
    with Bench(heater := Heater(pin=PIN, longest_s=0.1, rest_s=3600.0)) as bench:
        bench.act("set", "on")
        heater.relay.off()
        assert bench.read() == {"on": False, "resting": False}
        assert not heater.powered
