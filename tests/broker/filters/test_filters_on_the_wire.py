"""Each filter reaches the wire: what a device reads is not what is published."""

import signal
from typing import Any

import pytest

from bootstrap.filters.catalogue import FILTERS
from support.teller import READING, STATE, Teller
from support.world import Broker, Eyes, House, Wanted


@pytest.fixture
def weather(house: House, broker: Broker, eyes: Eyes) -> Teller:
    return Teller(house, broker, eyes, "filtered_devices.Weather")


HEAD = {"time", "run", "seq", "calibration"}
# For each filter its line in the file, what the device says in a row, and what is published of that.
EACH: dict[str, tuple[str, str, list[Any], list[Any]]] = {
    "round": ("temperature", "round = 1", [21.4567, 21.5501, 21.62], [21.5, 21.6, 21.6]),
    "median": ("light", "median = 3", [100, 5000, 120], [100, 2550, 120]),
    "quantile": ("dust", "quantile = { of = 3, part = 1 }", [9, 30, 5], [9, 30, 30]),
    "mean": ("wind", "mean = 2", [3, 5, 8], [3, 4, 6.5]),
    "exponential": ("gust", "exponential = 0.5", [10, 20, 20], [10, 15, 17.5]),
    "deadband": ("power", "deadband = { by = 5, silence_s = 86400 }", [230, 233, 236], [230, None, 236]),
    "calibrate": ("humidity", "calibrate = { points = [[10, 0], [90, 100]] }", [50, 90, 30], [50, 100, 25]),
    "clamp": ("depth", "clamp = { low = 0 }", [1, -0.5, 0.5], [1, 0, 0.5]),
    "invert": ("open", "invert = true", [True, False, True], [False, True, False]),
    "throttle": ("noise", "throttle = { every_s = 86400 }", [40, 50, 60], [40, None, None]),
    "unit": ("pressure", 'unit = "inHg"', [1013.25, 1000, 950], [29.92, 29.53, 28.05]),
    "low": ("soil", "clamp = { high = 50 }\nlow = 0", [40, -2, 60], [40, None, 50]),
    "high": ("rain", 'unit = "in"\nhigh = 10', [25.4, 508, 50.8], [1, None, 2]),
    "step": ("level", "calibrate = { scale = 10 }\nstep = 5", [5, 5.1, 6], [50, 51, None]),
}


def records(weather: Teller, *readings: dict[str, Any]) -> list[dict[str, Any]]:
    """The values in the records of the history, of which each reading has made one."""
    for reading in readings:
        weather.read(reading)
    on: Wanted = lambda seen: [one.value for one in seen if one.topic == READING]  # noqa: E731
    weather.eyes.wait(lambda seen: len(on(seen)) == len(readings) + 1, "a record of each reading")
    return [{name: value for name, value in one.items() if name not in HEAD} for one in on(weather.eyes.seen)]


def test_a_rounded_value_is_the_state_and_the_history_and_the_raw_one_is_kept(weather: Teller) -> None:
    weather.run({"temperature": 21.4567, "humidity": 40.26}, limits="[temperature]\nround = 1\nraw = true\n")
    assert records(weather) == [{"temperature": 21.5, "temperature_raw": 21.4567, "humidity": 40.26}]
    for name, value in (("temperature", 21.5), ("temperature_raw", 21.4567)):
        weather.eyes.wait_value(f"cm/told/data/{name}", value)


def test_each_filter_reaches_the_wire(weather: Teller) -> None:
    assert {*EACH} == {*FILTERS}
    lines = "".join(f"[{measure}]\n{line}\n" for measure, line, _said, _wanted in EACH.values())
    first, *others = ({measure: said[number] for measure, _line, said, _wanted in EACH.values()} for number in range(3))
    weather.run(first, limits=lines)
    found = records(weather, *others)
    for name, (measure, _line, _said, wanted) in EACH.items():
        assert [one.get(measure) for one in found] == [pytest.approx(one, abs=0.01) for one in wanted], name
        last = [one for one in wanted if one is not None][-1]
        state = [one.value for one in weather.eyes.on(f"cm/told/data/{measure}")][-1]
        assert state == pytest.approx(last, abs=0.01), name
    health = weather.health()
    assert {name for name, facts in health.items() if facts["health"] == "failing"} == {"level"}
    assert health["level"]["why"] == "60 V is more than 5 away from the last good value, 51"
    assert {health[name]["errors"] for name in ("noise", "power")} == {0}


def test_what_is_measured_is_told_as_it_is_published(weather: Teller) -> None:
    lines = '[temperature]\nlow = -40\nunit = "°F"\nround = 0\nraw = true\n[power]\ndeadband = 5\n'
    weather.run({"temperature": 21.4}, every_s=30, limits=lines)
    told: Wanted = lambda seen: [one.value["measures"] for one in seen if one.topic.endswith("status/about")]  # noqa: E731
    measures = weather.eyes.wait(told, "what it measures")[0]
    assert measures["temperature"] == {"unit": "°F", "low": -40, "high": 257, "step": 91, "every_s": 30}
    assert measures["temperature_raw"] == {"unit": "°C", "low": -40, "high": 125, "step": 50, "every_s": 30}
    assert measures["power"] == {"unit": "W", "every_s": 600}
    announced: Wanted = lambda seen: [one.value for one in seen if one.topic.startswith("homeassistant/device")]  # noqa: E731
    component = weather.eyes.wait(announced, "the announcement")[0]["cmps"]["data_temperature"]
    assert (component["unit_of_meas"], component["dev_cla"]) == ("°F", "temperature")


def test_a_value_that_is_held_back_hides_no_fault_and_is_not_stale(weather: Teller) -> None:
    weather.run({"power": 230}, every_s=0.1, limits="[power]\ndeadband = { by = 5, silence_s = 3600 }\n")
    weather.tell({"power": 4000})
    weather.eyes.wait_value("cm/told/data/power", 4000)
    weather.tell({"power": "much"})
    weather.eyes.wait_value(STATE, "fault")
    since = len(weather.eyes.seen)
    weather.tell({"power": 4001})
    weather.eyes.wait_value(STATE, "online", since)
    reads = weather.running.logged("read (")
    weather.tell({"power": 4002})
    weather.eyes.ask("cm/told", "read", "now")
    assert weather.health()["power"]["health"] == "ok"
    assert [one.value for one in weather.eyes.on("cm/told/data/power")] == [230, 4000]
    assert len(weather.running.logged("read (")) == len(reads)
    weather.tell(None)
    weather.wait_health("power", "stale", since)


def test_a_reload_changes_filters_and_the_others_go_on(weather: Teller) -> None:
    weather.run({"light": 100, "power": 1.26}, limits="[light]\nmean = 2\n[power]\nround = 1\nraw = true\n")
    weather.eyes.wait_value("cm/told/data/power_raw", 1.26)
    since = len(weather.eyes.seen)
    weather.sections("[light]\nmean = 2\n[power]\nround = 0\n")
    weather.running.send(signal.SIGHUP)
    assert weather.running.wait_log("reloaded (")[0].endswith('reloaded (changed=["filters"])')
    about: Wanted = lambda seen: [one.value for one in seen[since:] if one.topic.endswith("/about")]  # noqa: E731
    assert "power_raw" not in weather.eyes.wait(about, "what it measures now")[-1]["measures"]
    weather.eyes.wait(lambda seen: [one for one in seen if one.topic.endswith("power_raw")][-1].payload == b"", "clear")
    assert records(weather, {"light": 200, "power": 1.26})[-1] == {"light": 150, "power": 1}
    weather.running.wait_log("connected (")
    assert {one.value for one in weather.eyes.on(STATE)} <= {"starting", "online"}
