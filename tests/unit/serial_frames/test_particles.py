"""Sensors of particulate matter: what they send, written after their data sheets, with errors in them."""

import struct
import time
from collections.abc import Callable

import pytest

from bootstrap.errors import NoReading
from bootstrap.serial_frames import particles, warm_up
from bootstrap.serial_frames.particles import meter_of, shdlc
from bootstrap.serial_frames.port_or_host import PortOrHost
from daemons.air import Air
from penates.testing import Bench
from support.spoken import Spoken, patiently


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fan has run since the machine's start, which was long ago; and nobody waits 5 s for a sensor that is gone."""
    monkeypatch.setattr(particles, "FAN_S", min(30.0, time.monotonic()))


def plantower(pm1: int, pm2_5: int, pm10: int, error: int = 0) -> bytes:
    words = [3000, 3000, 3000, pm1, pm2_5, pm10, 6, 5, 4, 3, 2, 1, 0x9700 | error]
    frame = b"\x42\x4d" + struct.pack(">14H", 28, *words)
    return frame + sum(frame).to_bytes(2)


def sds011(pm2_5: float, pm10: float) -> bytes:
    data = struct.pack("<2H", round(pm2_5 * 10), round(pm10 * 10)) + b"\xab\xcd"
    return b"\xaa\xc0" + data + bytes((sum(data) & 0xFF, 0xAB))


def broken(frame: bytes, at: int = 11) -> bytes:
    return frame[:at] + bytes((frame[at] ^ 0x10,)) + frame[at + 1 :]


@pytest.mark.parametrize("make", ["pms5003", "pms7003", "pmsa003"])
@pytest.mark.parametrize("values", [(0, 0, 0), (1, 7, 9), (500, 999, 1000)])
def test_plantower_s_atmospheric_values(port: Spoken, make: str, values: tuple[int, int, int]) -> None:
    good = plantower(*values)
    port.plays(b"\x42\x4d\x00", broken(good), good[:20], good)
    with Bench(Air(port=port.place, make=make)) as bench:  # type: ignore[arg-type]
        assert bench.read() == dict(zip(("pm1", "pm2_5", "pm10"), values, strict=True))


@pytest.mark.parametrize(("pm2_5", "pm10"), [(0.0, 0.0), (0.1, 25.6), (999.9, 999.9)])
def test_sds011_has_tenths_and_no_pm1(port: Spoken, pm2_5: float, pm10: float) -> None:
    good = sds011(pm2_5, pm10)
    port.plays(b"\xab\xaa", broken(good, 3), good[:7], good)
    with Bench(Air(port=port.place, make="sds011")) as bench:
        assert bench.read() == {"pm2_5": pm2_5, "pm10": pm10}
    assert [*Air(port=port.place, make="sds011").measures] == ["pm2_5", "pm10"]


def test_a_value_beyond_the_range_is_refused_and_costs_no_other() -> None:
    device = Air(port=PortOrHost("/dev/null"), make="pms5003")
    assert [*device.check(particles.of_plantower(plantower(5, 7, 1001), tells_errors=False))] == ["pm10"]


def test_an_error_that_the_sensor_reports_is_no_value(port: Spoken) -> None:
    port.plays(plantower(5, 7, 8, error=0x02))
    with pytest.raises(ValueError, match="the sensor reports error 0x02; is its fan blocked"):
        meter_of("pms7003").read(port.place)
    assert meter_of("pms5003").read(port.place) == {"pm1": 5, "pm2_5": 7, "pm10": 8}


def test_wrong_frames_alone_and_silence_are_told(port: Spoken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(particles, "WITHIN_S", 0.2)
    meter = meter_of("pms5003")
    with pytest.raises(OSError, match=r"nothing came for 0\.2 s; look at wires and power"):
        meter.read(port.place)
    port.plays(broken(plantower(5, 7, 8)))
    with pytest.raises(ValueError, match="wrong checksum"):
        patiently(lambda: meter.read(port.place))


def test_after_silence_the_fan_has_to_run_first(port: Spoken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(particles, "WITHIN_S", 0.2)
    meter = meter_of("pms5003")
    with pytest.raises(OSError, match="nothing came"):
        meter.read(port.place)
    monkeypatch.setattr(particles, "WITHIN_S", 5.0)
    port.plays(plantower(5, 7, 8))
    for _ in range(2):
        with pytest.raises(NoReading):
            meter.read(port.place)


class SimulatedSps30:
    """One that measures once it is started, and knows its frames' form from its data sheet, "UART interface"."""

    def __init__(self, *values: float) -> None:
        self.values = struct.pack(">10f", *values, *(0.0,) * (10 - len(values)))
        self.runs = self.fails = False

    def answer(self, question: bytes) -> bytes:
        if question == bytes.fromhex("7e 00 00 02 01 03 f9 7e"):
            state, self.runs = (0x43 if self.runs else 0), True
            return self.frame(0x00, state)
        assert question == bytes.fromhex("7e 00 03 00 fc 7e")
        return self.frame(0x03, 0 if self.runs else 0x43, self.values if self.runs else b"")

    def frame(self, command: int, state: int, data: bytes = b"") -> bytes:
        body = bytes((0, command, state | (0x80 if self.fails else 0), len(data))) + data
        body += bytes((0xFF - sum(body) % 256,))
        for plain, stuffed in ((0x7D, b"\x7d\x5d"), (0x7E, b"\x7d\x5e"), (0x11, b"\x7d\x31"), (0x13, b"\x7d\x33")):
            body = body.replace(bytes((plain,)), stuffed)
        return b"\x7e" + body + b"\x7e"


def test_the_commands_are_those_of_the_data_sheet() -> None:
    assert shdlc(particles.START, particles.AS_FLOATS).hex(" ") == "7e 00 00 02 01 03 f9 7e"
    assert shdlc(particles.READ).hex(" ") == "7e 00 03 00 fc 7e"
    assert shdlc(0x7D, b"\x7e\x11\x13").hex(" ") == "7e 00 7d 5d 03 7d 5e 7d 31 7d 33 dd 7e"


@pytest.mark.parametrize("values", [(0.0, 0.0, 0.0, 0.0), (1.25, 2.5, 3.0, 1000.0), (3.9, 7.9, 0.0, 4.5)])
def test_an_sps30_that_runs_already_is_asked_for_values(port: Spoken, values: tuple[float, ...]) -> None:
    sensor = SimulatedSps30(*values)
    sensor.runs = True
    port.answers(lambda question: b"\x00\x7e\x7e" + sensor.answer(question))
    with Bench(Air(port=port.place, make="sps30")) as bench:
        pm1, pm2_5, _, pm10 = values
        assert bench.read() == {"pm1": pm1, "pm2_5": pm2_5, "pm10": pm10}


def test_every_byte_that_is_escaped_comes_back() -> None:
    sensor = SimulatedSps30()
    sensor.values = bytes((0x7E, 0x7D, 0x11, 0x13)) * 10
    (found,) = particles.shdlc_frames(bytearray(sensor.frame(0x03, 0, sensor.values)))
    assert isinstance(found, bytes)
    assert found[4:] == sensor.values


def test_an_sps30_is_started_and_then_warms_up(port: Spoken, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(warm_up, "monotonic", lambda: now)
    monkeypatch.setattr(particles, "FAN_S", 30.0)
    sensor = SimulatedSps30(1.0, 2.0, 3.0, 4.0)
    meter = meter_of("sps30")
    port.answers(sensor.answer)
    for later_s in (0, 29.9):
        monkeypatch.setattr(warm_up, "monotonic", lambda later_s=later_s: now + later_s)
        with pytest.raises(NoReading):
            patiently(lambda: meter.read(port.place))
    assert sensor.runs
    monkeypatch.setattr(warm_up, "monotonic", lambda: now + 30.1)
    assert patiently(lambda: meter.read(port.place)) == {"pm1": 1.0, "pm2_5": 2.0, "pm10": 4.0}


def test_an_sps30_that_was_without_power_is_started_again(port: Spoken) -> None:
    sensor = SimulatedSps30(1.0, 2.0, 3.0, 4.0)
    sensor.runs = True
    meter = meter_of("sps30")
    port.answers(sensor.answer)
    assert meter.read(port.place)
    sensor.runs = False
    with pytest.raises(ValueError, match="has no values: state 0x43, 0 bytes; was it without power"):
        meter.read(port.place)
    with pytest.raises(NoReading):
        meter.read(port.place)
    assert sensor.runs


def test_an_sps30_whose_fan_has_failed_gives_no_values(port: Spoken) -> None:
    sensor = SimulatedSps30(1.0, 2.0, 3.0, 4.0)
    sensor.runs = sensor.fails = True
    port.answers(sensor.answer)
    with pytest.raises(ValueError, match="an error of its fan or laser"):
        meter_of("sps30").read(port.place)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda frame: broken(frame, 20), "wrong length or checksum"),
        (lambda frame: frame[:-9] + frame[-1:], "wrong length or checksum"),
        (lambda _frame: b"\x7e\x00\x7e", "wrong length or checksum"),
        (lambda frame: frame[:20], "no whole frame"),
    ],
    ids=["wrong", "cut in the middle", "short", "cut off"],
)
def test_an_sps30_s_damaged_answers_are_told(port: Spoken, spoil: Callable[[bytes], bytes], why: str) -> None:
    sensor = SimulatedSps30(1.0, 2.0, 3.0, 4.0)
    sensor.runs = True
    port.answers(lambda question: answer if len(answer := sensor.answer(question)) < 20 else spoil(answer))
    with pytest.raises(ValueError, match=why):
        patiently(lambda: meter_of("sps30").read(port.place))
