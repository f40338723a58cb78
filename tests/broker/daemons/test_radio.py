"""A radio receiver: a real rtl_433 hears transmitters of our own, and each is a sensor on a real broker."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.air import Air, listens
from support.transmitters import alecto_rain, alecto_temperature, alecto_wind, nexus
from support.world import Broker, Eyes, House, Running


@pytest.fixture
def air(tmp_path: Path) -> Iterator[Air]:
    air = Air(tmp_path)
    yield air
    air.close()


def stick(air: Air, *sections: str, more: str = "") -> str:
    return f'kind = "radio"\ninput = "{air.input}"\n{more}\n' + "\n".join(sections)


ALECTO = '[sensors.alecto1]\nmodel = "AlectoV1"\nid = 44\nchannel = 1\n'
SHED = '[sensors.shed]\nmodel = "Nexus-TH"\nid = 181\nchannel = 2\n'


def start(house: House, broker: Broker, text: str) -> Running:
    house.write(broker.port, top="heartbeat_s = 0.5")
    house.device("stick", text)
    return house.run("stick")


def readings(eyes: Eyes, sensor: str) -> list[dict[str, Any]]:
    return [one.value for one in eyes.on(f"cm/{sensor}/data/reading")]


def test_a_station_is_one_sensor_whatever_it_speaks_as(house: House, broker: Broker, eyes: Eyes, air: Air) -> None:
    running = start(house, broker, stick(air, ALECTO, SHED))
    eyes.wait_value("cm/alecto1/status/state", "online")
    air.send(alecto_temperature(44, -0.5, 81), nexus(181, 2, -12.3, 33, battery=False))
    eyes.wait_value("cm/alecto1/data/temperature", -0.5)
    eyes.wait_value("cm/alecto1/data/humidity", 81)
    eyes.wait_value("cm/alecto1/data/battery", "ok")
    eyes.wait_value("cm/shed/data/temperature", -12.3)
    eyes.wait_value("cm/shed/data/battery", "low")
    eyes.wait_value("cm/stick/data/searching", value=False)
    listens(running, 16, 19)
    air.send(alecto_wind(44, 1.4, 3, 135), alecto_rain(44, 12.75))
    eyes.wait_value("cm/alecto1/data/wind_avg", 1.4)
    eyes.wait_value("cm/alecto1/data/wind_max", 3)
    eyes.wait_value("cm/alecto1/data/wind_dir", 135)
    eyes.wait_value("cm/alecto1/data/rain", 12.75)
    assert running.stop() == 0
    assert len(readings(eyes, "alecto1")) == 3
    about = eyes.on("cm/alecto1/status/about")[-1].value
    assert {name: one["unit"] for name, one in about["measures"].items()} == {
        "temperature": "°C",
        "humidity": "%",
        "battery": "str",
        "wind_avg": "m/s",
        "wind_max": "m/s",
        "wind_dir": "°",
        "rain": "mm",
    }
    assert about["measures"]["rain"]["counter"] is True
