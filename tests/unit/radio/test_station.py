"""What a station is: what it has sent, and which unknown transmitter may be it with a new battery."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bootstrap.radio.station import RadioSensor
from bootstrap.radio.successors import Successors
from bootstrap.radio.transmission import Key, key_of, transmission
from penates.testing import Bench
from support.world import eventually

NEVER_S = 3600.0


def key(id_: int, channel: int = 2) -> Key:
    return key_of("Nexus-TH", id_, channel)


class House:
    """A house with two adopted ones: `shed`, which is silent, and `attic`, which is not."""

    def __init__(self, stack: ExitStack) -> None:
        self.shed = RadioSensor(model="Nexus-TH", id=1, channel=2, every_s=0.001)
        self.attic = RadioSensor(model="Nexus-TH", id=2, channel=2, every_s=NEVER_S)
        for one in (self.shed, self.attic):
            stack.enter_context(Bench(one))
            one.hear(transmission('{"model" : "Nexus-TH", "temperature_C" : 1.000}', 0))
        self.sensors = {"shed": self.shed, "attic": self.attic}
        self.kept = self.shed.keep("followed", dict[str, object]())
        self.successors = Successors(lambda: self.sensors, self.kept)
        eventually(lambda: self.shed.silent, "it is silent")


@pytest.fixture
def house() -> Iterator[House]:
    with ExitStack() as stack:
        yield House(stack)


def test_the_only_one_of_its_kind_is_offered(house: House) -> None:
    assert house.successors.consider(key(7)) == "shed"
    assert house.shed.facts() == {"successor": key(7)}
    assert house.successors.sensor(key(7)) is None
    house.successors.returned("shed", house.shed)
    assert house.shed.facts() == {}


def test_of_two_nobody_is_offered(house: House) -> None:
    house.shed.follow = True
    assert house.successors.consider(key(7)) == "shed"
    assert house.successors.consider(key(8)) is None
    assert house.successors.consider(key(7)) is None
    assert house.successors.sensor(key(7)) is None


@pytest.mark.parametrize("other", [key(7, channel=3), key_of("Prologue-TH", 7, 2), key_of("Nexus-TH", 7, None)])
def test_another_channel_or_model_is_another_one(house: House, other: Key) -> None:
    assert house.successors.consider(other) is None


def test_where_two_are_silent_nobody_knows_which_it_is(house: House) -> None:
    house.attic.every_s = 0.001
    eventually(lambda: house.attic.silent, "the other is silent, too")
    assert house.successors.consider(key(7)) is None


def test_one_that_is_followed_is_taken_once_it_was_heard_twice(house: House) -> None:
    house.shed.follow = True
    assert house.successors.consider(key(7)) == "shed"
    assert house.successors.sensor(key(7)) is None  # noise is heard once
    assert house.successors.consider(key(7)) == "shed"
    assert house.successors.sensor(key(7)) is house.shed
    assert house.shed.facts() == {"followed": key(7)}
    assert house.successors.has_left("shed", key(1))
    assert not house.successors.has_left("attic", key(2))


def test_who_was_there_before_is_a_neighbour(house: House) -> None:
    house.shed.follow = True
    assert house.successors.consider(key(7)) == "shed"
    house.shed.hear(transmission('{"model" : "Nexus-TH", "temperature_C" : 2.000}', 0))
    house.successors.returned("shed", house.shed)
    eventually(lambda: house.shed.silent, "it is silent again")
    assert [house.successors.consider(key(7)) for _ in range(3)] == [None] * 3
    assert house.successors.consider(key(8)) == "shed"  # which nobody has heard before
    assert house.successors.consider(key(8)) == "shed"
    assert house.shed.facts() == {"followed": key(8)}


def test_one_that_was_not_heard_since_the_start_is_only_offered(house: House) -> None:
    """Whether the other was there before nobody knows."""
    house.shed.follow, house.shed.was_heard = True, False
    assert [house.successors.consider(key(7)) for _ in range(3)] == ["shed"] * 3
    assert house.shed.facts() == {"successor": key(7)}


def test_a_section_with_a_new_id_ends_that(house: House) -> None:
    house.kept.value = {"shed": {"from": key(1), "to": key(7)}}
    assert house.successors.sensor(key(7)) is house.shed
    house.shed.id = 9
    assert house.successors.sensor(key(7)) is None
    assert not house.successors.has_left("shed", key(9))


def test_a_station_measures_what_it_has_ever_sent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "penates")
    line = '{"model" : "X", "id" : 44, "battery_ok" : 0.667, "strange" : 3, "rain_in" : 1.000}'
    station = RadioSensor(model="X", id=44)
    with Bench(station, tmp_path):
        assert [*station.measures] == ["snr"]  # which becomes stale if it is never heard
        assert station.hear(transmission(line, 0)) == {"battery": 67, "strange": 3, "rain": 25.4}
    again = RadioSensor(model="X", id=44)
    with Bench(again, tmp_path):
        assert {name: one.unit for name, one in again.measures.items()} == {
            "battery": "%",
            "strange": "1",
            "rain": "mm",
        }
        assert again.measures["rain"].counter
    assert "kept as it is" in caplog.text


def test_an_alecto_near_a_hidden_value_is_excused_while_it_is_heard() -> None:
    station = RadioSensor(model="AlectoV1", id=44, every_s=NEVER_S)
    with Bench(station):
        line = '{"model" : "AlectoV1-Temperature", "id" : 44, "temperature_C" : %s, "humidity" : 50}'
        station.hear(transmission(line % 19.3, 0))
        assert station.excuses("temperature")
        assert station.excuses("humidity")
        station.hear(transmission(line % 20.0, 0))
        assert not station.excuses("temperature")
        station.hear(transmission(line % 19.3, 0))
        station.every_s = 0.001
        eventually(lambda: not station.excuses("temperature"), "a station that is silent has no excuse")
