"""`penates import`: what others have becomes history, once; what cannot be read is named, and costs nothing else."""

import itertools
import os
import pty
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from bootstrap.history.points import Point
from bootstrap.history.reader import DAY_S
from bootstrap.history.sqlite.reader import SqliteReader
from bootstrap.history.sqlite.store import SqliteStore
from support.world import House, free_port

TIME = "2025-11-20T12:00:00Z"
TIME_US = 1_763_640_000_000_000


@pytest.fixture
def recorded(house: House) -> House:
    house.write(1)
    house.device("recorder", 'kind = "recorder"\nkeep_days = 36500\n')
    return house


def file(house: House, name: str, text: str | bytes) -> Path:
    path = house.folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def load(house: House, name: str, text: str | bytes, *options: str) -> tuple[int, str, list[str]]:
    """The exit code, what was said of the file, and the bad lines, without the file's name."""
    path = file(house, name, text)
    done = house.penates("import", str(path), *options)
    return done.returncode, done.stdout.replace(f"{path}: ", ""), done.stderr.replace(f"{path}:", "").splitlines()


def stored(house: House, sensor: str = "cm/cellar") -> list[tuple[int, dict[str, float | str]]]:
    with closing(SqliteReader(house.folder / "state" / "history.sqlite")) as past:
        return [(row.time_us, row.fields) for row in past.rows(sensor, 0)]


WIDE = f"time,temperature,open\n{TIME},21.5,true\n2025-11-20T13:00:00+01:00,,\n2025-11-20T12:00:01Z,21,false\n"
LONG = f"time;sensor;measure;value\n{TIME};cm/cellar;temperature;21.5\n{TIME};cm/attic;level;-1e3\n"


def test_a_wide_table(recorded: House) -> None:
    assert load(recorded, "wide.csv", WIDE, "--sensor", "cm/cellar") == (
        0,
        "4 values, 4 of them new; 0 bad lines\n",
        [],
    )
    assert stored(recorded) == [
        (TIME_US, {"open": 1.0}),
        (TIME_US, {"temperature": 21.5}),
        (TIME_US + 1_000_000, {"open": 0.0}),
        (TIME_US + 1_000_000, {"temperature": 21.0}),
    ]


def test_a_long_table_says_whose_it_is(recorded: House) -> None:
    assert load(recorded, "long.csv", LONG)[:2] == (0, "2 values, 2 of them new; 0 bad lines\n")
    assert stored(recorded) == [(TIME_US, {"temperature": 21.5})]
    assert stored(recorded, "cm/attic") == [(TIME_US, {"level": -1000.0})]


def test_lines_of_a_peer(recorded: House) -> None:
    lines = (
        "# a comment",
        f'reading,group=cm,sensor=cellar,kind=thermometer temperature=21.5,mood="dry, \\"cold\\"" {TIME_US}000',
        f"humidity,sensor=cm/cellar value=40i {TIME_US}000",
        f"odd\\ name,sensor=cm/cellar open=T {TIME_US + 1}000",
        "",
    )
    assert load(recorded, "peer.lp", "\n".join(lines)) == (0, "4 values, 4 of them new; 0 bad lines\n", [])
    assert stored(recorded) == [
        (TIME_US, {"humidity": 40.0}),
        (TIME_US, {"mood": 'dry, "cold"'}),
        (TIME_US, {"temperature": 21.5}),
        (TIME_US + 1, {"open": 1.0}),
    ]


def test_what_is_there_is_not_loaded_again(recorded: House) -> None:
    load(recorded, "wide.csv", WIDE, "--sensor", "cellar")
    before = stored(recorded)
    assert load(recorded, "wide.csv", WIDE, "--sensor", "cellar")[1] == "4 values, 0 of them new; 0 bad lines\n"
    lines = f"temperature value=21.5 {TIME_US // 1_000_000}\ntemperature value=22 {TIME_US // 1_000_000 + 60}\n"
    said = load(recorded, "same.lp", lines, "--sensor", "cellar", "--precision", "s")[1]
    assert said == "2 values, 1 of them new; 0 bad lines\n"
    assert len(stored(recorded)) == len(before) + 1


def test_what_was_imported_and_has_become_too_old_is_counted_once(recorded: House) -> None:
    text = "time,level\n" + "".join(f"{TIME_US // 1_000_000 + 6 * 3600 * number},{number}\n" for number in range(100))
    load(recorded, "old.csv", text, "--sensor", "cellar")
    with closing(SqliteStore(recorded.folder / "state" / "history.sqlite", keep_days=1)) as store:
        seq = itertools.count()
        while len(stored(recorded)) > 4:  # the recorder goes on, and is told to keep a day
            store.put([Point("cm/attic", TIME_US + 25 * DAY_S * 1_000_000, "r1", next(seq), {"level": 1.0})])
    assert load(recorded, "old.csv", text, "--sensor", "cellar")[1] == "100 values, 0 of them new; 0 bad lines\n"
    with closing(SqliteReader(recorded.folder / "state" / "history.sqlite")) as past:
        days = [*past.averages("cm/cellar", 0, DAY_S)]
    assert sum(day.summary.count for day in days) == 100
    assert (days[-1].summary.high, days[0].summary.low) == (99, 0)


BAD_CSV: list[tuple[str | bytes, str]] = [
    ("yesterday,1", "'yesterday' is not a time such as 2026-11-20T20:31:07Z"),
    ("2025-11-20T12:00:00,1", "'2025-11-20T12:00:00' has no time zone; end it with Z for UTC"),
    (f"{TIME},wet", "'wet' is not a number for 'level'; use --words if it is text"),
    (f'{TIME},"21,5"', "'21,5' is not a number for 'level': write a point for its comma"),
    (f"{TIME},inf", "'inf' is not a number"),
    (f"{TIME},1_0", "'1_0' is not a number"),
    (f"{TIME},1e999", "'level' is not a finite number"),
    (f"{TIME}", "it has 1 value for 2 columns"),
    (f"{TIME},1,2", "it has 3 values for 2 columns"),
    ("1e30,1", "the time 1e30 is not between 1970 and 9999; is --precision right?"),
    ("-5,1", "the time -5 is not between 1970 and 9999"),
    (b"\xff,1", "it is not UTF-8 text"),
    (f"{TIME},\0", "'\\x00' is not a number"),
    (f"{TIME},{'1' * 140_000}", "field larger than field limit"),
]


def test_each_bad_line_is_named_and_the_others_are_loaded(recorded: House) -> None:
    bad = [line if isinstance(line, bytes) else line.encode() for line, _ in BAD_CSV]
    text = (
        b"time,level\n" + b"\n".join(line for pair in zip(bad, _good(len(bad)), strict=True) for line in pair) + b"\n"
    )
    code, said, lines = load(recorded, "bad.csv", text, "--sensor", "cellar")
    assert (code, said) == (1, f"{len(bad)} values, {len(bad)} of them new; {len(bad)} bad lines\n")
    for number, (line, (_, why)) in enumerate(zip(lines, BAD_CSV, strict=True)):
        assert line.startswith(f"{2 + 2 * number}: {why}")


def _good(count: int) -> list[bytes]:
    return [f"2025-11-20T12:00:{number:02}Z,{number}".encode() for number in range(count)]


BAD_LINES = [
    ("hello", "it is not line protocol"),
    ("a,sensor=cm/x b=1", "it has no time"),
    ("a,sensor=cm/x b=1 -5000", "the time -5000 is not between 1970 and 9999; is --precision right?"),
    (f"a,sensor=cm/x b=x {TIME_US}000", "'x' is not a value"),
    (f"a,sensor=cm/x b {TIME_US}000", "'b' is not a field"),
    (f'a,sensor=cm/x b="x {TIME_US}000', "it is not line protocol"),
    (f"a,sensor=cm/x b=1e999 {TIME_US}000", "'b' is not a finite number"),
    (f"a,sensor=cm/x {'b' * 201}=1 {TIME_US}000", "the name of the measure 'bbb"),
    (f"a,sensor=cm/x seq=1 {TIME_US}000", "a measure cannot be called 'seq'; the recorder calls it 'seq_'"),
    (f"m,group=cm b=1 {TIME_US}000", "it has no tag 'sensor'; use --sensor"),
]


def test_bad_lines_of_the_line_protocol(recorded: House) -> None:
    text = "\n".join(line for line, _ in BAD_LINES)
    code, said, lines = load(recorded, "bad.lp", text, "--precision", "ns")
    assert (code, said) == (1, f"0 values, 0 of them new; {len(BAD_LINES)} bad lines\n")
    for number, (line, (_, why)) in enumerate(zip(lines, BAD_LINES, strict=True), 1):
        assert line.startswith(f"{number}: {why}")


@pytest.mark.parametrize(
    ("name", "text", "options", "why"),
    [
        (
            "a.csv",
            "when,level\n1,2\n",
            ["--sensor", "x"],
            "1: the first line must name the columns: 'time'",
        ),
        ("a.csv", "", ["--sensor", "x"], "1: the first line must name the columns"),
        ("a.csv", "time,level\n1,2\n", [], "1: there is no column 'sensor'; use --sensor"),
        ("a.csv", "time,seq\n1,2\n", ["--sensor", "x"], "1: a measure cannot be called 'seq'"),
        ("a.csv", "time,\n1,2\n", ["--sensor", "x"], "1: a measure has no name"),
        ("a.csv", "time,entity_id,a\n1,b,2\n", ["--sensor", "x"], "1: what is the column 'entity_id'?"),
        ("a.csv", "time,measure,value,room\n1,a,2,b\n", ["--sensor", "x"], "1: what is the column 'room'?"),
        (
            "a.csv",
            "time,measure,count,min\n1,a,2,3\n",
            ["--sensor", "x"],
            "1: a column 'measure' needs a column 'value'",
        ),
        ("a.csv", "time,room,a\n1,b,2\n1,c,3\n", ["--sensor", "x"], "1: the column 'room' has no numbers, but 'b'"),
        ("a.csv", b"\xff\xfet\0i\0", ["--sensor", "x"], "1: it is not UTF-8 text"),
        (
            "a.csv",
            "time,a,a\n1,2,3\n",
            ["--sensor", "x"],
            "1: there is no column for a measure, or two columns have the same name",
        ),
        ("a.csv", "time,sensor,a\n1,cellar,3\n", [], "2: the sensor 'cellar' must be GROUP/SENSOR; use --sensor"),
        ("a.lp", "a b=1 1\n", [], "1: it has no tag 'sensor'; use --sensor"),
    ],
)
def test_a_file_that_cannot_be_understood(
    recorded: House, name: str, text: str | bytes, options: list[str], why: str
) -> None:
    code, _, lines = load(recorded, name, text, *options)
    assert code == 1
    assert lines[0].startswith(why)


def test_times_of_a_zone_and_words(recorded: House) -> None:
    text = "time,mood\n2025-11-20T13:00:00,dry\n2025-07-20T13:00:00,wet\n"
    assert load(recorded, "zone.csv", text, "--sensor", "cellar", "--zone", "Europe/Berlin", "--words")[0] == 0
    assert stored(recorded)[1] == (TIME_US, {"mood": "dry"})
    assert stored(recorded)[0] == (1_753_009_200_000_000, {"mood": "wet"})
    assert "there is no zone" in recorded.penates("import", "x.csv", "--zone", "Europe/Berln").stderr


def test_what_history_prints_can_be_imported(recorded: House) -> None:
    load(recorded, "wide.csv", WIDE.replace("true", "dry").replace("false", "wet"), "--sensor", "cellar", "--words")
    printed = recorded.penates("history", "cellar", "--csv", "--since", "2025-01-01").stdout
    recorded.device("recorder", 'kind = "recorder"\nkeep_days = 36500\nfile = "copy.sqlite"\n')
    load(recorded, "copy.csv", printed, "--sensor", "cellar", "--words")
    assert printed.count("\n") == 5
    assert recorded.penates("history", "cellar", "--csv", "--since", "2025-01-01").stdout == printed


def test_which_calibration_a_value_has_is_imported_with_it(recorded: House) -> None:
    line = '{"time":"TIME","run":"r","seq":1,"calibration":{"temperature":"6a0a1a2e"},"temperature":21}\n'
    load(recorded, "wire.jsonl", line.replace("TIME", TIME), "--sensor", "cm/cellar", "--words")
    fields = [fields for _, fields in stored(recorded)]
    assert sorted(fields, key=str) == [{"calibration": '{"temperature":"6a0a1a2e"}'}, {"temperature": 21.0}]
    printed = recorded.penates("history", "cellar", "--json", "--since", "2025-01-01").stdout
    recorded.device("recorder", 'kind = "recorder"\nkeep_days = 36500\nfile = "copy.sqlite"\n')
    assert load(recorded, "copy.jsonl", printed, "--sensor", "cm/cellar", "--words")[0] == 0
    assert recorded.penates("history", "cellar", "--json", "--since", "2025-01-01").stdout == printed


def test_many_bad_lines_are_counted_and_some_are_named(recorded: House) -> None:
    code, said, lines = load(recorded, "bad.lp", "nonsense\n" * 100)
    assert (code, said) == (1, "0 values, 0 of them new; 100 bad lines\n")
    assert len(lines) == 20


def test_a_file_that_is_not_there_and_a_store_that_is_not(recorded: House) -> None:
    done = recorded.penates("import", "nowhere.csv")
    assert (done.returncode, "nowhere.csv" in done.stderr) == (1, True)
    wide = file(recorded, "wide.csv", WIDE)
    for store in ("influxdb1", "influxdb"):
        recorded.device("recorder", f'kind = "recorder"\nstore = "{store}"\nurl = "http://127.0.0.1:{free_port()}"\n')
        done = recorded.penates("import", str(wide), "--sensor", "cellar")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert "Connection refused" in done.stderr


def test_a_history_that_is_damaged_is_left_to_its_recorder(recorded: House) -> None:
    (recorded.folder / "state").mkdir()
    (recorded.folder / "state" / "history.sqlite").write_bytes(b"nonsense" * 1000)
    code, _, lines = load(recorded, "wide.csv", WIDE, "--sensor", "cellar")
    assert (code, len(lines)) == (1, 1)
    assert "file is not a database" in lines[0]
    assert [path.name for path in (recorded.folder / "state").iterdir()] == ["history.sqlite"]


def test_on_a_terminal_there_is_a_bar(recorded: House) -> None:
    path = file(recorded, "long.csv", LONG)
    command = [sys.executable, "-m", "penates", "import", str(path), "--config", str(recorded.folder)]
    ours, theirs = pty.openpty()
    subprocess.run(command, env=recorded.env(TERM="xterm"), stderr=theirs, stdout=subprocess.PIPE, check=True)
    os.close(theirs)
    shown = b""
    with suppress(OSError), os.fdopen(ours, "rb", buffering=0) as stream:
        while piece := stream.read(1000):
            shown += piece
    assert b"long.csv" in shown
    assert "━".encode() in shown
