"""`penates history delete` and `rename`: they ask, are logged, and refuse what makes no sense."""

import json
import re
import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from support.history import RecordedHouse
from support.world import House

HOUR_S = 3600


@pytest.fixture
def recorded(house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RecordedHouse:
    """A sensor with two measures, read each minute for an hour until now."""
    monkeypatch.setenv("STATE_DIRECTORY", str(house.folder / "state"))
    recorded = RecordedHouse(house, capsys)
    now_s = int(time.time())
    rows = [f"{now_s - 60 * number},{number},40\n" for number in range(60)]
    recorded.load("a.csv", "time,t,h\n" + "".join(rows))
    return recorded


def log(recorded: RecordedHouse) -> list[dict[str, object]]:
    file = recorded.house.folder / "state" / "outbox" / "cm.recorder" / "history_changes.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_part_of_a_measure_is_deleted_and_logged(recorded: RecordedHouse) -> None:
    code, out, _ = recorded.penates("history", "delete", "a", "t", "--from", "30min", "--to", "10min", "--yes")
    assert code == 0
    assert out.startswith("cm/a t: 20 readings and ")
    assert out.endswith("20 readings deleted\n")
    assert len(recorded.values("h")) == 60
    assert not {*recorded.values("t")} & {*range(11, 30)}
    assert len(recorded.values("t")) == 40
    (line,) = log(recorded)
    assert (line["command"], line["sensor"], line["measure"], line["readings"]) == ("history delete", "cm/a", "t", 20)
    assert line["user"]


def test_it_asks_and_without_a_terminal_changes_nothing(
    recorded: RecordedHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (("delete", "a"), ("rename", "a", "b")):
        code, _, err = recorded.penates("history", *words)
        assert (code, err) == (
            1,
            f"penates history {words[0]}: nothing changed: stdin is not a terminal to ask on; use --yes\n",
        )
        for answer, done in (("n", False), ("", False)):
            monkeypatch.setattr("sys.stdin", Typed(answer))
            code, out, _ = recorded.penates("history", *words)
            assert (code, "? [y/N] " in out) == (0 if done else 1, True)
            monkeypatch.undo()
            monkeypatch.setenv("STATE_DIRECTORY", str(recorded.house.folder / "state"))
    assert (len(recorded.rows()), log(recorded)) == (120, [])
    monkeypatch.setattr("sys.stdin", Typed("y"))
    assert recorded.penates("history", "delete", "a")[0] == 0
    assert recorded.penates("history", "a")[2] == "penates history: the history is empty\n"


class Typed:
    """A terminal at which one line is typed."""

    def __init__(self, line: str) -> None:
        self._line = line

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return f"{self._line}\n"


def test_a_sensor_gets_another_name(recorded: RecordedHouse) -> None:
    before = recorded.rows()
    assert recorded.penates("history", "rename", "a", "b", "--yes")[:2] == (0, "cm/a is now cm/b\n")
    assert recorded.rows("cm/b") == before
    assert recorded.rows() == []
    assert recorded.penates("history", "rename", "cm/b", "zigbee2mqtt/Küche Süd", "--yes")[0] == 0
    recorded.load("b.csv", f"time,t\n{int(time.time()) - 86_400},5\n", sensor="cm/b")
    assert recorded.penates("history", "rename", "cm/b", "zigbee2mqtt/Küche Süd", "--yes")[0] == 0
    assert len(recorded.rows("zigbee2mqtt/Küche Süd")) == 121
    assert [line["joined"] for line in log(recorded)] == [False, False, True]
    assert [line["new"] for line in log(recorded)][:2] == ["cm/b", "zigbee2mqtt/Küche Süd"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("delete", "b"), "there is no history of 'b'; choose from a, c"),
        (("delete", "a", "x"), "there is nothing of cm/a x in that time"),
        (("delete", "a", "--from", "2099-01-01"), "there is nothing of cm/a in that time"),
        (("delete", "a", "--from", "1h", "--to", "2h"), "--from must be before --to"),
        (("rename", "a", "a"), "cm/a has that name already"),
        (("rename", "a", "c"), "both have values from the same time; delete those of one"),
        (("rename", "a", "c/#"), "must have names of printable characters"),
        (("rename", "a", "c\x1b[2J"), "must have names of printable characters"),
        (("rename", "b", "d"), "there is no history of 'b'"),
    ],
)
def test_what_makes_no_sense_is_refused(recorded: RecordedHouse, words: tuple[str, ...], why: str) -> None:
    recorded.load("c.csv", f"time,t\n{int(time.time())},1\n{int(time.time()) - 1800},1\n", sensor="cm/c")
    code, _, err = recorded.penates("history", *words, "--yes")
    assert (code, why in err, err.count("\n")) == (1, True, 1), err
    assert "\x1b" not in err
    assert (len(recorded.rows()), log(recorded)) == (120, [])


@pytest.mark.parametrize("store", ["influxdb1", "influxdb"])
def test_of_a_database_it_says_that_it_cannot_and_how(recorded: RecordedHouse, store: str) -> None:
    recorded.house.device("recorder", f'kind = "recorder"\nstore = "{store}"\nurl = "http://127.0.0.1:1"\n')
    code, _, err = recorded.penates("history", "delete", "a", "t", "--yes")
    assert (code, err.count("\n")) == (1, 1)
    assert "the history is in the database at http://127.0.0.1:1, not in SQLite; delete it there: influx " in err
    assert "whole readings, not one measure" in err
    code, _, err = recorded.penates("history", "rename", "a", "b", "--yes")
    assert (code, "no database can rename what it holds" in err) == (1, True)


def test_a_sensor_called_like_that_is_shown_by_its_whole_name(recorded: RecordedHouse) -> None:
    recorded.load("d.csv", f"time,t\n{int(time.time())},1\n", sensor="cm/delete")
    code, out, _ = recorded.penates("history", "cm/delete", "t", "--csv")
    assert (code, out.count("\n")) == (0, 2)


@pytest.mark.usefixtures("berlin")
def test_what_is_asked_names_local_times_and_the_log_those_of_the_wire(recorded: RecordedHouse) -> None:
    out = recorded.penates("history", "delete", "a", "t", "--from", "30min", "--yes")[1]
    first, last = re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", out)
    (line,) = log(recorded)
    for shown, logged in ((first, line["from"]), (last, line["to"])):
        assert datetime.fromisoformat(str(logged)).astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None) == (
            datetime.fromisoformat(shown)
        )
