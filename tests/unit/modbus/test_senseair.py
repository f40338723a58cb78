"""The Senseair S8 and K30, on a slave that has their registers."""

import time

import pytest

from bootstrap.errors import NoReading
from bootstrap.modbus import senseair
from daemons.co2_serial import Co2Serial
from penates.testing import Bench
from support.modbus_slave import Slave, summed
from support.spoken import Spoken


@pytest.fixture(autouse=True)
def powered_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senseair, "STEADY_S", min(30.0, time.monotonic()))


def slave(co2: int, status: int = 0, period_h: int = 180) -> Slave:
    return Slave({4: {0: status, 1: 0, 2: 0, 3: co2}, 3: {31: period_h}}, address=104)


@pytest.mark.parametrize(
    ("autocalibration", "before_h", "written"),
    [(True, 0, [(31, 180)]), (False, 180, [(31, 0)]), (True, 168, []), (False, 0, [])],
)
def test_it_is_read_and_told_whether_to_calibrate_itself(
    port: Spoken, autocalibration: bool, before_h: int, written: list[tuple[int, int]]
) -> None:
    sensor = slave(612, period_h=before_h)
    port.answers(sensor.answer)
    with Bench(Co2Serial(port=port.place, make="senseair", autocalibration=autocalibration)) as bench:
        assert [bench.read(), bench.read()] == [{"co2": 612}, {"co2": 612}]
    assert sensor.written == written
    assert port.asked[0] == summed(bytes.fromhex("fe 04 00 00 00 04"))


def test_one_that_refuses_its_setting_measures_nevertheless(port: Spoken) -> None:
    sensor = Slave({4: {0: 0, 1: 0, 2: 0, 3: 612}}, address=104)
    port.answers(sensor.answer)
    with Bench(Co2Serial(port=port.place, make="senseair")) as bench:
        assert [bench.read(), bench.read()] == [{"co2": 612}, {"co2": 612}]
    assert sensor.written == []
    assert len(port.asked) == 3, "its setting is asked for once"


def test_the_example_of_its_document() -> None:
    """`FE 04 00 03 00 01` asks for the value alone, and 400 ppm is `FE 04 02 01 90`."""
    assert slave(400).answer(bytes.fromhex("fe 04 00 03 00 01 d5 c5")) == bytes.fromhex("fe 04 02 01 90 ac d8")


@pytest.mark.parametrize(
    ("status", "why"),
    [(0x01, "reports a fatal error"), (0x20, "out of its range"), (0x44, "algorithm and an error of")],
)
def test_an_error_that_it_reports_is_no_value(port: Spoken, status: int, why: str) -> None:
    port.answers(slave(612, status).answer)
    with pytest.raises(ValueError, match=why):
        Co2Serial(port=port.place, make="senseair").read()


def test_after_silence_no_value_counts_at_first(port: Spoken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senseair, "ANSWER_S", 0.1)
    monkeypatch.setattr(senseair, "STEADY_S", 30.0)
    device = Co2Serial(port=port.place, make="senseair")
    with pytest.raises(OSError, match=r"Modbus address 254: .* nothing came"):
        device.read()
    monkeypatch.setattr(senseair, "ANSWER_S", 20.0)
    port.answers(slave(612).answer)
    with pytest.raises(NoReading):
        device.read()
