"""The MH-Z19: questions and answers after its data sheet, with errors in them, and what it answers too early."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.errors import NoReading
from bootstrap.serial_frames import mhz19, warm_up
from daemons.co2_serial import Co2Serial
from penates.testing import Bench
from support.spoken import Spoken, patiently
from support.world import eventually

ASK, ON, OFF = (
    bytes.fromhex(text)
    for text in ("ff 01 86 00 00 00 00 00 79", "ff 01 79 a0 00 00 00 00 e6", "ff 01 79 00 00 00 00 00 86")
)
ANSWER = bytes.fromhex("ff 86 02 20 00 00 00 00 58")  # the example of its data sheet: 544 ppm


@pytest.fixture(autouse=True)
def powered_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mhz19, "PREHEAT_S", min(180.0, time.monotonic()))


def sensor(port: Spoken, *, autocalibration: bool = True) -> Co2Serial:
    return Co2Serial(port=port.place, make="mh-z19", autocalibration=autocalibration)


def answered(ppm: int) -> bytes:
    frame = bytes((0xFF, 0x86)) + ppm.to_bytes(2) + bytes((0x44, 0, 0, 0))
    return frame + bytes((256 - sum(frame[1:]) % 256 & 0xFF,))


@pytest.mark.parametrize(("autocalibration", "told"), [(True, ON), (False, OFF)])
def test_the_data_sheet_s_example_and_autocalibration(port: Spoken, autocalibration: bool, told: bytes) -> None:
    port.answers(lambda question: ANSWER if ASK in question else b"")
    with Bench(sensor(port, autocalibration=autocalibration)) as bench:
        assert bench.read() == {"co2": 544}
        eventually(lambda: told in b"".join(port.asked), "it is told")
        assert bench.read() == {"co2": 544}
    assert b"".join(port.asked) == ASK + told + ASK


@pytest.mark.parametrize("ppm", [400, 2000, 5000, 10_000])
def test_values_up_to_the_widest_range(port: Spoken, ppm: int) -> None:
    port.answers(lambda _: b"\xff\x86\x01" + answered(ppm))
    with Bench(sensor(port)) as bench:
        assert bench.read() == {"co2": ppm}


@pytest.mark.parametrize("ppm", [0, 199, 10_001, 0xFFFF])
def test_what_air_cannot_have_is_refused(port: Spoken, ppm: int) -> None:
    port.answers(lambda _: answered(ppm))
    device = sensor(port)
    assert "is not within 200 to 10000" in device.check(device.read())["co2"]


@pytest.mark.parametrize(
    ("spoil", "error", "why"),
    [
        (lambda answer: answer[:-1] + b"\x00", ValueError, "wrong checksum"),
        (lambda answer: answer[:6], ValueError, "6 bytes came, but no whole frame"),
        (lambda _answer: b"", OSError, "nothing came for 0.3 s"),
        (lambda _answer: ON, ValueError, "no whole frame"),
    ],
    ids=["wrong", "cut", "silent", "an echo of another command"],
)
def test_damaged_answers_are_told(
    port: Spoken, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[bytes], bytes], error: type[Exception], why: str
) -> None:
    monkeypatch.setattr(mhz19, "ANSWER_S", 0.3)
    port.answers(lambda _: spoil(ANSWER))
    with pytest.raises(error, match=why):
        patiently(sensor(port).read) if error is ValueError else sensor(port).read()


def test_after_power_up_no_value_counts_and_it_is_told_its_setting_again(
    port: Spoken, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(warm_up, "monotonic", lambda: now)
    monkeypatch.setattr(mhz19, "PREHEAT_S", 180.0)
    monkeypatch.setattr(mhz19, "ANSWER_S", 0.1)
    device = sensor(port, autocalibration=False)
    with pytest.raises(OSError, match="nothing came"):
        device.read()
    assert not device.excuses("co2")
    monkeypatch.setattr(mhz19, "ANSWER_S", 20.0)
    port.answers(lambda question: answered(410) if ASK in question else b"")
    for later_s in (0, 179.9):
        monkeypatch.setattr(warm_up, "monotonic", lambda later_s=later_s: now + later_s)
        with pytest.raises(NoReading):
            device.read()
        assert device.excuses("co2")
    monkeypatch.setattr(warm_up, "monotonic", lambda: now + 180.1)
    assert device.read() == {"co2": 410}
    assert not device.excuses("co2")
    assert b"".join(port.asked).count(OFF) == 1


def test_where_the_machine_has_just_started_the_sensor_has_too(port: Spoken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mhz19, "PREHEAT_S", time.monotonic() + 3600)
    port.answers(lambda _: answered(410))
    with pytest.raises(NoReading):
        sensor(port).read()


@pytest.mark.parametrize(("name", "at_once"), [("serial0", True), ("ttyAMA2", True), ("usb-FTDI_1-port0", False)])
def test_a_sensor_that_the_pi_does_not_power_warms_up_from_its_first_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, at_once: bool
) -> None:
    now = time.monotonic()
    with Spoken(tmp_path / "other", name) as port:
        port.answers(lambda _: answered(410))
        device = sensor(port)
        monkeypatch.setattr(warm_up, "monotonic", lambda: now)
        if not at_once:
            with pytest.raises(NoReading):
                device.read()
            monkeypatch.setattr(warm_up, "monotonic", lambda: now + mhz19.PREHEAT_S)
        assert device.read() == {"co2": 410}


def test_a_wrong_checksum_does_not_begin_the_warm_up_again(port: Spoken) -> None:
    answers = iter([ANSWER[:-1] + b"\x00", ANSWER])
    port.answers(lambda question: next(answers) if ASK in question else b"")
    device = sensor(port)
    with pytest.raises(ValueError, match="wrong checksum"):
        device.read()
    assert device.read() == {"co2": 544}
