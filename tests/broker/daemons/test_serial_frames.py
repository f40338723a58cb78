"""Devices that speak in frames, on a real broker: what they say, silence, a port that is gone, and their return."""

from collections.abc import Iterator
from functools import reduce
from pathlib import Path

import pytest

from support.spoken import Spoken
from support.world import Broker, Eyes, House, Running

FAST = "every_s = 0.3\n"
HERE = "cm-private/it"  # a position is private


def sentence(text: str) -> bytes:
    return f"${text}*{reduce(lambda one, other: one ^ other, text.encode()):02X}\r\n".encode()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Spoken]:
    with Spoken(tmp_path / "port") as made:
        yield made


def start(house: House, broker: Broker, port: Spoken, kind: str, more: str = "") -> Running:
    house.write(broker.port, top="heartbeat_s = 0.2")
    house.device("it", f'kind = "{kind}"\nport = "{port.path}"\n{FAST}{more}')
    return house.run("it")


def wait_why(eyes: Eyes, why: str, sensor: str = "cm/it") -> None:
    eyes.wait(lambda _: [one for one in eyes.on(f"{sensor}/status/heartbeat") if why in (one.value["why"] or "")], why)


def wait_health(eyes: Eyes, measure: str, health: str, since: int, sensor: str = "cm/it") -> None:
    def is_so(_: list[object]) -> bool:
        found = [one for one in eyes.seen[since:] if one.topic == f"{sensor}/status/health"]
        return bool(found) and found[-1].value.get(measure, {}).get("health") == health

    eyes.wait(is_so, f"{measure} is {health}")  # type: ignore[arg-type]


METER = b"/XMX5LGBBFG1\r\n\r\n1-0:1.8.1(012345.678*kWh)\r\n1-0:1.7.0(01.193*kW)\r\n!\r\n"


def test_a_meter_falls_silent_is_pulled_out_and_comes_back(
    house: House, broker: Broker, eyes: Eyes, port: Spoken
) -> None:
    port.plays(METER[30:], METER.replace(b"12345", b"12\x0045"), METER)
    running = start(house, broker, port, "smartmeter", 'standard = "dsmr3"\n')
    eyes.wait_value("cm/it/data/energy_in_1", 12345.678)
    eyes.wait_value("cm/it/data/power", 1193)
    eyes.wait_value("cm/it/status/state", "online")
    since = len(eyes.seen)
    port.unplug()
    wait_why(eyes, f"No such file or directory: '{port.path}'")
    eyes.wait_value("cm/it/status/state", "fault", since)
    wait_health(eyes, "power", "absent", since)
    port.plug_in()
    port.plays(METER.replace(b"12345", b"12346"))
    eyes.wait_value("cm/it/data/energy_in_1", 12346.678)
    eyes.wait_value("cm/it/status/state", "online", since)
    about = eyes.on("cm/it/status/about")[-1].value["measures"]
    assert {*about} == {"energy_in_1", "power"}, "what this one has"
    assert about["energy_in_1"]["counter"]
    assert running.stop() == 0
    since = len(eyes.seen)
    house.run("it")
    (first, *_) = eyes.wait(
        lambda seen: [one for one in seen[since:] if one.topic == "cm/it/status/about"], "what it is"
    )
    assert {*first.value["measures"]} == {"energy_in_1", "power"}, "known from before"


def test_a_receiver_of_gps_without_a_fix_has_no_position(
    house: House, broker: Broker, eyes: Eyes, port: Spoken
) -> None:
    there = [sentence("GPGGA,1,3351.000,S,01825.500,W,1,08,0.9,1,M,,M,,"), sentence("GPRMC,1,A,,,,,010.0,,230394,,")]
    nowhere = [sentence("GPGGA,2,,,,,0,02,,,M,,M,,"), sentence("GPRMC,2,V,,,,,,,230394,,")]
    port.plays(*nowhere)
    start(house, broker, port, "gps")
    eyes.wait_value(f"{HERE}/data/fix", "none")
    wait_health(eyes, "latitude", "failing", 0, HERE)
    assert not eyes.on(f"{HERE}/data/latitude")
    since = len(eyes.seen)
    port.quiet()
    port.plays(*there)
    eyes.wait_value(f"{HERE}/data/latitude", -33.85)
    eyes.wait_value(f"{HERE}/data/longitude", -18.425)
    eyes.wait_value(f"{HERE}/data/speed", 18.52)
    eyes.wait_value(f"{HERE}/status/state", "online", since)
    since = len(eyes.seen)
    port.quiet()
    port.plays(*nowhere)
    wait_health(eyes, "latitude", "failing", since, HERE)
    wait_why(eyes, "no fix (satellites: 2); can its aerial see the sky?", HERE)


def test_a_sensor_of_dust_that_falls_silent_says_so(house: House, broker: Broker, eyes: Eyes, port: Spoken) -> None:
    frame = b"\xaa\xc0\x19\x00\xc8\x00\x00\x00\xe1\xab"
    port.plays(frame[:4], frame, frame[:-2] + b"\x00\xab")
    running = start(house, broker, port, "air", 'make = "sds011"\n')
    eyes.wait_value("cm/it/data/pm2_5", 2.5)
    eyes.wait_value("cm/it/data/pm10", 20)
    port.quiet()
    wait_why(eyes, f"{port.path} is open, but nothing came for 5 s; look at wires and power")
    assert running.stop() == 0, "while it waits for the port"


def test_a_sensor_of_co2_is_told_not_to_calibrate_itself(
    house: House, broker: Broker, eyes: Eyes, port: Spoken
) -> None:
    port.answers(lambda question: bytes.fromhex("ff8602200000000058") if question[2] == 0x86 else b"")
    start(house, broker, port, "co2_serial", 'make = "mh-z19"\nautocalibration = false\n')
    eyes.wait_value("cm/it/data/co2", 544)
    eyes.wait(lambda _: bytes.fromhex("ff0179000000000086") in b"".join(port.asked), "the command")
