"""What is derived reaches the wire like any measure: its value, its health, what others are told of it."""

import json
import signal
from typing import Any

import pytest

from bootstrap.filters.linear import Calibrate
from bootstrap.history.points import point
from support.teller import HEALTH, READING, STATE, Teller
from support.world import Broker, Eyes, House, Wanted

DEW = '[derive]\ndew_point = "dew_point(temperature, humidity)"\n'
ABOUT = "cm/told/status/about"


@pytest.fixture
def weather(house: House, broker: Broker, eyes: Eyes) -> Teller:
    return Teller(house, broker, eyes, "filtered_devices.Weather")


def last(eyes: Eyes, topic: str) -> Any:
    return eyes.on(topic)[-1].value


def test_a_dew_point_with_its_health(weather: Teller) -> None:
    weather.run({"temperature": 20, "humidity": 50}, limits=f"{DEW}[dew_point]\nround = 1\n")
    weather.eyes.wait_value("cm/told/data/dew_point", 9.3)
    told: Wanted = lambda seen: [one.value["measures"] for one in seen if one.topic == ABOUT]  # noqa: E731
    measures = weather.eyes.wait(told, "what it measures")[0]
    facts = {"unit": "°C", "every_s": 3600, "derived": "dew_point(temperature, humidity)"}
    assert measures["dew_point"] == facts
    assert weather.read({"temperature": 20, "humidity": 150}) == "150 % is not within 0 to 100"
    weather.eyes.wait_value(STATE, "fault")
    health = weather.health()["dew_point"]
    assert (health["health"], health["why"]) == ("failing", "humidity: 150 % is not within 0 to 100")
    assert last(weather.eyes, "cm/told/data/dew_point") == 9.3
    since = len(weather.eyes.seen)
    assert weather.read({"temperature": 20, "humidity": 0}) is None  # nothing is wrong with the device
    failing = weather.wait_health("dew_point", "failing", since)
    assert failing["why"] == "air of 0 % has no dew point"
    weather.read({"temperature": 20, "humidity": 80})
    weather.eyes.wait_value("cm/told/data/dew_point", 16.4)
    weather.eyes.wait_value(STATE, "online", since)
    weather.eyes.wait(lambda seen: len([1 for one in seen if one.topic == READING]) == 4, "the records")
    assert [one.value.get("dew_point") for one in weather.eyes.on(READING)] == [9.3, None, None, 16.4]


def test_an_integral_goes_on_after_a_restart(weather: Teller) -> None:
    limits = '[derive]\nenergy = "integral(power, 1s)"\n'
    weather.run({"power": 1000}, every_s=0.2, limits=limits)
    more: Wanted = lambda seen: [one.value for one in seen if one.topic == "cm/told/data/energy" and one.value > 500]  # noqa: E731
    weather.eyes.wait(more, "energy")
    assert weather.running.stop() == 0
    before, since = last(weather.eyes, "cm/told/data/energy"), len(weather.eyes.seen)
    weather.run({"power": 0}, every_s=3600, limits=limits)
    weather.eyes.wait(lambda seen: [one for one in seen[since:] if one.topic == "cm/told/data/energy"], "energy")
    assert last(weather.eyes, "cm/told/data/energy") == pytest.approx(before, abs=0.001)
    assert last(weather.eyes, ABOUT)["measures"]["energy"]["unit"] == "W·s"


def test_a_difference_to_another_sensor(weather: Teller, house: House) -> None:
    limits = '[derive]\ncolder = "difference(temperature, cm/attic/data/level)"\n'
    weather.run({"temperature": 20}, limits=limits)
    told: Wanted = lambda seen: [one.value["colder"] for one in seen if one.topic == HEALTH and "colder" in one.value]  # noqa: E731
    first = weather.eyes.wait(told, "its health")[0]
    assert (first["health"], first["errors"]) == ("ok", 0)  # what it subtracts may still be on its way
    while not [one for one in told(weather.eyes.seen) if one["health"] == "failing"]:
        weather.eyes.ask("cm/told", "read", "now")
    assert weather.wait_health("colder", "failing")["why"].startswith("cm/attic/data/level: ")
    house.device("attic", 'kind = "support.odd_devices.Told"\nfile = "attic.json"\n')
    (house.folder / "attic.json").write_text(json.dumps({"level": 5}))
    attic = house.run("attic", program=None)
    weather.eyes.wait_value("cm/attic/status/state", "online")

    while not weather.eyes.on("cm/told/data/colder"):
        weather.eyes.ask("cm/told", "read", "now")
    assert last(weather.eyes, "cm/told/data/colder") == 15
    weather.eyes.wait_value(STATE, "online")
    attic.stop()
    weather.eyes.wait_value("cm/attic/status/state", "stopped")
    since = len(weather.eyes.seen)
    weather.read({"temperature": 20})
    assert "stopped" in weather.wait_health("colder", "failing", since)["why"]


def test_a_derived_measure_comes_and_goes_with_a_reload(weather: Teller) -> None:
    weather.run({"temperature": 20, "humidity": 50})
    weather.sections(DEW)
    weather.running.send(signal.SIGHUP)
    weather.running.wait_log("reloaded (")
    weather.read({"temperature": 20, "humidity": 50})
    weather.eyes.wait_value("cm/told/data/dew_point", 9.26)
    assert weather.health()["dew_point"]["health"] == "ok"
    weather.sections("")
    weather.running.send(signal.SIGHUP)
    weather.eyes.wait(lambda seen: [one for one in seen if one.topic.endswith("/dew_point")][-1].payload == b"", "gone")
    weather.eyes.wait(
        lambda seen: "dew_point" not in [one for one in seen if one.topic == ABOUT][-1].value["measures"], "about"
    )


def test_a_reading_names_the_calibration_of_its_values_and_the_history_keeps_it(weather: Teller) -> None:
    line = "calibrate = { points = [[0.3, 0], [99.1, 100]] }"
    weather.run({"temperature": 49.7, "humidity": 40}, limits=f"[temperature]\n{line}\n")
    weather.eyes.wait(lambda seen: [one for one in seen if one.topic == READING], "a reading")
    reading = weather.eyes.on(READING)[0]
    known = Calibrate(points=[[0.3, 0], [99.1, 100]]).id
    assert (reading.value["temperature"], reading.value["calibration"]) == (50, {"temperature": known})
    assert last(weather.eyes, ABOUT)["measures"]["temperature"]["calibration"] == known
    fields = point(READING, reading.payload).fields
    assert fields == {"temperature": 50.0, "humidity": 40.0, "calibration": f'{{"temperature":"{known}"}}'}
