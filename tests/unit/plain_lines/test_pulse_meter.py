"""A meter on a driven line: its total over every end, its pace, and what it says of pulses that it does not believe."""

import json
import resource
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bootstrap.errors import Refused
from bootstrap.pins.edge_times import EdgeBatch
from bootstrap.pins.simulated_lines import SimulatedLine
from bootstrap.plain_lines import pulse_meter
from bootstrap.runtime.kept_values import FILE
from daemons.meter import Meter
from penates.testing import Bench

PIN = 17
MS, SECOND_NS = 1_000_000, 1_000_000_000
PATIENCE_S = 60


def meter(**settings: Any) -> Meter:
    return Meter(**{"pin": PIN, "pulses_per_unit": 1000, "write_s": 1, **settings})


def times(count: int, apart_ms: float, ended_ms: float = 60) -> list[int]:
    """When a contact has closed so often, the last time a moment ago."""
    last = time.monotonic_ns() - round(ended_ms * MS)
    return [last - round(number * apart_ms * MS) for number in reversed(range(count))]


def closings(times_ns: Sequence[int], closed_ms: float) -> list[tuple[bool, int]]:
    return [edge for at in times_ns for edge in ((False, at), (True, at + round(closed_ms * MS)))]


def drive(bench: Bench, edges: Sequence[tuple[bool, int]], meanwhile: Callable[[], object] = lambda: None) -> None:
    """Drive the line at these times in nanoseconds, in a thread, because it holds few edges that nobody reads."""

    def run() -> None:
        for high, at_ns in edges:
            SimulatedLine(PIN).drive(high, at_ns)

    driver = threading.Thread(target=run)
    driver.start()
    meanwhile()
    bench.until(lambda: not driver.is_alive(), PATIENCE_S)
    driver.join()


def counted(device: Meter, count: int) -> Callable[[], bool]:
    return lambda: device.record.count == count


def file(folder: Path) -> Path:
    (found,) = folder.rglob(FILE)
    return found


def on_disk(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file(folder).read_text())["meter"]
    return found


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse_meter, "REPORT_S", 0.5)
    monkeypatch.setattr(pulse_meter, "FIRST_S", 0.3)


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """What was logged since the last call."""

    def text() -> str:
        found = "\n".join(f"{one.getMessage()} {vars(one)['fields']}" for one in caplog.records)
        caplog.clear()
        return found

    return text


@pytest.mark.parametrize(
    ("counts", "pace", "now"),
    [("energy_in", "power", 720.0), ("energy_out", "power", 720.0), ("gas", "flow", 12.0), ("water", "flow", 12.0)],
)
def test_it_tells_what_it_counts_and_how_much_that_is_now(counts: str, pace: str, now: float, tmp_path: Path) -> None:
    device = meter(counts=counts, initial=12_345.6, highest=10_000)
    with Bench(device, tmp_path) as bench:
        assert bench.read() == {counts: 12_345.6, "bounces": 0, "implausible": 0, "gaps": 0}
        drive(bench, closings(times(21, 5000), 50))
        bench.until(lambda: bench.readings[-1][counts] == 12_345.621, PATIENCE_S)
        assert max(float(one.get(pace, 0)) for one in bench.readings) == now  # type: ignore[arg-type]
    assert set(bench.readings[-1]) == {counts, pace, "bounces", "implausible", "gaps"}


def test_fifty_pulses_a_second_are_all_counted_although_the_process_is_blocked() -> None:
    device = meter()
    with Bench(device) as bench:
        drive(bench, closings(times(500, 20), 10), lambda: time.sleep(1))
        bench.until(counted(device, 500), PATIENCE_S)
        assert bench.read()["bounces"] == 0


def test_a_reading_knows_of_what_has_come_since_the_last_batch() -> None:
    """Else the pace of fifty pulses a second would be told as that of one batch without any."""
    device = meter()
    with Bench(device) as bench:
        drive(bench, closings(times(3, 20), 10))
        bench.until(counted(device, 3))
        for edge in closings(times(4, 20, 10), 8):
            SimulatedLine(PIN).drive(*edge)
        bench.read()
        assert device.record.count == 7


def test_at_fifty_pulses_a_second_it_is_seldom_that_something_is_written_or_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse_meter, "REPORT_S", 10.0)
    device, kept, written = meter(write_s=60), set[object](), set[int]()
    with Bench(device, tmp_path) as bench:
        began, pulses = time.monotonic(), times(100, 20)
        for done in range(0, 100, 5):
            drive(bench, closings(pulses[done : done + 5], 10))
            bench.until(counted(device, done + 5), PATIENCE_S)
            kept.add(device.kept.value.get("count"))
            written |= {one.stat().st_mtime_ns for one in tmp_path.rglob(FILE)}
        took = time.monotonic() - began
        assert len(kept) <= took / pulse_meter.KEEP_S + 2
        assert len(bench.readings) <= took / pulse_meter.REPORT_S + 1
        assert len(written) <= took / 60 + 1  # the first change, and then nothing for a minute
    assert on_disk(tmp_path)["count"] == device.record.count


def test_a_contact_that_stays_closed_counts_once_and_is_no_fault(tmp_path: Path) -> None:
    device = meter(zero_s=2)
    with Bench(device, tmp_path) as bench:
        drive(bench, closings(times(3, 500), 50)[:-1])
        bench.until(counted(device, 3))
        bench.until(lambda: bench.readings and bench.readings[-1].get("power") == 0, PATIENCE_S)
        assert device.record.count == 3
    again = meter()
    with Bench(again, tmp_path, driven={PIN: False}) as bench:
        assert bench.read()["energy_in"] == 0.003
        drive(bench, [(True, time.monotonic_ns())])
        bench.until(lambda: not again.sieve.waits)
        assert bench.read()["energy_in"] == 0.003


def test_power_falls_while_no_pulse_comes_and_is_0_in_the_end(tmp_path: Path) -> None:
    with Bench(meter(zero_s=3), tmp_path) as bench:
        drive(bench, closings(times(3, 100), 50))
        bench.until(lambda: bench.readings and bench.readings[-1].get("power") == 0, PATIENCE_S)
        powers = [float(one["power"]) for one in bench.readings if "power" in one]  # type: ignore[arg-type]
        assert powers == sorted(powers, reverse=True)
        assert len(powers) >= 3
        count = len(bench.readings)
        began = time.monotonic()
        bench.until(lambda: time.monotonic() - began > 1.5)
        assert len(bench.readings) == count  # nothing ticks


# Ends.


def test_what_was_told_is_on_the_disk_so_a_power_cut_costs_the_time_between_two_writes_and_that_is_said(
    tmp_path: Path, said: Callable[[], str]
) -> None:
    device, cut = meter(write_s=2, initial=5), tmp_path / "cut"
    with Bench(device, tmp_path / "at work") as bench:
        while len({one["energy_in"] for one in bench.readings}) < 4:
            count, readings = device.record.count, len(bench.readings)
            drive(bench, closings(times(1, 20), 10))
            bench.until(counted(device, count + 1))
            bench.until(lambda before=readings: len(bench.readings) > before, PATIENCE_S)  # type: ignore[misc]
            assert bench.readings[-1]["energy_in"] <= round(5 + on_disk(tmp_path / "at work")["count"] / 1000, 6)
        shutil.copytree(tmp_path / "at work", cut)
        on_disk_then, count = on_disk(cut)["count"], device.record.count
    assert on_disk_then > 0
    said()
    again = meter(initial=5)
    with Bench(again, cut) as bench:
        assert bench.read() == {
            "energy_in": round(5 + on_disk_then / 1000, 6), "bounces": 0, "implausible": 0, "gaps": 1
        }  # fmt: skip
        assert "the last run was killed or lost power, so pulses may be missing" in said()
    with Bench(meter(initial=5), cut) as bench:
        assert bench.read()["gaps"] == 1
    assert "killed" not in said()
    with Bench(meter(initial=5), tmp_path / "at work") as bench:  # which was stopped
        assert bench.read() == {"energy_in": round(5 + count / 1000, 6), "bounces": 0, "implausible": 0, "gaps": 0}


def test_a_stop_costs_no_pulse_that_has_come(tmp_path: Path) -> None:
    with Bench(meter(), tmp_path) as bench:
        for edge in closings(times(2, 20), 10)[:-1]:
            SimulatedLine(PIN).drive(*edge)
        del bench
    with Bench(meter(), tmp_path, driven={PIN: False}) as bench:
        assert bench.read()["energy_in"] == 0.002


def test_it_counts_while_the_disk_takes_nothing_and_tells_that(tmp_path: Path, full_disk: tuple[int, int]) -> None:
    device = meter()
    with Bench(device, tmp_path) as bench:
        drive(bench, closings(times(2, 20), 10))
        bench.until(lambda: "kept values" in bench.problems, PATIENCE_S)
        drive(bench, closings(times(5, 20), 10))
        bench.until(lambda: bench.readings and bench.readings[-1]["energy_in"] == 0.007, PATIENCE_S)
        resource.setrlimit(resource.RLIMIT_FSIZE, full_disk)
        bench.until(lambda: not bench.problems, PATIENCE_S)
        assert on_disk(tmp_path)["count"] == 7


# The figure on the dial.


def test_a_figure_that_is_set_is_told_at_once_and_the_jump_is_said(tmp_path: Path, said: Callable[[], str]) -> None:
    device = meter(initial=10, write_s=60)
    with Bench(device, tmp_path) as bench:
        drive(bench, closings(times(2, 20), 10))
        bench.until(counted(device, 2))
        said()
        bench.act("set", 1234.5)
        assert bench.readings[-1] == {"energy_in": 1234.5}
        text = said()
        assert "'jump': 1224.498" in text
        assert "Developer tools, Statistics, 'Adjust sum'" in text
        assert bench.read()["energy_in"] == 1234.5
        drive(bench, closings(times(1, 20), 10))
        bench.until(counted(device, 1))
    with Bench(meter(initial=10), tmp_path) as bench:
        assert bench.read()["energy_in"] == 1234.501


@pytest.mark.parametrize("value", [-1, 1e10, "many", True, None, {"figure": 5}])
def test_what_is_no_figure_is_refused(value: Any) -> None:
    device = meter(initial=10)
    with Bench(device) as bench:
        with pytest.raises(Refused):
            bench.act("set", value)
        assert bench.read()["energy_in"] == 10


def test_an_initial_figure_that_is_mended_moves_the_total_once_and_not_after_it_was_set(
    tmp_path: Path, said: Callable[[], str]
) -> None:
    device = meter(initial=1234.5)
    with Bench(device, tmp_path) as bench:
        drive(bench, closings(times(3, 20), 10))
        bench.until(counted(device, 3))
    for _ in range(2):
        with Bench(meter(initial=1243.5), tmp_path) as bench:
            assert bench.read()["energy_in"] == 1243.503
    text = said()
    assert text.count("'initial' has changed, and the total with it") == text.count("'jump': 9") == 1
    with Bench(meter(initial=1243.5), tmp_path) as bench:
        bench.act("set", 2000)
    with Bench(meter(initial=7), tmp_path) as bench:
        assert bench.read()["energy_in"] == 2000
    assert "'initial' changes nothing any more" in said()


def test_other_pulses_for_a_unit_count_on_from_the_same_figure(tmp_path: Path) -> None:
    device = meter(initial=10)
    with Bench(device, tmp_path) as bench:
        drive(bench, closings(times(4, 20), 10))
        bench.until(counted(device, 4))
    device = meter(initial=10, pulses_per_unit=100)
    with Bench(device, tmp_path) as bench:
        assert bench.read()["energy_in"] == 10.004
        drive(bench, closings(times(1, 20), 10))
        bench.until(counted(device, 1))
    assert on_disk(tmp_path)["base"] == 10.004
    with Bench(meter(initial=10, pulses_per_unit=100), tmp_path) as bench:
        assert bench.read()["energy_in"] == 10.014


@pytest.mark.parametrize("kept", [{"count": 5}, {"counts": "gas", "initial": 0, "per_unit": 0, "base": 0}])
def test_what_is_no_record_of_this_meter_is_said_and_not_taken_for_one(
    kept: dict[str, Any], tmp_path: Path, said: Callable[[], str]
) -> None:
    device = meter()
    with Bench(device, tmp_path) as bench:
        drive(bench, closings(times(4, 20), 10))
        bench.until(counted(device, 4))
    with Bench(meter(counts="gas", initial=3), tmp_path) as bench:
        assert bench.read()["gas"] == 3
    file(tmp_path).write_text(json.dumps({"meter": kept}))
    with Bench(meter(initial=3), tmp_path) as bench:
        assert bench.read()["energy_in"] == 3
    assert said().count("what was kept is of another meter") >= 1


# What is not believed.


def test_pulses_above_the_highest_are_not_counted_and_that_is_said_once(said: Callable[[], str]) -> None:
    device = meter(highest=3600)  # one pulse a second
    with Bench(device) as bench:
        drive(bench, closings(times(3, 1100, 5000), 50))
        bench.until(counted(device, 3))
        drive(bench, closings(times(10, 300), 50))
        bench.until(lambda: device.sieve.implausible == 9)
        assert bench.read()["implausible"] == 9
        assert device.record.count == 4
    assert said().count("pulses came sooner than 'highest' allows") == 1


def test_a_pulse_that_is_too_short_is_a_bounce() -> None:
    device = meter(bounce_s=0.03)
    with Bench(device) as bench:
        drive(bench, [*closings(times(5, 200, 1000), 20), *closings(times(2, 200), 40)])
        bench.until(counted(device, 2))
        assert bench.read()["bounces"] == 5


def test_edges_that_the_kernel_has_dropped_are_a_gap(said: Callable[[], str]) -> None:
    device = meter()
    with Bench(device) as bench:
        now = time.monotonic_ns()
        device.on_edges(EdgeBatch([now - 20 * MS, now - 10 * MS], b"\0\1", 100))
        bench.until(counted(device, 1))
        assert bench.read()["gaps"] == 1
    assert "edges were lost, because they were read too slowly: pulses are missing" in said()
