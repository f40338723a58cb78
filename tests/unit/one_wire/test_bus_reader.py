"""A 1-Wire bus is read in one go; no value is older than the reading says, and none is another probe's."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.one_wire.bus_master import conversion_s, fresh
from bootstrap.one_wire.bus_reader import BusReader, BusRound
from support.one_wire_bus import OneWireFiles, hold

A, B, C, EA00 = "28-0316a2795fff", "28-00000000000b", "10-00000000000c", "42-00000000000d"


@pytest.fixture
def files(tmp_path: Path) -> Iterator[OneWireFiles]:
    made = OneWireFiles(tmp_path)
    yield made
    made.close()


def temperatures(found: BusRound) -> dict[str, object]:
    """Return what each probe has answered, faults as their text."""
    each = ((serial, one.temperature) for serial, one in found.values.items())
    return {serial: value if isinstance(value, float) else str(value) for serial, value in each}


def test_all_are_converted_at_once_and_have_the_time_of_that(files: OneWireFiles) -> None:
    master = files.master()
    trigger = files.answer(master)
    trigger.truth = {files.probe(master, A): "-10125", files.probe(master, B): "500", files.probe(master, C): ""}
    began = time.time()
    found = BusReader(files.bus).read()
    assert temperatures(found).items() >= {A: -10.125, B: 0.5}.items()
    assert "did not answer" in str(found.values[C].temperature)
    assert (trigger.count, found.conversion, found.answered, found.problem) == (1, "bulk", 2, None)
    (at,) = {one.at for one in found.values.values()}
    assert began < at < time.time()


def test_a_trigger_that_nobody_answers_is_not_believed(files: OneWireFiles) -> None:
    master = files.master()
    files.probe(master, A, "21500")
    (master / "therm_bulk_read").write_text("")  # takes the word at once, like the kernel over a bus without an answer
    found = BusReader(files.bus).read()
    assert (temperatures(found), found.conversion) == ({A: 21.5}, "each")
    assert "no probe answered to" in found.why_each["w1_bus_master1"]


def test_without_the_right_to_trigger_each_is_converted_by_itself(files: OneWireFiles) -> None:
    first, second = files.master(), files.master(2)
    trigger = files.answer(first)
    trigger.truth = {files.probe(first, A): "20000"}
    files.probe(second, B, "22000")
    (second / "therm_bulk_read").mkdir()  # cannot be written, not even by root
    found = BusReader(files.bus).read()
    assert (temperatures(found), found.conversion) == ({A: 20, B: 22}, "both")
    assert "therm_bulk_read: Is a directory" in found.why_each["w1_bus_master2"]
    files.unplug(A)
    found = BusReader(files.bus).read()
    assert (found.serials, [*found.why_each], found.conversion) == ({B}, ["w1_bus_master2"], "each")


def test_a_chip_that_no_trigger_converts_has_a_time_of_its_own(files: OneWireFiles) -> None:
    master = files.master()
    trigger = files.answer(master)
    trigger.truth = {files.probe(master, A): "20000"}
    files.probe(master, EA00, "21000", conversion_s=0)
    found = BusReader(files.bus).read()
    assert (temperatures(found), found.conversion) == ({A: 20, EA00: 21}, "bulk")
    assert found.values[A].at < found.values[EA00].at


def test_what_may_wait_from_an_earlier_trigger_is_read_once_more(files: OneWireFiles) -> None:
    probe = files.probe(files.master(), A, conversion_s=600).parent
    (probe / "temperature").unlink()
    os.mkfifo(probe / "temperature")
    pipe = os.open(probe / "temperature", os.O_RDWR)
    os.write(pipe, b"85000\n")
    with pytest.raises(BlockingIOError):  # of the second read: the pipe had one value
        fresh(probe)
    (probe / "conv_time").write_text("0\n")
    os.write(pipe, b"21500\n")
    assert fresh(probe) == 21.5
    os.close(pipe)
    (probe / "conv_time").unlink()
    assert conversion_s(probe) == 0.75


def test_who_finds_no_time_in_one_round_is_first_in_the_next(files: OneWireFiles) -> None:
    master = files.master()
    for serial in (A, B, C):
        files.probe(master, serial, "20000")
    reader = BusReader(files.bus, enough_s=0)
    rounds = [reader.read() for _ in range(6)]
    assert [[*one.values] for one in rounds] == 2 * [[C], [B], [A]]
    assert all(one.serials == {A, B, C} for one in rounds)


def test_no_bus_and_no_master_are_said(files: OneWireFiles) -> None:
    assert "has no w1_bus_master" in str(BusReader(files.bus).read().problem)
    assert "/none is not there" in str(BusReader(files.bus / "none").read().problem)
    files.master()
    found = BusReader(files.bus).read()
    assert (found.problem, found.conversion, found.answered) == (None, "none", 0)


def test_what_is_no_thermometer_is_left_alone(files: OneWireFiles) -> None:
    master = files.master()
    hold(files.probe(master, "3a-00000000000e"), "1000")
    assert BusReader(files.bus).read().serials == set()
