"""The clock of a machine that has none: it starts in the past, is set, and jumps."""

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.contract import timestamps
from bootstrap.contract.timestamps import HOLD_S, ArrivalClock, Clock, Stamps, newest
from bootstrap.errors import Refused

NOW = 1_795_206_667.0  # 2026-11-20T20:31:07Z
HOUR = 3600.0


class World:
    """The machine's clocks, which go only when told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall, self.age = 100.0, 5.0
        self.synchronised = False
        monkeypatch.setattr(time, "time", lambda: self.wall)
        monkeypatch.setattr(time, "time_ns", lambda: round(self.wall * 1e9))
        monkeypatch.setattr(time, "monotonic", lambda: self.age)
        monkeypatch.setattr(time, "clock_gettime_ns", lambda _clock: round(self.age * 1e9))
        monkeypatch.setattr(timestamps, "synchronised", lambda: self.synchronised)

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.age += seconds


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def record(ours: Clock, at_us: int | None = None) -> bytes:
    return json.dumps(ours.stamp(at_us) | {"seq": 1}, separators=(",", ":")).encode()


def test_a_clock_that_can_be_right_holds_nothing(world: World) -> None:
    world.wall = NOW
    ours = Clock(known=NOW - HOUR)
    assert (ours.unsure, ours.hold_s()) == (False, 0.0)
    assert ours.stamp() == {"time": "2026-11-20T20:31:07.000000Z"}
    sent = record(ours)
    assert ours.settle(sent) == sent


def test_a_synchronised_clock_is_believed_whatever_the_files_say(world: World) -> None:
    world.synchronised = True
    ours = Clock(known=NOW)
    assert (ours.unsure, ours.hold_s()) == (False, 0.0)


def test_a_reading_of_before_the_clock_was_set_gets_its_true_time(world: World) -> None:
    ours = Clock(known=NOW - HOUR)
    first = record(ours)
    world.pass_by(1)
    edge = record(ours, at_us=round((world.wall - 0.25) * 1e6))
    assert ours.hold_s() > 0
    world.pass_by(9)
    world.wall = NOW
    assert ours.hold_s() == 0.0
    assert json.loads(ours.settle(first)) == {"time": "2026-11-20T20:30:57.000000Z", "seq": 1}
    assert json.loads(ours.settle(edge)) == {"time": "2026-11-20T20:30:57.750000Z", "seq": 1}
    assert json.loads(Clock(known=NOW - HOUR).settle(first))["time"] == "2026-11-20T20:30:57.000000Z"  # a new run


def test_after_ten_minutes_it_goes_out_unsure(world: World) -> None:
    ours = Clock(known=NOW)
    first = record(ours)
    assert ours.hold_s() > 0
    world.pass_by(HOLD_S - 1)
    assert ours.hold_s() > 0
    world.pass_by(1)
    assert ours.hold_s() == 0.0
    assert json.loads(ours.settle(first)) == {"time": "1970-01-01T00:01:40.000000Z", "clock": "unsure", "seq": 1}


def test_a_reading_of_an_earlier_start_of_the_machine_stays_unsure(world: World) -> None:
    first = record(Clock(known=NOW)).replace(timestamps.BOOT_ID.read_bytes().strip(), b"another")
    world.wall = NOW
    assert json.loads(Clock(known=NOW).settle(first))["clock"] == "unsure"


@pytest.mark.parametrize(
    "payload",
    [
        b'{"boot":[',
        b'["boot",{"boot":[]}]',
        b'{"time":"x","boot":["here"]}',
        b'{"boot":[]}',
        b'{"boot":[' * 5000,
        b'{"boot":["\xff",1]}',
    ],
)
def test_what_is_no_reading_stays_as_it_is(world: World, payload: bytes) -> None:
    """It may lie in the file of another version, or be forged; the rest is to be delivered."""
    world.wall = NOW
    assert Clock().settle(payload) == payload


def test_a_corrected_time_is_later_than_the_one_before(world: World) -> None:
    """An edge is heard after a read that was made after it."""
    ours = Clock(known=NOW - HOUR)
    now_us = round(world.wall * 1e6)
    early = [record(ours, now_us), record(ours, now_us - 5000), record(ours, now_us - 5000)]
    world.wall = NOW
    times = [json.loads(ours.settle(sent))["time"] for sent in early]
    assert times == sorted(set(times))


def test_four_minutes_back_put_nothing_out_of_order_and_are_caught_up_with(world: World) -> None:
    world.wall = NOW
    ours = Clock()
    run = ours.run
    times = [ours.stamp()]
    world.wall -= 240
    for _ in range(10):
        world.pass_by(60)
        times.append(ours.stamp())
    assert ours.run == run
    texts = [stamp["time"] for stamp in times]
    assert texts == sorted(set(texts))
    assert texts[2] == "2026-11-20T20:32:07.000000Z"  # at half the pace
    assert [stamp.get("clock") for stamp in times[:2]] == [None, "unsure"]
    assert times[-1] == {"time": timestamps.utc(round(world.wall * 1e6))}


@pytest.mark.parametrize("ahead_s", [303, HOUR, 9 * 365 * 24 * HOUR])
def test_back_by_more_than_is_soon_caught_up_with_is_a_new_run_with_the_true_time(
    world: World, ahead_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    """A clock chip with a wrong year, until the network has the right one."""
    world.wall = NOW + ahead_s
    ours = Clock(known=NOW - HOUR)
    run = ours.run
    ours.stamp()
    world.pass_by(2)
    world.wall = NOW + 2
    times = [ours.stamp(), ours.stamp(round((NOW + ahead_s) * 1e6))]  # and an edge that was dated before
    assert times == [{"time": "2026-11-20T20:31:09.000000Z"}, {"time": "2026-11-20T20:31:09.000001Z"}]
    assert ours.run != run
    assert caplog.text.count("the clock was set back") == 1


def test_an_edge_of_long_ago_does_not_set_the_clock_back(world: World) -> None:
    world.wall = NOW
    ours = Clock()
    run = ours.run
    times = [ours.stamp()["time"], ours.stamp(round((NOW - HOUR) * 1e6))["time"]]
    assert (times, ours.run) == (sorted(set(times)), run)


def test_what_waits_for_the_clock_is_dated_by_the_clock_that_is_set_at_last(world: World) -> None:
    """First it is set to a wrong year, which is nobody's time any more once it is set again."""
    ours = Clock(known=NOW - HOUR)
    early = record(ours)
    world.wall = NOW + 9 * 365 * 24 * HOUR
    ours.settle(early)
    world.wall = NOW
    assert json.loads(ours.settle(early))["time"] == "2026-11-20T20:31:07.000000Z"


# When something arrived that has no time of its own.


def test_arrivals_of_one_moment_differ(world: World) -> None:
    world.wall = NOW
    ours = ArrivalClock()
    now_us = round(NOW * 1e6)
    assert [ours.stamp() for _ in range(3)] == [(now_us + later, None) for later in range(3)]


@pytest.mark.parametrize("ahead_s", [1, 240, 2 * HOUR])
def test_arrivals_have_a_corrected_time_at_once(world: World, ahead_s: float) -> None:
    world.wall = NOW + ahead_s
    ours = ArrivalClock(known=NOW - HOUR)
    ours.stamp()
    world.wall = NOW
    assert ours.stamp() == (round(NOW * 1e6), None)


def test_an_arrival_before_the_clock_was_set_waits_and_gets_its_true_time(world: World) -> None:
    world.wall = NOW - 10 * HOUR
    ours = ArrivalClock(known=NOW - HOUR)
    at_us, boot_us = ours.stamp()
    assert boot_us is not None
    assert (at_us, ours.hold_s() > 0) == (0, True)
    world.pass_by(9)
    world.wall = NOW
    assert ours.hold_s() == 0
    assert ours.settle(boot_us) == (round((NOW - 9) * 1e6), False)
    assert ours.stamp() == (round(NOW * 1e6), None)


def test_an_arrival_under_a_clock_that_is_never_set_is_unsure(world: World) -> None:
    ours = ArrivalClock(known=NOW)
    _, boot_us = ours.stamp()
    assert boot_us is not None
    ours.hold_s()
    world.pass_by(HOLD_S)
    assert ours.hold_s() == 0
    assert ours.settle(boot_us) == (100_000_000, True)


def test_an_hour_forward_is_a_gap_and_no_more(world: World) -> None:
    world.wall = NOW
    ours = Clock(known=NOW - HOUR)
    first = ours.stamp()
    world.wall += HOUR
    assert [first, ours.stamp()] == [{"time": timestamps.utc(round((NOW + later) * 1e6))} for later in (0, HOUR)]


def test_two_at_one_moment_differ(world: World) -> None:
    world.wall = NOW
    stamps = Stamps()
    assert [stamps.next(5), stamps.next(5), stamps.next(4)] == [5, 6, 7]


def test_the_newest_of_what_is_there(tmp_path: Path) -> None:
    for name, changed in (("a", 100), ("b", 300), ("c", 200)):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (changed, changed))
    os.utime(tmp_path, (50, 50))
    assert newest([tmp_path, tmp_path / "not there"]) == 300
    assert newest([tmp_path / "c"]) == 200
    assert newest([]) == 0


def test_the_kernel_is_asked() -> None:
    assert timestamps.synchronised() in {True, False}


@given(st.integers(0, 4_000_000_000_000_000))
def test_times_sort_as_they_follow(microseconds: int) -> None:
    assert timestamps.utc(microseconds) < timestamps.utc(microseconds + 1)
    assert timestamps.parse(timestamps.utc(microseconds)).timestamp() == pytest.approx(microseconds / 1e6, abs=1e-5)


def test_a_time_as_it_goes_on_the_wire() -> None:
    assert timestamps.utc(1_795_206_667_123_456) == "2026-11-20T20:31:07.123456Z"


@pytest.mark.parametrize("text", ["", "now", "2026-13-01T00:00:00Z", "2026-11-20T20:31:07"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(Refused):
        timestamps.parse(text)
