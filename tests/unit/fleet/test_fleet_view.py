"""What is known of each sensor by what it published, and how it is shown."""

import json
import time
from typing import Any

import pytest

from bootstrap.contract import timestamps
from bootstrap.contract.liveness import GRACE_S
from penates.fleet.fleet_view import FleetView
from penates.fleet.watch_table import cells, table


def heartbeat(ago_s: float, *, read_ago_s: float) -> bytes:
    now_us = time.time_ns() // 1000
    moments = {
        name: timestamps.utc(now_us - round(s * 1e6)) for name, s in (("time", ago_s), ("last_reading", read_ago_s))
    }
    return json.dumps({**moments, "heartbeat_s": 10}).encode()


@pytest.mark.parametrize(
    ("ago_s", "read_ago_s", "state", "why"),
    [
        (1, 1, "online", ""),
        (35 + GRACE_S, 1, "online", "no heartbeat"),
        (1, 7 + GRACE_S, "online", "no reading"),
        (1, 7 + GRACE_S, "fault", "no reading"),
        (1000, 1000, "stopped", ""),
        (-3600, -3600, "online", ""),
        (1, 10**8, "online", "no reading"),
    ],
)
def test_what_is_stale(ago_s: float, read_ago_s: float, state: str, why: str) -> None:
    view = FleetView()
    measures = {"temperature": {"unit": "°C", "every_s": 2}, "battery": {"unit": "V", "every_s": 3600}}
    about = {"kind": "thermometer", "measures": measures}
    for name, payload in (
        ("state", state.encode()),
        ("about", json.dumps(about).encode()),
        ("heartbeat", heartbeat(ago_s, read_ago_s=read_ago_s)),
    ):
        list(view.receive(f"cm/cellar/status/{name}", payload, retained=True))
    sensor = view.sensors["cm/cellar"]
    assert sensor.stale(time.monotonic()) == why
    list(view.receive("cm/cellar/data/temperature", b"21.5", retained=True))
    assert sensor.stale(time.monotonic()) == why, "a retained value is no new reading"
    list(view.receive("cm/cellar/data/temperature", b"21.6", retained=False))
    assert sensor.stale(time.monotonic()) == ("no heartbeat" if why == "no heartbeat" else "")


def test_what_a_sensor_repeats_when_it_connects_is_no_reading() -> None:
    view = FleetView()
    about = {"kind": "thermometer", "measures": {"temperature": {"unit": "°C", "every_s": 2}}}
    list(view.receive("cm/cellar/data/temperature", b"21.5", retained=False, at=1000))
    list(view.receive("cm/cellar/status/about", json.dumps(about).encode(), retained=False, at=1100))
    list(view.receive("cm/cellar/data/temperature", b"21.5", retained=False, at=1100.1))
    assert view.sensors["cm/cellar"].stale(1101) == "no reading"
    list(view.receive("cm/cellar/data/temperature", b"21.6", retained=False, at=1100.2))
    assert view.sensors["cm/cellar"].stale(1101) == ""


def test_a_sensor_that_is_cleared_away_is_gone() -> None:
    view = FleetView()
    for topic in ("status/state", "status/about", "data/temperature"):
        list(view.receive(f"cm/cellar/{topic}", b"{}", retained=True))
    for topic in ("data/temperature", "status/state", "status/about"):
        list(view.receive(f"cm/cellar/{topic}", b"", retained=False))
    assert view.sensors == {}


@pytest.mark.parametrize("wrong", [None, 7, True, ["a"], {"a": 1}, -1, 1e308, "\x1b]0;mine\x07", "x" * 5000])
def test_facts_of_a_wrong_type_are_drawn_as_none(wrong: Any) -> None:
    view = FleetView()
    about = {"kind": wrong, "measures": {"weight": {"unit": wrong, "every_s": wrong, "event": wrong}}}
    heartbeat = dict.fromkeys(("time", "last_reading", "heartbeat_s", "uptime_s", "reads", "rss_mb"), wrong)
    health = {"weight": {"health": wrong, "why": wrong, "errors": wrong}, "x\x1b": wrong}
    for name, value in (("state", wrong), ("about", about), ("heartbeat", heartbeat), ("health", health)):
        list(view.receive(f"zoo/odd/status/{name}", json.dumps(value).encode(), retained=True))
    if wrong != 7:  # else with a state of nobody's
        list(view.receive("zoo/odd/status/state", b"fault", retained=True))
    list(view.receive("zoo/odd/data/weight", b"7", retained=False))
    for facts in (False, True):
        text = "".join(cell.plain for row in cells(view, facts=facts) for cell in row)
        assert text.isprintable()
        assert len(text) < 1000


def test_a_fault_is_shown_with_what_is_wrong_by_the_sensors_own_words() -> None:
    view = FleetView()
    bad = {"health": "failing", "why": "it is \x1b[2Jwet", "errors": 2}
    health = {
        "temperature": bad,
        "humidity": bad,
        "battery": {"health": "stale", "why": "no value for more than 3 s", "errors": 0},
        "rain": {"health": "absent", "why": "never", "errors": 0},
        "wind": 7,
    }
    for name, payload in (("state", b"fault"), ("health", json.dumps(health).encode())):
        list(view.receive(f"cm/roof/status/{name}", payload, retained=True))
    shown = "temperature, humidity: it is \N{REPLACEMENT CHARACTER}[2Jwet; battery: no value for more than 3 s"
    assert cells(view, facts=False)[0][4].plain == shown
    list(view.receive("cm/roof/status/state", b"online", retained=False))
    assert cells(view, facts=False)[0][4].plain == ""


def test_more_sensors_than_lines_are_counted() -> None:
    view = FleetView()
    for number in range(50):
        list(view.receive(f"cm/t{number}/status/state", b"online", retained=True))
    drawn = table(view, None, cells(view, facts=False), size=(110, 10))
    assert drawn.row_count == 10
    assert str(drawn.caption).startswith("and 40 more")


def test_a_bad_value_in_a_heartbeat_costs_no_other() -> None:
    view = FleetView()
    bad = heartbeat(1, read_ago_s=1).replace(b"{", b'{"a":nan,"b":{"c":NaN},"\\ud800":1,"d":12345678901234567890,')
    list(view.receive("cm/cellar/status/heartbeat", bad, retained=False))
    (sensor,) = view.sensors.values()
    assert sensor.heartbeat.keys() == {"time", "last_reading", "heartbeat_s"}


def test_words_and_objects_are_shown_as_they_are_without_a_unit() -> None:
    view = FleetView()
    about = {
        "kind": "shutter",
        "measures": {"position": {"unit": "str", "words": ["open"]}, "motor": {"unit": "object"}},
    }
    for topic, payload in (
        ("status/about", json.dumps(about).encode()),
        ("data/position", b"open"),
        ("data/motor", b'{"amps":0.5}'),
    ):
        list(view.receive(f"cm/blind/{topic}", payload, retained=True))
    (row,) = cells(view, facts=False)
    assert 'position open  motor {"amps":0.5}  ' in [str(cell) for cell in row]
