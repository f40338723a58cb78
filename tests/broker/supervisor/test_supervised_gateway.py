"""A gateway below the supervisor: each sensor that it carries is told of."""

import json

from support.radio import radio, say
from support.world import Broker, House, eventually


def states(house: House) -> dict[str, str]:
    return {one["sensor"]: one["state"] for one in house.status()["radio"]["carries"]}


def test_status_tells_of_each_and_a_reload_of_one_restarts_nothing(house: House, broker: Broker) -> None:
    house.write(broker.port, top="heartbeat_s = 0.5")
    house.device("radio", radio(12))
    parent = house.supervise()
    eventually(lambda: states(house) == {f"cm/s{number}": "online" for number in range(1, 13)}, "all are online")
    pid = house.pids()["radio"]
    assert "carries cm/s12: online" in house.penates("status").stdout
    assert house.penates("status").returncode == 0
    say(house.folder, id=3, temperature=500)
    eventually(lambda: states(house)["cm/s3"] == "fault", "one is in fault")
    done = house.penates("status", "--json")
    carried = {one["sensor"]: one for one in json.loads(done.stdout)["sensors"][0]["carries"]}
    assert "500 °C is not within -40 to 70" in carried["cm/s3"]["why"]
    assert done.returncode == 1
    house.device("radio", radio(11) + "\n[sensors.s13]\nid = 13\n[sensors.s14]\n")
    assert house.penates("reload").returncode == 1
    eventually(lambda: "cm/s12" not in states(house) and states(house).get("cm/s13") == "online", "one for another")
    assert house.pids()["radio"] == pid
    assert "devices/radio.toml" in house.status()["radio"]["status"]
    assert house.penates("check").returncode == 78
    stopped = house.penates("stop")
    assert stopped.returncode == 0, parent.log
    parent.wait()
