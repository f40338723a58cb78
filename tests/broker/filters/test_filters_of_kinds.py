"""Filters of what is not read in turn: the edges of a contact, and the adopted sensors of a gateway."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.plugged import Plugged
from support.world import Broker, Eyes, House, Wanted, Wires

PATTERNS = ["TEMP,{id},{temperature}", "HYGR,{id},{humidity}"]
SHED = """[sensors.shed]
id = 5

[sensors.shed.temperature]
unit = "°F"
round = 1

[sensors.shed.derive]
dew_point = "dew_point(temperature, humidity)"

[sensors.shed.dew_point]
round = 0
"""


@pytest.fixture
def nano(tmp_path: Path) -> Iterator[Plugged]:
    made = Plugged(tmp_path)
    yield made
    made.close()


def test_an_edge_of_a_contact_is_inverted(wires: Wires, broker: Broker, eyes: Eyes) -> None:
    wires.house.write(broker.port)
    wires.run("front", 'kind = "door"\npin = 17\nbounce_s = 0.0\nevery_s = 3600\n[open]\ninvert = true\nraw = true\n')
    eyes.wait_value("cm/front/data/open", value=False)  # a line that nobody drives is high: the magnet is away
    eyes.wait_value("cm/front/data/open_raw", value=True)
    wires.line(17).drive(False)
    eyes.wait_value("cm/front/data/open", value=True)
    eyes.wait_value("cm/front/data/open_raw", value=False)


def test_an_adopted_sensor_is_filtered_and_what_follows_is_derived(
    house: House, broker: Broker, eyes: Eyes, nano: Plugged
) -> None:
    house.write(broker.port)
    head = f'kind = "lines"\nport = "{nano.path}"\npatterns = {json.dumps(PATTERNS)}\n'
    house.device("nano", head + SHED)
    running = house.run("nano")
    eyes.wait_value("cm/nano/status/state", "online")
    eyes.wait_value("cm/shed/status/state", "online")
    nano.write("TEMP,5,20", "HYGR,5,50")
    eyes.wait_value("cm/shed/data/temperature", 68)
    eyes.wait_value("cm/shed/data/dew_point", 49)  # 9.26 °C
    told: Wanted = lambda seen: [one.value["measures"] for one in seen if one.topic == "cm/shed/status/about"]  # noqa: E731
    measures = eyes.wait(lambda seen: [one for one in told(seen) if len(one) == 3], "all that it measures")[-1]
    units = {name: one["unit"] for name, one in measures.items()}
    assert units == {"temperature": "°F", "humidity": "%", "dew_point": "°F"}
    house.device("nano", head + SHED.replace("round = 1", "round = 0"))
    running.send(signal.SIGHUP)
    running.wait_log("reloaded (")
    nano.write("TEMP,5,21.3")
    eyes.wait_value("cm/shed/data/temperature", 70)
    assert {one.value for one in eyes.on("cm/shed/status/state")} <= {"starting", "online"}
