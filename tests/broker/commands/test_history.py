"""`penates history`: what is stored is found, drawn and printed; what is not there is said."""

import csv
import io
import json
import re
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from bootstrap.history.points import Field, Point
from bootstrap.history.reader import DAY_S, MICRO
from bootstrap.history.sqlite.store import Pace, SqliteStore
from support.world import Broker, Eyes, House, eventually

RECORDER = 'kind = "recorder"\n'


@pytest.fixture
def recorded(house: House) -> House:
    """A house with a recorder that is not running, and a thermometer; the passwords are not ours to read."""
    house.write(1, broker='password_file = "secrets/{sensor}"')
    house.device("recorder", RECORDER)
    house.thermometer("cellar")
    return house


def fill(house: House, *points: Point, keep_days: float = 36_500) -> None:
    whole = Pace(step_s=60.0, share=1.0)  # a busy machine does not leave a part for the next time
    with closing(SqliteStore(house.folder / "state" / "history.sqlite", keep_days, pace=whole)) as store:
        store.put(points)


def ago(seconds: float, seq: int = 1, sensor: str = "cm/cellar", **fields: Field) -> Point:
    return Point(sensor, round((time.time() - seconds) * MICRO), "r1", seq, fields)


def history(house: House, *words: str, code: int = 0, **env: str) -> str:
    done = house.penates("history", *words, program=None, **env)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def table(text: str) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(text))]


# The command.


def test_the_terminals_width_the_unit_and_the_last_value(recorded: House) -> None:
    fill(recorded, *(ago(60 * seq, seq, temperature=20 + seq / 10) for seq in range(100)))
    for sensor in ("cellar", "cm/cellar"):
        text = history(recorded, sensor, COLUMNS="70")
        lines = text.splitlines()
        assert lines[0].strip() == "cm/cellar temperature (°C)"
        assert {len(line) for line in lines if "│" in line} == {70}
        assert "100 readings, lowest 20, mean 24.95, highest 29.9, last 20 at 20" in text


@pytest.mark.parametrize(
    ("span_days", "title"), [(1, "(°C)\n"), (30, "mean of each 5 minutes"), (300, "mean of each day (UTC)")]
)
def test_what_is_no_longer_kept_is_drawn_by_its_averages(recorded: House, span_days: int, title: str) -> None:
    every_s = span_days * DAY_S / 400
    points = [ago(every_s * (399 - seq), seq, temperature=20 + seq % 9) for seq in range(400)]
    for number in range(0, 400, 40):  # as a recorder does, so that what is old ends
        fill(recorded, *points[number : number + 40], keep_days=5)
    lines = history(recorded, "cellar", "--since", f"{span_days + 1}d").splitlines()
    assert lines[0].strip().endswith(title.strip())


def test_of_a_flood_of_readings_averages_are_drawn(recorded: House) -> None:
    fill(recorded, *(ago(seq / 10, seq, temperature=20.0) for seq in range(20_001)))
    text = history(recorded, "cellar")
    assert "mean of each 5 minutes" in text
    assert "20001 readings" in text
    assert "mean" not in history(recorded, "cellar", "--each", "reading").splitlines()[0]


def test_csv_and_json_are_what_was_stored(recorded: House) -> None:
    fill(recorded, ago(7200, 1, temperature=21.5, mood="dry, cold"), ago(60, 2, temperature=21.0))
    rows = table(history(recorded, "cellar", "--csv"))
    assert [(row["measure"], row["value"]) for row in rows] == [
        ("temperature", "21.5"),
        ("mood", "dry, cold"),
        ("temperature", "21.0"),
    ]
    lines = [json.loads(line) for line in history(recorded, "cellar", "temperature", "--json").splitlines()]
    assert [(line["measure"], line["value"]) for line in lines] == [("temperature", 21.5), ("temperature", 21.0)]
    assert [line["time"] for line in lines] == [row["time"] for row in rows if row["measure"] == "temperature"]
    (day, *_) = table(history(recorded, "cellar", "--csv", "--each", "day", "--since", "7d"))
    assert {*day} == {"time", "measure", "count", "min", "mean", "max"}


def test_a_picture_is_saved(recorded: House, tmp_path: Path) -> None:
    fill(recorded, *(ago(60 * seq, seq, temperature=20 + seq / 10, open=float(seq > 3)) for seq in range(10)))
    file = tmp_path / "cellar.png"
    assert history(recorded, "cellar", "--png", str(file)).strip() == str(file)
    head = file.read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(head[16:20]) == 1000
    assert int.from_bytes(head[20:24]) == 600  # two measures


def test_without_matplotlib_it_says_what_to_install(recorded: House, tmp_path: Path) -> None:
    fill(recorded, ago(60, temperature=20.0))
    (tmp_path / "matplotlib.py").write_text("raise ImportError('not here')\n")
    said = history(recorded, "cellar", "--png", str(tmp_path / "x.png"), code=1, PYTHONPATH=str(tmp_path))
    assert f"; {sys.executable} -m pip install matplotlib\n" in said


def test_words_are_listed_as_they_change(recorded: House) -> None:
    words = ["dry", "dry", "wet", "wet", "dry"]
    fill(recorded, *(ago(60 * (9 - seq), seq, mood=word) for seq, word in enumerate(words)))
    head, *lines = history(recorded, "cellar", "mood").splitlines()
    assert head == "mood:"
    assert [line.split()[-1] for line in lines] == ["dry", "wet", "dry"]
    assert "text cannot be drawn" in history(recorded, "cellar", "mood", "--png", "x.png", code=1)


# What is not there.


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["celar"], "there is no history of 'celar'; did you mean 'cellar'?"),
        (["cm/celar"], "did you mean 'cm/cellar'?"),
        (["cellar", "temprature"], "no 'temprature' since then; did you mean 'temperature'?"),
        (["attic"], "attic is in several groups; use cm/attic or home/attic"),
        (["cellar", "--since", "1s"], "nothing of cm/cellar is recorded since then; the newest is from 20"),
        (["cellar", "--since", "1s", "--csv"], "nothing of cm/cellar is recorded since then; the newest is from 20"),
    ],
)
def test_what_is_not_there_is_said(recorded: House, words: list[str], said: str) -> None:
    fill(recorded, ago(3600, temperature=20.0), ago(60, sensor="cm/attic", x=1.0), ago(60, sensor="home/attic", x=1.0))
    assert said in history(recorded, *words, code=1)


@pytest.mark.parametrize("since", ["", "5x", "24", "h", "-3d", "2026-13-01", "yesterday", "9" * 400 + "d"])
def test_a_span_that_is_none_is_refused(recorded: House, since: str) -> None:
    assert "must be a span such as 90min" in history(recorded, "cellar", f"--since={since}", code=2)


def test_no_recorder_or_too_many_or_no_file_yet(house: House) -> None:
    house.write(1)
    assert history(house, "cellar", code=78).startswith("devices:1: there is no recorder; make devices/recorder.toml")
    house.device("recorder", RECORDER)
    assert "history.sqlite does not exist" in history(house, "cellar", code=1)
    house.device("second", 'kind = "recorder"\nsensor = "recorder"\nfile = "second.sqlite"\n')
    assert "use --recorder recorder or second" in history(house, "cellar", code=78)
    assert "second.sqlite does not exist" in history(house, "cellar", "--recorder", "second", code=1)
    house.device("recorder", RECORDER + "keep_days = 0\n")
    assert "devices/recorder.toml:2: 'keep_days' must be at least 1" in history(
        house, "cellar", "--recorder", "recorder", code=78
    )


def test_a_history_may_be_read_by_who_may_not_write_it(recorded: House) -> None:
    fill(recorded, ago(60, temperature=20.0))
    folder = recorded.folder / "state"
    assert sorted(path.name for path in folder.iterdir()) == ["history.sqlite"]
    folder.chmod(0o555)
    (folder / "history.sqlite").chmod(0o444)
    try:
        assert "20.0" in history(recorded, "cellar", "--csv")
    finally:
        folder.chmod(0o755)


# All of it.


def test_it_is_read_and_added_to_while_the_recorder_writes(recorded: House, broker: Broker, eyes: Eyes) -> None:
    recorded.write(broker.port)
    recorded.device("recorder", RECORDER + "every_s = 0.2\n")
    recorded.run("recorder").wait_log("subscribed")
    recorded.run("cellar")
    eyes.wait_value("cm/cellar/status/state", "online")

    def read() -> list[str]:
        return [row["value"] for row in table(recorded.penates("history", "cellar", "--csv").stdout)]

    eventually(lambda: "21.5" in read(), "what the thermometer has read is in the history")
    older = recorded.folder / "older.csv"
    older.write_text(f"time,temperature\n{time.time() - 3600:.0f},7\n")
    done = recorded.penates("import", str(older), "--sensor", "cellar")
    assert (done.returncode, done.stdout) == (0, f"{older}: 1 value, 1 of them new; 0 bad lines\n")
    before = len(read())
    assert read()[0] == "7.0"
    eventually(lambda: len(read()) > before, "the recorder goes on")
    assert re.search(r"cm/cellar temperature \(°C\)", history(recorded, "cellar"))


def test_who_reads_us_may_stop(recorded: House) -> None:
    fill(recorded, *(ago(60, seq, temperature=20.0) for seq in range(5000)))
    command = f"{sys.executable} -m penates history cellar --csv --config {recorded.folder} | head -n 1"
    done = subprocess.run(["bash", "-c", command], env=recorded.env(), capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("time,measure,value\n", "")
