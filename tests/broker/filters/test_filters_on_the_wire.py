"""Each filter reaches the wire: what a device reads is not what is published."""

from typing import Any

import pytest

from support.teller import READING, Teller
from support.world import Broker, Eyes, House, Wanted


@pytest.fixture
def weather(house: House, broker: Broker, eyes: Eyes) -> Teller:
    return Teller(house, broker, eyes, "filtered_devices.Weather")


def published(weather: Teller, *readings: dict[str, Any]) -> list[dict[str, Any]]:
    """The values in the records of the history after these readings."""
    for reading in readings:
        weather.read(reading)
    records: Wanted = lambda seen: [one.value for one in seen if one.topic == READING]  # noqa: E731
    head = {"time", "run", "seq", "calibration"}
    return [{name: value for name, value in one.items() if name not in head} for one in records(weather.eyes.seen)]


def test_a_rounded_value_is_the_state_and_the_history_and_the_raw_one_is_kept(weather: Teller) -> None:
    weather.run({"temperature": 21.4567, "humidity": 40.26}, limits="[temperature]\nround = 1\nraw = true\n")
    weather.eyes.wait_value("cm/told/data/temperature", 21.5)
    assert published(weather) == [{"temperature": 21.5, "temperature_raw": 21.4567, "humidity": 40.26}]
    for name, value in (("temperature", 21.5), ("temperature_raw", 21.4567)):
        weather.eyes.wait_value(f"cm/told/data/{name}", value)
