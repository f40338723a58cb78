"""`penates history` with odd times and names, and on odd terminals."""

import csv
import io
import json
import os
import pty
import time
from contextlib import closing, suppress
from typing import TypeAlias

import pytest

from bootstrap.history.points import Field, Point
from bootstrap.history.reader import MICRO
from bootstrap.history.sqlite.store import SqliteStore
from penates.history.times import printed
from support.history import RecordedHouse
from support.world import House

Reading: TypeAlias = "tuple[int, dict[str, Field]]"


@pytest.fixture
def recorded(house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RecordedHouse:
    monkeypatch.setenv("STATE_DIRECTORY", str(house.folder / "state"))
    return RecordedHouse(house, capsys)


def fill(recorded: RecordedHouse, *readings: Reading, sensor: str = "cm/a", run: str = "r1") -> None:
    recorded.file.parent.mkdir(exist_ok=True)
    with closing(SqliteStore(recorded.file, 36_500)) as store:
        store.put([Point(sensor, time_us, run, seq, fields) for seq, (time_us, fields) in enumerate(readings)])


ODD = [
    round(time.time() + 3600) * MICRO,
    253_402_300_799 * MICRO + 999_999,  # the end of 9999
    253_402_300_800 * MICRO,  # the year 10000
    2**62,
    -1,
    -(2**62),
]


@pytest.mark.parametrize("odd_us", ODD, ids=["soon", "9999", "10000", "far", "before", "long before"])
@pytest.mark.parametrize("alone", [True, False])
def test_any_time_may_be_stored(recorded: RecordedHouse, odd_us: int, alone: bool) -> None:
    now_us = round(time.time() * MICRO)
    fill(recorded, (odd_us, {"a": 5.0, "b": "wet"}))
    if not alone:
        fill(recorded, (now_us - 2, {"a": 1.0, "b": "dry"}), (now_us - 1, {"a": 1.0, "b": "dry"}), run="r2")
    for words in (
        (),
        ("a",),
        ("b",),
        ("--since", "9999w"),
        ("--since", "1900-01-01"),
        ("--each", "day"),
        ("--each", "5min"),
    ):
        code, _, err = recorded.penates("history", "a", *words)
        assert code == 0 or err.count("\n") == 1
    code, out, _ = recorded.penates("history", "a", "--csv", "--since", "0001-01-02")
    rows = [*csv.DictReader(io.StringIO(out))]
    if odd_us > -(2**61):
        assert [row["value"] for row in rows if row["time"] == printed(odd_us)] == ["5.0", "wet"]
        lines = recorded.penates("history", "a", "--json", "--since", "0001-01-02")[1].splitlines()
        assert [json.loads(line)["time"] for line in lines] == [row["time"] for row in rows]
    assert code == (0 if rows else 1)
    for step in ("5min", "day"):
        recorded.penates("history", "a", "--csv", "--each", step, "--since", "0001-01-02")


def test_a_picture_of_any_time(recorded: RecordedHouse) -> None:
    fill(recorded, (ODD[0], {"a": 5.0}), (ODD[1], {"a": 5.0}), (ODD[3], {"a": 6.0}))
    file = recorded.house.folder / "a.png"
    done = recorded.house.penates("history", "a", "--png", str(file), "--since", "1900-01-01", PYTHONWARNINGS="default")
    assert (done.returncode, file.read_bytes()[:4]) == (0, b"\x89PNG")
    assert "penates history: 2 readings of cm/a, the last at +148108-" in done.stderr
    assert "cannot be true yet and are not drawn" in done.stderr


def test_times_beyond_the_calendar_are_printed() -> None:
    assert printed(0) == "1970-01-01T00:00:00.000000Z"
    assert printed(253_402_300_800 * MICRO) == "+010000-01-01T00:00:00.000000Z"
    assert printed(-62_135_596_801 * MICRO) == "+000000-12-31T23:59:59.000000Z"
    assert printed(-62_167_219_201 * MICRO + 1) == "-000001-12-31T23:59:59.000001Z"


def test_names_from_the_wire_cannot_control_a_terminal(recorded: RecordedHouse) -> None:
    name = "m\x1b]0;mine\x07\u202e"
    fill(recorded, (round(time.time() * MICRO), {name: 1.0, f"{name}2": "x"}), sensor=f"cm/{name}")
    fill(recorded, (round(time.time() * MICRO), {name: 1.0}), sensor=f"zoo/{name}")
    for words in ((f"cm/{name}",), (f"cm/{name}", "nothing"), (name,), ("nobody",), (f"cm/{name}", name)):
        _, out, err = recorded.penates("history", *words)
        assert out + err
        assert not {"\x1b", "\x07", "\u202e"} & {*out, *err}


@pytest.mark.parametrize(("more", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colours_are_for_those_who_want_them(
    recorded: RecordedHouse, monkeypatch: pytest.MonkeyPatch, more: dict[str, str], coloured: bool
) -> None:
    now_us = round(time.time() * MICRO)
    readings: list[Reading] = [(now_us - number * 60 * MICRO, {"a": float(number)}) for number in range(20)]
    fill(recorded, *readings)
    for name, value in {"TERM": "xterm", "NO_COLOR": "", **more}.items():
        monkeypatch.setenv(name, value)
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stdout", terminal)
        recorded.penates("history", "a")
    text = b""
    with suppress(OSError), os.fdopen(ours, "rb", buffering=0) as stream:
        while piece := stream.read(10_000):
            text += piece
    assert b"20 readings" in text
    assert (b"\x1b[" in text) == coloured
