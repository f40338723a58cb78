"""What a line of rtl_433 says, in our units."""

from typing import Any

import pytest

from bootstrap.errors import NoReading
from bootstrap.quantities import known
from bootstrap.radio import readings
from bootstrap.radio.repeats import PRESS_WITHIN_S, WITHIN_S, Repeats
from bootstrap.radio.transmission import Transmission, transmission
from bootstrap.radio.units import field_of

NOW = 1_795_857_925.0  # 2026-11-28 09:25:25 UTC
WIND = '{"time" : "2026-11-28 09:25:24.500000", "protocol" : 16, "model" : "AlectoV1-Wind", "id" : 44, "channel" : 1, '
WIND += '"battery_ok" : 1, "wind_avg_m_s" : 1.400, "wind_dir_deg" : 135, "mic" : "CHECKSUM", "snr" : 21.5, "rssi" : -1}'


def heard(fields: str, model: str = "X", more: str = "") -> Transmission:
    return transmission(f'{{"model" : "{model}", "id" : 7{more}, {fields}}}', NOW)


def values(fields: str, **named: str) -> dict[str, Any]:
    return {name: value for name, (value, _form) in readings.of(heard(fields, **named)).items()}


def test_a_line_is_read() -> None:
    found = transmission(WIND, NOW)
    assert (found.model, found.protocol, found.at) == ("AlectoV1-Wind", 16, NOW - 0.5)
    assert found.key == {"model": "AlectoV1", "id": 44, "channel": 1}
    assert readings.said(found) == "battery ok, wind_avg 1.4 m/s, wind_dir 135 °, snr 21.5 dB"


@pytest.mark.parametrize("time", ['"1970-01-01 00:00:00"', '"@0.5s"', "null", '"2026-11-28 09:30:00"'])
def test_a_time_that_cannot_be_is_when_it_arrived(time: str) -> None:
    assert transmission(f'{{"model" : "X", "time" : {time}}}', NOW).at == NOW


@pytest.mark.parametrize(
    "line", ["", "Registered 191 decoders", '{"noise" : -21.5}', '{"model" : 3}', '{"model" : ""}']
)
def test_what_is_no_transmission_is_nothing(line: str) -> None:
    with pytest.raises(NoReading):
        transmission(line, NOW)


def test_half_a_line_is_an_error() -> None:
    with pytest.raises(ValueError, match="Unterminated string"):
        transmission('{"model" : "Nexus', NOW)


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ('"temperature_C" : -0.500', {"temperature": -0.5}),
        ('"temperature_C" : -12.300', {"temperature": -12.3}),
        ('"temperature_F" : 14.000', {"temperature": -10.0}),
        ('"temperature_1_C" : 85.000', {"temperature_1": 85.0}),
        ('"humidity" : 71', {"humidity": 71}),
        ('"wind_avg_km_h" : 4.311', {"wind_avg": 1.198}),
        ('"wind_avg_mi_h" : 10.000', {"wind_avg": 4.47}),
        ('"wind_max_m_s" : 1.600', {"wind_max": 1.6}),
        ('"wind_dir_deg" : 337.500', {"wind_dir": 337.5}),
        ('"rain_in" : 0.660', {"rain": 16.764}),
        ('"rain_mm" : 12.750', {"rain": 12.75}),
        ('"rain_rate_mm_h" : 3.000', {"rain_rate": 3.0}),
        ('"pressure_kPa" : 101.300', {"pressure": 1013.0}),
        ('"light_klux" : 1.500', {"light": 1500.0}),
        ('"battery_mV" : 2900', {"battery_voltage": 2.9}),
        ('"depth_cm" : 30', {"depth": 0.3}),
        ('"battery_ok" : 0', {"battery": "low"}),
        ('"battery_ok" : 1', {"battery": "ok"}),
        ('"battery_ok" : 0.667', {"battery": 67}),
        ('"battery_ok" : 1.000', {"battery": 100}),
        ('"strange" : 3, "text" : "x", "list" : [1]', {"strange": 3, "text": "x"}),
        ('"run" : 3', {}),  # which cannot name a measure
    ],
)
def test_each_field_has_our_unit(field: str, found: dict[str, Any]) -> None:
    assert values(field) == found


def test_rain_only_grows_and_what_is_known_has_limits() -> None:
    assert known()["rain"].counter
    rain = field_of("rain_in")
    assert rain is not None
    assert rain.measure == known()["rain"]
    assert known()["temperature_1"].high > known()["temperature"].high


@pytest.mark.parametrize(
    ("fields", "button", "asked"),
    [
        ('"button" : 1, "state" : "on"', "button_1", "on"),
        ('"unit" : 0, "group_call" : "No", "command" : "Off"', "unit_0", "off"),
        ('"unit" : 3, "group" : 1, "state" : "ON"', "group", "on"),
        ('"cmd" : 24, "tristate" : "Z10"', "cmd_24", "pressed"),
        ('"button" : "A", "state" : "on"', "a", "on"),
        ('"state" : "on"', "button", "on"),
        ('"button" : "Ä!", "state" : "on"', "button", "on"),
    ],
)
def test_a_remote_has_buttons(fields: str, button: str, asked: str) -> None:
    assert heard(fields).press == (button, asked)
    assert readings.of(heard(fields)) == {button: (asked, readings.PRESS)}


def test_the_rows_of_one_remote_are_one_sensor() -> None:
    found = heard('"button" : 2, "state" : "on"', more=', "channel" : 3')
    assert (found.key, found.press) == ({"model": "X", "id": 7}, ("channel_3_button_2", "on"))
    assert heard('"temperature_C" : 2.000, "button" : 1', more=', "channel" : 3').key["channel"] == 3


def test_repeats_are_known_for_a_moment() -> None:
    repeats = Repeats()

    def is_repeat(seconds: float, fields: str) -> bool:
        found = heard(fields)
        return repeats.is_one(Transmission(**{**vars(found), "at": NOW + seconds}))

    warm, pressed = '"temperature_C" : 21.500', '"button" : 1'
    assert [is_repeat(at, warm) for at in (0, WITHIN_S, 2 * WITHIN_S)] == [False, True, True]
    assert not is_repeat(2 * WITHIN_S, '"temperature_C" : 21.600')
    assert not is_repeat(4 * WITHIN_S, '"temperature_C" : 21.600')
    assert [is_repeat(10 + at, pressed) for at in (0, PRESS_WITHIN_S, 3 * PRESS_WITHIN_S)] == [False, True, False]


def test_only_so_many_are_remembered() -> None:
    repeats = Repeats()
    assert not any(repeats.is_one(heard('"humidity" : 3', model=f"M{number}")) for number in range(1000))
    assert repeats.is_one(heard('"humidity" : 3', model="M999"))
    assert not repeats.is_one(heard('"humidity" : 3', model="M0"))
