"""A display at work on a bench: what it hears, and what time does to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bootstrap.contract.payload import Json
from bootstrap.device import Device
from bootstrap.display.alert_rule import AlertRule
from bootstrap.display.bus_port import SimulatedBus
from bootstrap.display.heard_values import is_ours
from bootstrap.display.template import DisplayText
from bootstrap.errors import Refused
from bootstrap.needs import Listened, bus_of, needs_of
from daemons.lcd import Lcd
from penates.testing import Bench
from support.displays import Hd44780

ADDRESS = 0x27
BEAT, VALUE = "cm/cellar/status/heartbeat", "cm/cellar/data/temperature"


def lcd(*pages: str, **more: Any) -> Lcd:
    return Lcd(address=ADDRESS, pages=[DisplayText(page) for page in pages], **more)


@contextmanager
def shown(device: Device, folder: Path | None = None) -> Iterator[Bench]:
    """A display that has been written once."""
    with Bench(device, folder) as bench:
        SimulatedBus(1).plug(ADDRESS)
        bench.read()
        yield bench


def glass() -> Hd44780:
    return Hd44780(16, 2).take(SimulatedBus(1).transfers(ADDRESS))


def reads(bench: Bench, *lines: str) -> None:
    """Until this is said to be shown; then it can be read."""
    bench.until(lambda: "\n".join(lines) in said(bench) and glass().lines == [*lines])


def said(bench: Bench) -> list[object]:
    """What was shown by the last reading, and by the last values that are none."""
    return [one.get("shown") for one in (*bench.readings[-1:], *bench.shown[-1:])]


def beat(ago_s: float) -> Json:
    return {"last_reading": (datetime.now(UTC) - timedelta(seconds=ago_s)).isoformat(), "heartbeat_s": 60}


def test_an_age_is_that_of_the_newest_reading_and_grows_by_itself() -> None:
    with shown(lcd("{cm/cellar!age}")) as bench:
        reads(bench, "--", "")
        bench.hear(BEAT, beat(5 * 3600))
        reads(bench, "5 h", "")
        bench.hear(BEAT, beat(179))
        reads(bench, "2 min", "")
        reads(bench, "3 min", "")  # within a second
        said: list[Json] = [{}, {"last_reading": None}, {"last_reading": "yesterday"}, {"last_reading": 7}, [], "x"]
        for wrong in said:
            bench.hear(BEAT, wrong)
        bench.hear(BEAT, beat(-50))
        reads(bench, "0 min", "")
        bench.silence(BEAT, "unreachable")
        reads(bench, "?0 min", "")


def test_a_live_value_is_newer_than_what_the_heartbeat_says() -> None:
    with shown(lcd("{cm/cellar/temperature} {cm/cellar!age}")) as bench:
        bench.hear(BEAT, beat(7200))
        reads(bench, "-- 2 h", "")
        bench.hear(VALUE, 20)
        reads(bench, "20 0 min", "")
        bench.hear(BEAT, beat(7200))
        bench.hear(VALUE, 21)
        reads(bench, "21 0 min", "")


def test_a_state_without_heartbeats_is_doubted() -> None:
    with shown(lcd("{cm/cellar!state}")) as bench:
        bench.hear(BEAT, {"heartbeat_s": 0.01})
        bench.hear("cm/cellar/status/state", "online")
        reads(bench, "online", "")
        bench.until(lambda: "?online\n" in said(bench), 30)


def test_an_alert_whose_sensor_falls_silent_stays_and_is_marked() -> None:
    rule = AlertRule("cm/cellar/leak is true: Water!")
    with shown(lcd("calm", alerts=[rule])) as bench:
        reads(bench, "calm", "")
        bench.silence("cm/cellar/data/leak", "cm/cellar is lost")
        reads(bench, "calm", "")
        bench.hear("cm/cellar/data/leak", value=True)
        reads(bench, "Water!", "")
        bench.silence("cm/cellar/data/leak", "cm/cellar is lost")
        reads(bench, "?Water!", "")
        bench.hear("cm/cellar/data/leak", value=False)
        reads(bench, "calm", "")


def test_a_page_that_is_turned_is_no_reading_and_an_alert_is_one() -> None:
    with shown(lcd("one", "two", page_s=0, alerts=[AlertRule("cm/cellar/leak is true: Water!")])) as bench:
        for page in ("two", "one", "two"):
            bench.act("page", "next")
            reads(bench, page, "")
        assert [one["shown"] for one in bench.shown] == ["two\n", "one\n", "two\n"]
        bench.hear("cm/cellar/data/leak", value=True)
        reads(bench, "Water!", "")
        bench.hear("cm/cellar/data/leak", value=False)
        reads(bench, "two", "")
        assert [one["shown"] for one in bench.readings] == ["one\n", "Water!\n", "two\n"]


def test_a_new_alert_comes_first_and_all_have_their_turn() -> None:
    rules = [AlertRule(f"cm/cellar/{name} above 5: {name}") for name in ("a", "b", "c")]
    with shown(lcd("calm", alerts=rules, page_s=0)) as bench:
        for name in ("b", "a", "c"):
            bench.hear(f"cm/cellar/data/{name}", 6)
            reads(bench, name, "")
        for name in ("a", "b", "c"):
            bench.act("page", "next")
            reads(bench, name, "")
        bench.hear("cm/cellar/data/c", 4)
        reads(bench, "a", "")


def test_it_needs_its_bus_and_the_topics_that_it_names_and_nothing_else() -> None:
    device = lcd("{a/b/c} {a/b!age}", alerts=[AlertRule("a/d/e above 1: {a/f/g}")])
    heard = [need.filter for _, need in needs_of(device) if isinstance(need, Listened)]
    assert heard == ["a/b/data/c", "a/b/status/heartbeat", "a/d/data/e", "a/f/data/g"]
    assert bus_of(device) == Path("/dev/i2c-1")
    assert {name for name, _ in needs_of(device)} == {"bus", "address", "pages", "alerts"}


def test_what_was_said_of_the_light_outlives_a_restart(tmp_path: Path) -> None:
    with shown(lcd("one"), tmp_path) as bench:
        bench.act("light", "off")
        bench.until(lambda: not bench.readings[-1]["light"])
        assert not glass().lit
    with shown(lcd("one"), tmp_path) as bench:
        assert bench.readings[-1] == {"shown": "one\n", "page": 1, "alert": False, "light": False}


def test_what_was_said_of_the_light_for_a_while_ends_with_it_and_with_a_restart(tmp_path: Path) -> None:
    with shown(lcd("one"), tmp_path) as bench:
        bench.act("light", "off")
        bench.act("light", {"state": "on", "for_s": 0.2})
        bench.until(lambda: bench.readings[-1]["light"] is True)
        bench.until(lambda: bench.readings[-1]["light"] is False)  # as it was told before
        bench.act("light", "auto")
        bench.act("light", {"state": "off", "for_s": 3600})
        bench.until(lambda: bench.readings[-1]["light"] is False)
    with shown(lcd("one"), tmp_path) as bench:
        assert bench.readings[-1]["light"] is True


def test_the_button_lights_a_display_that_was_told_to_be_dark(tmp_path: Path) -> None:
    with shown(lcd("one", "two", page_s=0, button=21, light_s=0.2), tmp_path) as bench:
        bench.act("light", "off")
        bench.until(lambda: not glass().lit)
        bench.edges(21)
        bench.until(lambda: bench.readings[-1]["light"] is True)
        assert bench.readings[-1]["page"] == 1
        bench.until(lambda: not glass().lit)


def test_what_stays_on_the_glass_after_a_stop_is_marked() -> None:
    rule = AlertRule("cm/cellar/leak is true: Water!")
    device = lcd("{cm/cellar/temperature:.1f}°C\nCellar", alerts=[rule])
    with shown(device) as bench:
        bench.hear(VALUE, 21.5)
        reads(bench, "21.5°C", "Cellar")
        device.teardown()
        assert glass().lines == ["?21.5°C", "Cellar"]
    device = lcd("calm", alerts=[rule])
    with shown(device) as bench:
        bench.hear("cm/cellar/data/leak", value=True)
        reads(bench, "Water!", "")
        device.teardown()
        assert glass().lines == ["?Water!", ""]


def test_a_display_that_is_absent_delays_no_stop() -> None:
    with shown(lcd("{cm/cellar/temperature}")) as bench:
        bench.hear(VALUE, 21.5)
        reads(bench, "21.5", "")
        SimulatedBus(1).plug(ADDRESS, plugged=False)


def test_an_age_by_a_clock_that_runs_behind_is_not_told() -> None:
    with shown(lcd("{cm/cellar!age}")) as bench:
        bench.hear(BEAT, beat(-7200))
        reads(bench, "--", "")
        bench.hear(BEAT, beat(7200))
        reads(bench, "2 h", "")


OURS = ["cm/cellar/data/temperature", "cm/cellar/status/heartbeat", "cm/cellar/status/state"]
OTHERS = ["shelly/status/switch:0", "a/b/c/status/state", "a/b/status/switch:0", "a/data/b", "tele/tank"]


@pytest.mark.parametrize("topic", [*OURS, *OTHERS])
def test_only_topics_of_others_grow_old_by_a_setting(topic: str) -> None:
    assert is_ours(topic) == (topic in OURS)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"driver": "ssd1306", "size": "128x64", "rom": "A02"}, "'rom' is of hd44780"),
        ({"scale": 2}, "'scale' is of ssd1306 and sh1106"),
        ({"page_s": 0.01}, "'page_s' must be 0, or at least 0.2"),
    ],
)
def test_settings_that_would_do_nothing_are_refused(more: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        lcd("one", **more)


@pytest.mark.parametrize("value", [0, 3, 1.5, True, "sideways", None])
def test_no_page_but_those_that_there_are(value: Json) -> None:
    with shown(lcd("one", "two")) as bench, pytest.raises(Refused):
        bench.act("page", value)


LEAF = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)
JSON = st.recursive(LEAF, lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=3), one, max_size=3))


@given(st.lists(JSON, min_size=1, max_size=4))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_heard_can_be_read_as_it_is_said(heard: list[Json]) -> None:
    rule = AlertRule("=t above 5: {=t} {=t#a}")
    with shown(lcd("{=t:.1f}|{=t#a:>3}|{=t:a|b}\n{cm/cellar!age}{cm/cellar!state}", alerts=[rule])) as bench:
        for value in heard:
            bench.hear("t", value)
            bench.hear(BEAT, value)
            bench.hear("cm/cellar/status/state", value)
        bench.hear("t", "end")
        bench.until(lambda: [text for text in said(bench) if str(text).startswith("end|--|end\n")])
        assert glass().lines in [str(text).split("\n") for text in said(bench)]
