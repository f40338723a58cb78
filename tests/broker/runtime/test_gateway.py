"""A gateway: one process with many sensors, which nobody on the wire can tell from sensors with one of their own."""

import signal
import time

from support.radio import radio, say
from support.world import Broker, Eyes, House, Running, Seen, eventually, retained

COUNT = 20
SENSORS = [f"s{number}" for number in range(1, COUNT + 1)]


def start(house: House, broker: Broker, text: str, top: str = "heartbeat_s = 0.5") -> Running:
    house.write(broker.port, top=top)
    house.device("radio", text)
    return house.run("radio")


def readings(eyes: Eyes, sensor: str) -> list[dict[str, object]]:
    return [one.value for one in eyes.on(f"cm/{sensor}/data/reading")]


def wait_readings(eyes: Eyes, sensor: str, count: int) -> None:
    eyes.wait(lambda _: len(readings(eyes, sensor)) >= count, f"{count} readings of {sensor}")


def reload(house: House, running: Running, text: str) -> None:
    done = len(running.logged("reloaded ("))
    house.device("radio", text)
    running.send(signal.SIGHUP)
    running.wait_log("reloaded (", done + 1)


def test_each_sensor_has_its_own_birth_life_and_end(house: House, broker: Broker, eyes: Eyes) -> None:
    running = start(house, broker, radio(COUNT))
    eyes.wait_online("radio", *SENSORS)
    for value in range(3):
        for number in range(1, COUNT + 1):
            say(house.folder, id=number, temperature=value)
    for sensor in SENSORS:
        wait_readings(eyes, sensor, 3)
        assert [(one["seq"], one["temperature"]) for one in readings(eyes, sensor)] == [(1, 0), (2, 1), (3, 2)]
    runs = {readings(eyes, sensor)[0]["run"] for sensor in SENSORS}
    assert len(runs) == COUNT
    about = eyes.on("cm/s1/status/about")[-1].value
    assert about["measures"]["temperature"]["unit"] == "°C"
    assert running.stop() == 0
    for sensor in ("radio", *SENSORS):
        eyes.wait_value(f"cm/{sensor}/status/state", "stopped")
        assert "lost" not in [one.value for one in eyes.on(f"cm/{sensor}/status/state")]


def test_a_kill_is_told_of_each_and_all_come_back(house: House, broker: Broker, eyes: Eyes) -> None:
    running = start(house, broker, radio(COUNT))
    eyes.wait_online("radio", *SENSORS)
    killed = time.monotonic()
    running.process.kill()
    seen = [eyes.wait_value(f"cm/{sensor}/status/state", "lost") for sensor in ("radio", *SENSORS)]
    assert max(one.at for one in seen) - killed < 1
    since = len(eyes.seen)
    house.run("radio")
    eyes.wait_online("radio", *SENSORS, since=since)
    told = retained(broker.port)
    assert {told[f"cm/{sensor}/status/state"] for sensor in ("radio", *SENSORS)} == {"online"}


def test_one_comes_one_changes_and_one_goes_while_the_others_miss_nothing(
    house: House, broker: Broker, eyes: Eyes
) -> None:
    new, last, other = f"s{COUNT + 1}", f"s{COUNT}", f"s{COUNT - 1}"
    running = start(house, broker, radio(COUNT, "babble_s = 0.05"))
    eyes.wait_online("radio", *SENSORS)
    text = radio(COUNT + 1, "babble_s = 0.05")
    reload(house, running, text)  # one comes
    eyes.wait_online(new)
    reload(house, running, text.replace(f"id = {COUNT}\n", "id = 1000\n"))  # one changes
    eyes.wait_value(f"cm/{last}/status/state", "online")
    reload(house, running, radio(COUNT - 1, "babble_s = 0.05"))  # two go
    for gone in (last, new):
        eyes.wait_value(f"cm/{gone}/status/state", "stopped")
    since = len(readings(eyes, other))
    wait_readings(eyes, other, since + 3)
    assert running.stop() == 0
    for sensor in SENSORS[:-1]:
        eyes.wait_value(f"cm/{sensor}/status/state", "stopped")
        found = readings(eyes, sensor)
        assert len({one["run"] for one in found}) == 1
        assert [one["seq"] for one in found] == [*range(1, len(found) + 1)]
        states = [one.value for one in eyes.on(f"cm/{sensor}/status/state")]
        assert states in (["starting", "online", "stopped"], ["online", "stopped"])


def test_a_bad_section_is_told_and_costs_the_others_nothing(house: House, broker: Broker, eyes: Eyes) -> None:
    running = start(house, broker, radio(3) + "\n[sensors.s4]\nidd = 4\n")
    eyes.wait_online("s1", "s2", "s3")
    eyes.wait_value("cm/radio/status/state", "fault")
    heard = lambda seen: [one for one in seen if one.topic == "cm/radio/status/heartbeat" and one.value["why"]]  # noqa: E731
    assert "devices/radio.toml:16: no setting 'idd'; did you mean 'id'?" in eyes.wait(heard, "why")[-1].value["why"]
    reload(house, running, radio(3).replace("id = 2\n", 'id = "2"\n'))  # one that runs goes on as it was
    eyes.wait_value("cm/s2/status/state", "fault")
    since = len(eyes.seen)
    eyes.wait_value("cm/radio/status/state", "online")
    say(house.folder, id=2, temperature=5)
    eyes.wait_value("cm/s2/data/temperature", 5)
    reload(house, running, radio(4))
    eyes.wait_online("s2", "s4", since=since)
    assert running.stop() == 0


def test_what_nobody_adopted_is_listed_until_somebody_does(house: House, broker: Broker, eyes: Eyes) -> None:
    running = start(house, broker, radio(1))
    eyes.wait_online("s1")
    say(house.folder, id=44, temperature=7)
    one = eyes.wait(
        lambda seen: [
            one.value["heard"] for one in seen if one.topic == "cm/radio/status/unknown" and one.value["heard"]
        ],
        "it is listed",
    )[0][0]
    assert (one["key"], one["count"]) == ({"model": "AlectoV1", "id": 44}, 1)
    assert one["example"] == '{"temperature": 7}'
    reload(house, running, radio(1) + "\n[sensors.shed]\nid = 44\n")
    eyes.wait_online("shed")
    say(house.folder, id=44, temperature=8)
    eyes.wait_value("cm/shed/data/temperature", 8)
    assert retained(broker.port)["cm/radio/status/unknown"] == {"heard": [], "dropped": 0}
    assert running.stop() == 0


def test_a_second_one_of_a_name_ends_alone_and_comes_back(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port, top="heartbeat_s = 0.5")
    house.device("s2", "kind = 'support.odd_devices.Odd'\ndiary = 'diary'\n")
    first = house.run("s2")
    eyes.wait_online("s2")
    running = start(house, broker, radio(3))
    eyes.wait_online("s1", "s3", "radio")
    assert "cm/s2: this sensor cannot continue" in running.wait_log("this sensor cannot continue")[0]
    assert first.stop() == 0
    since = len(eyes.seen)
    eyes.wait_online("s2", since=since)
    about = lambda seen: [one for one in seen[since:] if one.topic == "cm/s2/status/about"]  # noqa: E731
    assert eyes.wait(about, "its birth")[-1].value["kind"] == "support.radio.Radio"
    assert running.stop() == 0


def test_a_sensor_whose_setup_fails_is_in_fault_and_tried_again(house: House, broker: Broker, eyes: Eyes) -> None:
    (house.folder / "gone").touch()
    running = start(house, broker, radio(2) + '\n[sensors.s3]\nid = 3\nabsent = "gone"\n')
    eyes.wait_online("s1", "s2")
    eyes.wait_value("cm/s3/status/state", "fault")
    assert eyes.ask("cm/s3", "set", "on")["result"] == "refused"
    (house.folder / "gone").unlink()
    eyes.wait_online("s3")
    assert eyes.ask("cm/s3", "set", "on")["result"] == "done"
    eventually(lambda: (house.folder / "sent").read_text() == "3 on\n", "the gateway sends it")
    assert running.stop() == 0


def test_a_value_that_cannot_be_true_is_the_fault_of_one(house: House, broker: Broker, eyes: Eyes) -> None:
    running = start(house, broker, radio(2) + "\n[sensors.s2.temperature]\nhigh = 30\n")
    eyes.wait_online("s1", "s2")
    say(house.folder, id=1, temperature=35)
    say(house.folder, id=2, temperature=35)
    eyes.wait_value("cm/s1/data/temperature", 35)
    eyes.wait_value("cm/s2/status/state", "fault")
    logged = running.wait_log("cannot read the device")
    assert ": error cm/s2: " in logged[0].replace("Z error", ": error")
    assert running.stop() == 0


def test_heartbeats_go_out_in_one_turn(house: House, broker: Broker, eyes: Eyes) -> None:
    running = start(house, broker, radio(COUNT), top="heartbeat_s = 1")
    eyes.wait_online("radio", *SENSORS)

    def beats(_seen: list[Seen]) -> bool:
        return all(len(eyes.on(f"cm/{sensor}/status/heartbeat")) >= 4 for sensor in SENSORS)

    eyes.wait(beats, "heartbeats")
    at = [eyes.on(f"cm/{sensor}/status/heartbeat")[-1].value["time"] for sensor in SENSORS]
    seconds = [float(one[17:26]) for one in at]
    apart = max(abs((one - seconds[0] + 30) % 60 - 30) % 1 for one in seconds)
    assert min(apart, 1 - apart) < 0.3
    assert running.stop() == 0


def test_the_group_of_a_gateway_is_that_of_all(house: House, broker: Broker, eyes: Eyes) -> None:
    running = start(house, broker, radio(2, 'group = "z-wave"'))
    for sensor in ("radio", "s1", "s2"):
        eyes.wait_value(f"z-wave/{sensor}/status/state", "online")
    assert running.stop() == 0
