"""P1 telegrams of each version, written after the standards' examples, with errors in them."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from bootstrap.device import Measure
from bootstrap.serial_frames import dsmr
from bootstrap.serial_frames.meter_measures import MEASURES
from bootstrap.serial_frames.smart_meter import BY_STANDARD
from daemons.smartmeter import SmartMeter
from penates.testing import Bench
from support.modbus_slave import TABLE
from support.spoken import Spoken, patiently

HEAD = "/XMX5LGBBFG1009325446\r\n\r\n"
V5 = [
    "1-3:0.2.8(50)",
    "0-0:1.0.0(240704120001S)",
    "0-0:96.1.1(4530303434303037303634313132)",
    "1-0:1.8.1(012345.678*kWh)",
    "1-0:1.8.2(000001.001*kWh)",
    "1-0:2.8.1(000000.000*kWh)",
    "1-0:2.8.2(999999.999*kWh)",
    "0-0:96.14.0(0002)",
    "1-0:1.7.0(00.000*kW)",
    "1-0:2.7.0(01.193*kW)",
    "1-0:99.97.0(1)(0-0:96.7.19)(000104180320W)(0000237126*s)",
    "0-0:96.13.0()",
    "1-0:32.7.0(230.1*V)",
    "1-0:52.7.0(000.0*V)",
    "1-0:31.7.0(005*A)",
    "1-0:21.7.0(00.000*kW)",
    "1-0:22.7.0(01.193*kW)",
    "1-0:41.7.0(00.250*kW)",
    "0-1:24.1.0(003)",
    "0-1:24.2.1(240704110000S)(12785.123*m3)",
    "0-2:24.1.0(007)",
    "0-2:24.2.1(240204110000W)(00872.234*m3)",
]
V5_SAYS = {
    "energy_in_1": 12345.678,
    "energy_in_2": 1.001,
    "energy_out_1": 0.0,
    "energy_out_2": 999999.999,
    "tariff": 2,
    "power": -1193.0,
    "voltage_l1": 230.1,
    "voltage_l2": 0.0,
    "current_l1": 5.0,
    "power_l1": -1193.0,
    "power_l2": 250.0,
    "gas": 12785.123,
    "gas_time": "2024-07-04T09:00:00Z",
    "water": 872.234,
    "water_time": "2024-02-04T10:00:00Z",
}
V3 = [
    "0-0:96.1.1(4B384547303034303436333935353037)",
    "1-0:1.8.1(12345.678*kWh)",
    "1-0:2.8.1(00000.000*kWh)",
    "0-0:96.14.0(0001)",
    "1-0:1.7.0(0001.19*kW)",
    "1-0:2.7.0(0000.00*kW)",
    "0-0:17.0.0(0999.00*kW)",
    "0-0:96.13.1()",
    "0-1:24.1.0(3)",
    "0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)(m3)",
    "(00001.001)",
    "0-1:24.4.0(1)",
]
LUXEMBOURG = ["1-0:1.8.0(006545766*Wh)", "1-0:1.7.0(000000286*W)", "1-0:2.7.0(000000000*W)"]


def with_crc(lines: list[str], head: str = HEAD) -> bytes:
    text = (head + "".join(f"{line}\r\n" for line in lines) + "!").encode()
    crc = 0
    for one in text:
        crc = crc >> 8 ^ TABLE[(crc ^ one) & 0xFF]
    return text + f"{crc:04X}\r\n".encode()


def without_crc(lines: list[str]) -> bytes:
    return (HEAD + "".join(f"{line}\r\n" for line in lines) + "!\r\n").encode()


def meter(port: Spoken, standard: str) -> SmartMeter:
    return SmartMeter(port=port.place, standard=standard)  # type: ignore[arg-type]


@pytest.mark.parametrize("standard", ["dsmr4", "dsmr5"])
def test_a_telegram_with_a_checksum_is_found_among_damaged_ones(port: Spoken, standard: str) -> None:
    good = with_crc(V5)
    port.plays(b"9*kWh)\r\n", good[300:], good.replace(b"12345", b"12354"), good[:200], b"\xff\x00", good)
    with Bench(meter(port, standard)) as bench:
        assert bench.read() == V5_SAYS


@pytest.mark.parametrize("standard", ["dsmr2", "dsmr3"])
def test_one_without_a_checksum_is_read_if_each_line_is_whole(port: Spoken, standard: str) -> None:
    good = without_crc(V3)
    port.plays(good[100:], good.replace(b"12345.678*kWh", b"12\x0045.678*kWh)"), good[:100], good)
    with Bench(meter(port, standard)) as bench:
        assert bench.read() == {
            "energy_in_1": 12345.678,
            "energy_out_1": 0.0,
            "tariff": 1,
            "power": 1190.0,
            "gas": 1.001,
            "gas_time": "2009-02-12T15:00:00Z",
        }


def test_a_checksum_counts_where_none_is_needed_too() -> None:
    wrong = with_crc(V5).replace(b"230.1", b"230.2")
    assert [type(one) for one in dsmr.telegrams(with_crc=False)(bytearray(wrong + with_crc(V5)))] == [ValueError, bytes]


def test_units_without_kilo_and_totals_over_all_tariffs() -> None:
    assert dsmr.reading_of(with_crc(LUXEMBOURG)[:-6]) == {"energy_in": 6545.766, "power": 286.0}


def test_other_channels_and_billing_periods_are_not_the_meter_s_own() -> None:
    lines = ["1-0:1.8.0(000002.000*kWh)", "1-1:1.8.0(000001.000*kWh)", "1-0:1.8.0*96(000001.500*kWh)"]
    tariffs = ["0-0:96.14.0(0002)", "0-1:96.14.0(0001)"]
    assert dsmr.reading_of(with_crc([*lines, *tariffs])[:-6]) == {"energy_in": 2.0, "tariff": 2}


def test_what_a_meter_lacks_is_left_out_and_not_nought() -> None:
    assert dsmr.reading_of(with_crc(["1-0:1.8.1(000001.000*kWh)"])) == {"energy_in_1": 1.0}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("0-1:24.2.1(632525252525S)(00000.000*m3)", "the gas meter has no value: .*'632525252525'"),
        ("0-1:24.2.1(240704110000S)(*m3)", "the gas meter has no value: '' is not a volume"),
        ("0-1:24.2.1(240704110000X)(00001.000*m3)", "'240704110000X' is not a time"),
    ],
)
def test_a_gas_meter_that_does_not_answer_costs_no_other_value(line: str, why: str) -> None:
    found = dsmr.reading_of(with_crc(["1-0:1.8.1(000001.000*kWh)", "0-1:24.1.0(003)", line]))
    assert found["energy_in_1"] == 1.0
    assert "gas_time" not in found
    assert why.split("'", maxsplit=1)[0].removesuffix(".*") in str(found["gas"])
    assert isinstance(found["gas"], ValueError)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_times_without_a_zone_are_those_of_the_meter_wherever_the_machine_is(
    monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        assert dsmr.utc("090212160000") == "2009-02-12T15:00:00Z"
        assert dsmr.utc("090712160000") == "2009-07-12T14:00:00Z"
    time.tzset()


SPLIT: dict[str, Callable[[bytes], bytes]] = {
    "no checksum": lambda good: good[:-6] + b"\r\n",
    "wrong": lambda good: good.replace(b"230.1", b"230.2"),
    "cut": lambda good: good[:50] + good[90:],
}


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        ("no checksum", "a telegram has no checksum; older meters have none: set `standard`"),
        ("wrong", "a telegram has the checksum [0-9A-F]{4}, not [0-9A-F]{4}"),
        ("cut", "a telegram has the checksum"),
    ],
)
def test_damaged_telegrams_alone_are_told(port: Spoken, monkeypatch: pytest.MonkeyPatch, damage: str, why: str) -> None:
    monkeypatch.setitem(BY_STANDARD, "dsmr5", replace(BY_STANDARD["dsmr5"], within_s=0.5))
    port.plays(SPLIT[damage](with_crc(V5)))
    with pytest.raises(ValueError, match=why):
        patiently(meter(port, "dsmr5").read)


def test_a_byte_of_a_wrong_parity_costs_the_whole_telegram() -> None:
    """The kernel gives a zero in its place."""
    good = without_crc(V3)
    for at in range(len(good)):
        split = dsmr.telegrams(with_crc=False)(bytearray(good[:at] + b"\0" + good[at + 1 :]))
        assert not [one for one in split if isinstance(one, bytes)], good[:at]


def test_a_telegram_without_any_known_value_is_told() -> None:
    with pytest.raises(ValueError, match="no value that is known"):
        dsmr.reading_of(with_crc(["0-0:96.13.0()"]))


def test_ports_are_set_up_as_the_standards_say() -> None:
    found = {name: (port.baud, port.mode) for name, port in BY_STANDARD.items()}
    new, old = (115_200, "8N1"), (9600, "7E1")
    assert found == {"dsmr5": new, "dsmr4": new, "dsmr3": old, "dsmr2": old, "sml": (9600, "8N1")}
    assert all(port.within_s < 15 for port in BY_STANDARD.values()), (
        "far from the 30 s after which a call counts as hung"
    )


def test_counters_are_declared_as_such() -> None:
    counters = {name for name, measure in MEASURES.items() if measure.counter}
    ends = ("", "_1", "_2")
    assert counters == {"gas", "water", *(f"energy_{way}{end}" for way in ("in", "out") for end in ends)}
    assert MEASURES["energy_in"] == Measure("kWh", low=0, counter=True)
