"""Registers as a file describes them: their types, orders of bytes and scales, and what is no register."""

import math
import struct

import pytest

from bootstrap.device import Measure
from bootstrap.modbus.presets import BY_METER, PZEM
from bootstrap.modbus.registers import Register, measures_of, neighbours


@pytest.mark.parametrize(
    ("text", "data", "value"),
    [
        ("x = input 0 uint16", "ffff", 65535),
        ("x = input 0 int16", "ffff", -1),
        ("x = input 0 int16 * 0.1", "8000", -3276.8),
        ("x = holding 0 uint16 * 0.1", "0003", 0.3),
        ("x = holding 0 uint16 * 10", "0003", 30),
        ("x = holding 0 uint16 * -1", "0003", -3),
        ("x = holding 0 uint16 * 1e-3", "0003", 0.003),
        ("x = input 0 uint32", "00010002", 65538),
        ("x = input 0 uint32 CDAB", "00020001", 65538),
        ("x = input 0 uint32 BADC", "01000200", 65538),
        ("x = input 0 uint32 DCBA", "02000100", 65538),
        ("x = input 0 int32", "fffffffe", -2),
        ("x = input 0 uint64", "00000000ffffffff", 4294967295),
        ("x = input 0 int64 CDAB", "fffeffffffffffff", -2),
        ("x = input 0 uint16 BADC", "0100", 1),
        ("x = input 0 float32", struct.pack(">f", 230.2).hex(), 230.2),
        ("x = input 0 float32 * 0.1", struct.pack(">f", 230.1).hex(), 23.01),
        ("x = input 0 float32", struct.pack(">f", -0.0).hex(), 0),
        ("x = input 0 float32", "7f7fffff", 3.402823e38),
        ("x = input 0 float64", struct.pack(">d", 1 / 3).hex(), 1 / 3),
        ("x = input 0 bool", "0000", False),
        ("x = input 0 bool", "0100", True),
    ],
)
def test_each_type_and_order(text: str, data: str, value: float) -> None:
    found = Register(text).value(bytes.fromhex(data))
    assert (found, type(found)) == (value, type(found))
    assert isinstance(value, bool) == isinstance(found, bool)


@pytest.mark.parametrize("data", ["7fc00000", "7f800000", "ff800000"])
def test_what_is_no_number_is_refused(data: str) -> None:
    register = Register("x = input 0 float32 V")
    value = register.value(bytes.fromhex(data))
    assert not math.isfinite(value)
    assert register.measure.wrong(value)


@pytest.mark.parametrize(
    ("text", "measure"),
    [
        ("x = input 0 uint16 V", Measure("V")),
        ("x=input 0x10 uint16*0.1 °C", Measure("°C")),
        ("x = input 0 uint32 CDAB * 0.01 kWh counter", Measure("kWh", counter=True)),
        ("x = input 0 uint32 counter", Measure("1", counter=True)),
        ("x = input 0", Measure("1")),
        ("x = holding 0 bool", Measure(bool)),
        ("x = coil 7", Measure(bool)),
        ("x = discrete 7 bool", Measure(bool)),
        ("x = input 0 uint16 m³/h", Measure("m³/h")),
    ],
)
def test_what_a_register_declares(text: str, measure: Measure) -> None:
    assert Register(text).measure == measure


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("voltage", "write NAME = TABLE NUMBER TYPE"),
        ("x/y = input 0 uint16", "'x/y' must be"),
        ("time = input 0 uint16", "'time' must be"),
        ("x = inputs 0 uint16", "'inputs' is not a table; those are coil, discrete, holding, input"),
        ("x = input 0 word", "'word' is not a type of it; those are bool, uint16"),
        ("x = coil 0 uint16", "'uint16' is not a type of it; those are bool"),
        ("x = input 0 uint32 ABDC", "ABDC is not an order of bytes; those are ABCD, CDAB"),
        ("x = input 65535 uint32", "65536 registers, counted from 0"),
        ("x = coil 0 bool * 0.1", "a bool has neither scale nor unit"),
        ("x = input 0 uint16 * none V", "write NAME"),
        ("x = input -1 uint16", "write NAME"),
    ],
)
def test_what_is_no_register_is_told(text: str, why: str) -> None:
    with pytest.raises(
        ValueError, match=r"registers such as 'voltage = input 0 uint16 . 0\.1 V', or the name of a meter"
    ) as error:
        Register(text)
    assert why in str(error.value)


def test_two_of_one_name_are_told() -> None:
    with pytest.raises(ValueError, match="has 'x' twice"):
        measures_of([Register("x = input 0 uint16"), Register("x = input 1 uint16")])


def test_only_those_without_a_gap_are_read_together() -> None:
    texts = ["a = input 0 uint16", "b = input 1 uint32", "c = input 4 uint16", "d = holding 5 uint16", "e = coil 6"]
    groups = [[one.name for one in group] for group in neighbours(map(Register, reversed(texts)))]
    assert sorted(groups) == [["a", "b"], ["c"], ["d"], ["e"]]
    many = [Register(f"r{at} = input {at} uint16") for at in range(300)]
    assert [len(group) for group in neighbours(many)] == [125, 125, 50]


def test_what_overlaps_is_read_together() -> None:
    (group,) = neighbours([Register("a = input 0 uint32"), Register("b = input 1 uint16")])
    assert [one.name for one in group] == ["a", "b"]


def test_the_meters_registers_are_all_whole() -> None:
    for texts in (PZEM, *BY_METER.values()):
        assert len(measures_of(map(Register, texts))) == len(texts)
    (group,) = neighbours(map(Register, PZEM))
    assert len(group) == 6, "a PZEM is read in one go"
    places = {one.name: one.first for one in map(Register, BY_METER["sdm630"])}
    assert places["voltage_l3"] == 0x04
    assert places["current_l1"] == 0x06
    assert places["power_l2"] == 0x0E


def test_what_may_be_left_out_after_the_number() -> None:
    """As docs/MODBUS.md says."""
    for text in ("x = input 5", "x = input 5 * 0.1 V", "x = input 5 * 0.1 V counter", "x = input 5 uint16 V"):
        assert Register(text).type == "uint16", text
    for text in ("x = input 5 V", "x = input 5 CDAB", "x = input 5 counter"):
        with pytest.raises(ValueError, match="is not a type of it"):
            Register(text)
