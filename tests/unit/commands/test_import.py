"""`penates import`: nothing is lost silently, nothing is guessed, and what is printed can be loaded again."""

import gzip
import json
import subprocess
import sys
import time
from contextlib import closing

import pytest

from bootstrap.history.points import Point, foreign
from bootstrap.history.reader import DAY_S, FIVE_MINUTES_S, MICRO
from bootstrap.history.sqlite.reader import SqliteReader
from bootstrap.history.sqlite.store import SqliteStore
from support.history import RecordedHouse
from support.world import House

NEWEST_S = 1_767_225_600  # 2026-01-01


@pytest.fixture
def recorded(house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RecordedHouse:
    monkeypatch.setenv("STATE_DIRECTORY", str(house.folder / "state"))
    return RecordedHouse(house, capsys)


def table(*rows: str, head: str = "time,a") -> str:
    return "\n".join([head, *rows]) + "\n"


# Local times.

HOURS = [f"2026-10-25 {hour}" for hour in ("01:30", "02:00", "02:30", "02:00", "02:30", "03:00")]
FIRST_S = 1_792_884_600  # half past one that day in Berlin


@pytest.mark.parametrize("backwards", [False, True])
def test_an_hour_that_comes_twice_is_told_apart_by_the_order_of_the_lines(
    recorded: RecordedHouse, backwards: bool
) -> None:
    rows = [f"{hour},{number}" for number, hour in enumerate(HOURS)]
    code, said, _ = recorded.load("a.csv", table(*rows[:: -1 if backwards else 1]), "--zone", "Europe/Berlin")
    assert (code, said) == (0, "6 values, 6 of them new; 0 bad lines")
    assert recorded.rows() == [(FIRST_S + 1800 * number, {"a": float(number)}) for number in range(6)]


def test_two_measures_in_turns_are_told_apart_too(recorded: RecordedHouse) -> None:
    rows = [f"{hour},{name},{number}" for number, hour in enumerate(HOURS) for name in ("x", "y")]
    head = "time,measure,value"
    assert recorded.load("a.csv", table(*rows, head=head), "--zone", "Europe/Berlin")[0] == 0
    assert recorded.values("x") == recorded.values("y") == [0, 1, 2, 3, 4, 5]
    # Each hour once per measure: nothing steps back, but each measure comes again.
    rows = [f"2025-10-26 0{hour}:00,{name},{hour}" for hour in (1, 2, 2, 3) for name in ("x", "y")]
    recorded.load("b.csv", table(*rows, head=head), "--zone", "Europe/Berlin", sensor="cm/b")
    hours = [1_761_433_200 + 3600 * number for number in range(4)]
    assert [moment for moment, fields in recorded.rows("cm/b") if "y" in fields] == hours


@pytest.mark.parametrize(
    "hours",
    [
        ["01:30", "02:30", "03:30"],  # one of the two is missing
        ["02:30"],
        ["01:30", "02:00", "02:30", "02:10", "02:20", "02:00", "03:00"],  # in no order
    ],
)
def test_an_hour_that_order_does_not_tell_apart_is_named(recorded: RecordedHouse, hours: list[str]) -> None:
    code, _, lines = recorded.load(
        "a.csv", table(*(f"2026-10-25 {hour},1" for hour in hours)), "--zone", "Europe/Berlin"
    )
    twice = [number for number, hour in enumerate(hours, 2) if hour.startswith("02")]
    assert (code, [line.split(":")[0] for line in lines]) == (1, [str(number) for number in twice])
    assert "show 2026-10-25 02:" in lines[0]
    assert "+02:00 is the first" in lines[0]
    assert len(recorded.rows()) == len(hours) - len(twice) if len(hours) > len(twice) else True


def test_files_sorted_by_measure_do_not_look_like_an_hour_that_comes_again(recorded: RecordedHouse) -> None:
    rows = [f"2026-10-25 02:{minute}0,{name},1" for name in ("x", "y") for minute in range(6)]
    head = "time,measure,value"
    code, said, lines = recorded.load("a.csv", table(*rows, head=head), "--zone", "Europe/Berlin")
    assert (code, said, len(lines)) == (1, "0 values, 0 of them new; 12 bad lines", 12)


def test_an_hour_that_never_was_takes_no_other_ones_place(recorded: RecordedHouse) -> None:
    rows = [f"2026-03-29 {hour},{number}" for number, hour in enumerate(("01:30", "02:30", "03:30"), 1)]
    code, _, lines = recorded.load("a.csv", table(*rows), "--zone", "Europe/Berlin")
    assert (code, lines) == (
        1,
        ["3: the clocks of Europe/Berlin were put forward past 2026-03-29 02:30, which never was"],
    )
    assert recorded.values("a") == [1, 3]


# Times that are none.


@pytest.mark.parametrize(
    ("moment", "date"),
    [
        ("20260102", "1970-08-23"),
        ("202601021230", "8390-03-04"),
        ("2026010212", "2034-03-15"),
        ("2099-01-01T00:00:00Z", "2099"),
    ],
)
def test_a_time_that_is_implausible_is_asked_about(recorded: RecordedHouse, moment: str, date: str) -> None:
    code, _, (line,) = recorded.load("a.csv", table(f"{moment},1"))
    assert code == 1
    assert line.startswith(f"2: the time {moment} would be on {date}")
    assert "--any-time accepts it" in line
    assert ("a date is written like 2026-01-31T12:30" in line) == moment.isdecimal()
    assert recorded.load("a.csv", table(f"{moment},1"), "--any-time")[0] == 0
    assert len(recorded.rows()) == 1


def test_a_date_long_ago_is_a_date(recorded: RecordedHouse) -> None:
    assert recorded.load("a.csv", table("1981-07-01T12:00:00Z,1"))[0] == 0


# Series.

ENTITIES = """\
°C,domain=sensor,entity_id=kitchen device_class_str="temperature",value=20.5 1767225600000000000
%,domain=sensor,entity_id=kitchen value=55 1767225600000000000
°C,domain=sensor,entity_id=bath device_class_str="temperature",value=23.5 1767225660000000000
°C,domain=sensor,entity_id=kitchen device_class_str="temperature",value=20.6 1767225660000000000
"""


def test_two_series_never_become_one(recorded: RecordedHouse) -> None:
    code, said, lines = recorded.load("a.lp", ENTITIES)
    assert (code, said) == (1, "5 values, 5 of them new; 1 bad line")
    assert lines[0].startswith("3: 'device_class_str' of cm/a is already '°C,domain=sensor,entity_id=kitchen' (")
    assert "(1), and '°C,domain=sensor,entity_id=bath' must not be mixed with it; choose one with --tag" in lines[0]
    assert (recorded.values("value"), recorded.values("%")) == ([20.5, 20.6], [55])


def test_one_of_several_series_can_be_chosen(recorded: RecordedHouse) -> None:
    choice = ("--tag", "entity_id=bath", "--tag", "domain=sensor", "--measurement", "°C")
    assert recorded.load("a.lp", ENTITIES, *choice)[:2] == (
        0,
        "2 values, 2 of them new; 0 bad lines; 3 lines of series not chosen",
    )
    assert recorded.values("value") == [23.5]
    lines = "indoor,group=cm,sensor=b t=20.5 {0}\noutdoor,group=cm,sensor=b t=3.5 {0}\n".format(NEWEST_S * 10**9)
    assert recorded.load("b.lp", lines, sensor="")[0] == 1
    assert recorded.load("b.lp", lines, "--measurement", "outdoor", "--replace", sensor="")[0] == 0
    assert recorded.values("t", "cm/b") == [3.5]


def test_two_sensors_of_a_file_never_become_one_that_was_chosen(recorded: RecordedHouse) -> None:
    rows = [f"{NEWEST_S + number},cm,{name},{number}" for number, name in enumerate(("x", "y", "x"))]
    lines = [f"m,group=cm,sensor={name} a=1 {NEWEST_S + number}000000000" for number, name in enumerate("xyx")]
    objects = [json.dumps({"time": NEWEST_S + number, "sensor": name, "a": 1}) for number, name in enumerate("xyx")]
    files = {"csv": table(*rows, head="time,group,sensor,a"), "lp": "\n".join(lines), "json": "\n".join(objects)}
    for form, content in files.items():
        code, said, complaints = recorded.load(f"a.{form}", content, sensor=f"cm/{form}")
        assert (code, said, len(complaints)) == (1, "2 values, 2 of them new; 1 bad line", 1)
        assert "or leave out --sensor" in complaints[0]
        assert len(recorded.rows(f"cm/{form}")) == 2


@pytest.mark.parametrize("line", ["m,sensor=cm/x,sensor=cm/y a=1", "m,sensor=cm/x a=1,a=2"])
def test_what_is_there_twice_in_a_line_is_not_guessed(recorded: RecordedHouse, line: str) -> None:
    code, _, (complaint,) = recorded.load("a.lp", f"{line} {NEWEST_S}000000000", sensor="")
    assert (code, complaint.startswith("1: it has '"), complaint.endswith("' twice")) == (1, True, True)


# Two values for one key.


def test_a_second_value_for_a_key_is_named_with_both_lines(recorded: RecordedHouse) -> None:
    text = table(f"{NEWEST_S},1", f"{NEWEST_S + 60},2", f"{NEWEST_S},1", f"{NEWEST_S},3")
    code, said, lines = recorded.load("a.csv", text)
    assert (code, said) == (1, "3 values, 2 of them new; 1 bad line")
    what = "'a' of cm/a at 2026-01-01T00:00:00.000000Z"
    assert lines == [f"5: {what} is 3.0 here, and 1.0 in line 2; --replace takes the later one"]
    assert recorded.values("a") == [1, 2]


def test_a_value_that_differs_from_the_stored_one_is_named_or_replaces_it(recorded: RecordedHouse) -> None:
    recorded.load("a.csv", table(f'{NEWEST_S},"21,5"', f"{NEWEST_S + 60},7"), "--words")
    mended = table(f"{NEWEST_S},21.5", f"{NEWEST_S + 60},7")
    code, said, (line,) = recorded.load("a.csv", mended)
    assert (code, said) == (1, "1 value, 0 of them new; 1 bad line")
    assert line.endswith(" is 21.5 here, and '21,5' in the history; --replace takes this one")
    assert recorded.load("a.csv", mended, "--replace")[:2] == (0, "2 values, 0 of them new; 0 bad lines; 1 replaced")
    assert recorded.values("a") == [21.5, 7]
    with closing(SqliteReader(recorded.file)) as reader:
        assert [one.summary.mean for one in reader.averages("cm/a", 0, FIVE_MINUTES_S)] == [14.25]
        assert [one.summary.mean for one in reader.averages("cm/a", 0, DAY_S)] == [14.25]


def test_what_the_recorder_itself_has_stored_is_known_and_can_be_corrected(recorded: RecordedHouse) -> None:
    recorded.file.parent.mkdir()
    with closing(SqliteStore(recorded.file, 36_500)) as store:
        store.put([Point("cm/a", NEWEST_S * MICRO, "r1", 0, {"a": 1.0, "b": "x"})])
    text = table(f"{NEWEST_S},1,x", head="time,a,b")
    assert recorded.load("a.csv", text, "--words")[:2] == (0, "2 values, 0 of them new; 0 bad lines")
    assert recorded.load("a.csv", text.replace(",1,", ",5,"), "--words", "--replace")[0] == 0
    assert recorded.rows() == [(NEWEST_S, {"a": 5.0, "b": "x"})]


# Cells.


def test_a_bad_cell_costs_no_other_and_one_without_a_value_is_none(recorded: RecordedHouse) -> None:
    rows = (f"{NEWEST_S},nan,41", f"{NEWEST_S + 1},unavailable,42", f"{NEWEST_S + 2},20,wet", f"{NEWEST_S + 3},None,43")
    code, said, lines = recorded.load("a.csv", table(*rows, head="time,a,b"))
    end = "3 left out, such as nan, null or unavailable"
    assert (code, said) == (1, f"4 values, 4 of them new; 1 bad line; {end}")
    assert lines == ["4: 'wet' is not a number for 'b'; use --words if it is text"]
    assert (recorded.values("a"), recorded.values("b")) == ([20], [41, 42, 43])


def test_a_comma_is_a_decimal_mark_where_it_separates_nothing(recorded: RecordedHouse) -> None:
    rows = (f"{NEWEST_S};21,5;40", f"{NEWEST_S + 1};-1,0e1;", f"{NEWEST_S + 2};21.5;41")
    code, _, lines = recorded.load("a.csv", table(*rows, head="time;a;b"), "--words")
    assert (code, lines) == (1, ["4: '21.5' has another decimal mark than line 2; which one is right?"])
    assert (recorded.values("a"), recorded.values("b")) == ([21.5, -10], [40, 41])


# Quotes.


def test_a_stray_quote_costs_its_own_line(recorded: RecordedHouse) -> None:
    rows = [f"{NEWEST_S + number}," + '"' * (number == 1) + f"{number / 100}" for number in range(9500)]
    code, said, lines = recorded.load("a.csv", table(*rows))
    assert (code, said) == (1, "9499 values, 9499 of them new; 1 bad line")
    assert lines == ["3: a quote is opened and not closed"]


def test_a_block_of_lines_that_two_quotes_swallow_is_named(recorded: RecordedHouse) -> None:
    rows = [f"{NEWEST_S + number},{number}" for number in range(10)]
    rows[2], rows[6] = f'{NEWEST_S + 2},"2', f'{NEWEST_S + 6},6"'
    assert recorded.load("a.csv", table(*rows))[::2] == (
        1,
        [f"{n}: a quote is opened and not closed" for n in (4,)]
        + ["8: '6\"' is not a number for 'a'; use --words if it is text"],
    )
    code, said, lines = recorded.load("b.csv", table(*rows), "--words", sensor="cm/b")
    assert (code, said) == (1, "5 values, 5 of them new; 5 bad lines")
    assert lines[0].startswith("4: its quoted text reaches to line 8, over lines that look like rows")
    # Text of several lines that is nothing but text stays whole.
    assert recorded.load("c.csv", table(f'{NEWEST_S},"one\ntwo"'), "--words", sensor="cm/c")[0] == 0
    assert recorded.values("a", "cm/c") == ["one\ntwo"]


# What is recorded is loaded again.

FOREIGN = (
    ("zigbee2mqtt/Küche Süd", b'{"temperature":21.5,"power (W)":12,"state":"ON","air":{"a,b":1},"":"x","time":"noon"}'),
    ("tele/plug/SENSOR", b'{"Time":"2026-11-27T05:00:00","AM2301":{"Temperature":21.5}}'),
    ("home/og/bad/mood", '»wet\n, and"cold" '.encode()),
    ("tele/plug/LWT", '" padded \N{REPLACEMENT CHARACTER}"'.encode()),
)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_whatever_is_recorded_and_printed_can_be_loaded_again(recorded: RecordedHouse, form: str) -> None:
    recorded.file.parent.mkdir()
    points = [foreign(topic, payload, (NEWEST_S + n) * MICRO + n) for n, (topic, payload) in enumerate(FOREIGN)]
    if form == "csv":  # which cannot tell a name of nothing from none
        points[0].fields.pop("", None)
    with closing(SqliteStore(recorded.file, 36_500)) as store:
        store.put(points)
    for sensor in {point.sensor for point in points}:
        recorded.keep(36_500)
        _, printed, _ = recorded.penates("history", sensor, f"--{form}", "--since", "2025-12-01")
        recorded.keep(36_500, 'file = "copy.sqlite"\n')
        code, _, lines = recorded.load(f"x.{form}", printed, "--words", sensor=sensor)
        assert (code, lines) == (0, [])
        again = recorded.penates("history", sensor, f"--{form}", "--since", "2025-12-01")[1]
        assert sorted(again.splitlines()) == sorted(printed.splitlines())  # values of one time are in no order
        assert printed


def test_averages_cannot_be_loaded(recorded: RecordedHouse) -> None:
    recorded.load("a.csv", table(f"{NEWEST_S},1"))
    for form in ("csv", "json"):
        _, printed, _ = recorded.penates("history", "a", f"--{form}", "--each", "day", "--since", "2025-12-01")
        code, said, lines = recorded.load(f"b.{form}", printed)
        assert (code, said[:8], "verages cannot be loaded" in lines[0]) == (1, "0 values", True)


def test_names_that_no_topic_has_are_refused(recorded: RecordedHouse) -> None:
    for name in ("a+/b", "a/#", "a//b", "a/\x1b"):
        lines = recorded.load("a.json", json.dumps({"time": NEWEST_S, "sensor": name, "a": 1}), sensor="")[2]
        assert "must have names of printable characters" in lines[0]
        assert "\x1b" not in lines[0]


def test_json_costs_only_what_is_bad_in_it(recorded: RecordedHouse) -> None:
    good = {"time": NEWEST_S, "run": "r1", "seq": 7, "a": 1, "b": True, "c": "dry", "d": None, "e": [1], "f": 1e999}
    lines = [json.dumps(good), "[1]", "{", '{"a":1}', '{"time":1767225600,"a":1,"a":2}', '{"time":1,"measure":"a"}']
    code, said, complaints = recorded.load("a.txt", "\n".join(lines))
    assert (code, said) == (1, "3 values, 3 of them new; 6 bad lines; 1 left out, such as nan, null or unavailable")
    assert [line[:2] for line in complaints] == ["1:", "1:", "2:", "3:", "4:", "5:", "6:"]
    assert recorded.rows() == [(NEWEST_S, {name: value}) for name, value in (("a", 1.0), ("b", 1.0), ("c", "dry"))]


# Pipes and archives.


def test_a_pipe_and_an_archive_are_read_whatever_they_are_called(recorded: RecordedHouse) -> None:
    content = table(f"{NEWEST_S},1")
    for number, name in enumerate(("a.csv.gz", "b.txt", "c.gz")):
        packed = gzip.compress(content.encode()) if name.endswith("gz") else content
        assert recorded.load(name, packed, sensor=f"cm/{number}")[0] == 0
        assert recorded.values("a", f"cm/{number}") == [1]
    code, _, err = recorded.penates("import", str(recorded.house.folder / "b.txt"), "--sensor", "a/+")
    assert (code, "must have names" in err) == (1, True)


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_the_standard_input_may_be_a_pipe(recorded: RecordedHouse, name: str) -> None:
    command = [
        sys.executable,
        "-m",
        "penates",
        "import",
        name,
        "--sensor",
        "cm/a",
        "--config",
        str(recorded.house.folder),
    ]
    for content in (b"time,a\n%d,1\n" % NEWEST_S, gzip.compress(b"a,sensor=cm/a a=1 %d000000000\n" % NEWEST_S)):
        done = subprocess.run(command, input=content, capture_output=True, env=recorded.house.env(), check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.decode().startswith(f"{name}: 1 value, ")


def test_an_archive_that_was_cut_is_said_and_what_came_before_is_stored(recorded: RecordedHouse) -> None:
    rows = [f"{NEWEST_S + number},{number * 7919 % 104_729}" for number in range(5000)]
    packed = gzip.compress(table(*rows).encode())
    code, out, lines = recorded.load("a.csv.gz", packed[: len(packed) // 2])
    assert (code, out) == (1, "")
    assert "Compressed file ended before" in lines[0]
    assert "what was read before that is stored" in lines[0]
    assert len(recorded.rows()) > 1000


# What is not kept.


def test_what_would_be_deleted_at_once_is_said_before(recorded: RecordedHouse) -> None:
    recorded.keep(400)
    old_s, now_s = int(time.time()) - 500 * DAY_S, int(time.time())
    code, said, lines = recorded.load("w.csv", table(f"{old_s},open", f"{now_s - 10},shut", head="time,a"), "--words")
    assert (code, said) == (1, "1 value, 1 of them new; 1 bad line")
    assert "is text from before keep_days = 400, which is deleted at once; raise keep_days first" in lines[0]
    code, said, lines = recorded.load("n.csv", table(f"{old_s},1", f"{old_s + 1},3", f"{now_s},5"), sensor="cm/b")
    assert (code, said) == (
        0,
        "3 values, 3 of them new; 0 bad lines; 2 older than keep_days = 400, of which averages are kept",
    )
    assert lines[0].startswith("2: of numbers before 20")
    with closing(SqliteReader(recorded.file)) as reader:
        assert [one.summary.count for one in reader.averages("cm/b", 0, DAY_S)] == [2, 1]
