"""Which kind a reading is recorded with, whatever is heard or given twice."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from bootstrap.contract.subscription import ReceivedMessage
from bootstrap.history.known_facts import AdoptedTopics, KnownKinds
from bootstrap.history.points import Point
from bootstrap.history.recording import Recording
from bootstrap.history.sqlite.store import SqliteStore
from bootstrap.history.stores import StoreSettings
from support.stores import WRITTEN, FakeDatabase

Start = Callable[[], Recording]


@pytest.fixture
def fake() -> Iterator[FakeDatabase]:
    fake = FakeDatabase()
    yield fake
    fake.close()


@pytest.fixture
def start(tmp_path: Path, fake: FakeDatabase) -> Iterator[Start]:
    """Each call is a new run, with what the one before it has left in the folder."""
    with closing(StoreSettings(store="influxdb1", url=fake.url).open_store(tmp_path)) as store:
        yield lambda: Recording(store, KnownKinds(tmp_path / "kinds.json"), lambda *_: None)


def reading(seq: int) -> ReceivedMessage:
    body = {"time": f"2026-11-20T20:31:07.{seq:06}Z", "run": "r1", "seq": seq, "level": seq}
    return ReceivedMessage("cm/attic/data/reading", json.dumps(body).encode(), retained=False)


def about(payload: object) -> ReceivedMessage:
    return ReceivedMessage("cm/attic/status/about", json.dumps(payload).encode(), retained=True)


def kinds(fake: FakeDatabase) -> list[str]:
    return [line.partition("kind=")[2].partition(",")[0] for line in fake.lines]


FOREIGN = [
    ReceivedMessage(topic, b"1", retained=False, at_us=number)
    for number, topic in enumerate(("zwave/door/open", "zigbee/lamp/set", "zwave/door/level"), 1)
]
BATCH = [reading(1), about({"kind": "door"}), reading(2), about({"kind": "lamp"}), reading(3)]


def test_a_batch_that_is_given_again_says_the_same(start: Start, fake: FakeDatabase) -> None:
    taking = start()
    fake.reply = lambda _: (500, {}, b"")
    with pytest.raises(OSError, match="500"):
        taking.on_batch(BATCH)
    fake.reply = lambda _: WRITTEN
    taking.on_batch(BATCH)
    assert kinds(fake) == ["", "door", "lamp"]
    assert (taking.recorded, taking.rejected) == (3, 0)


def message(topic: str, payload: str) -> ReceivedMessage:
    return ReceivedMessage(topic, payload.encode(), retained=False, at_us=1)


def test_a_bad_value_costs_no_other_is_logged_once_and_counted(
    start: Start, fake: FakeDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    taking = start()
    fake.reply = lambda _: (500, {}, b"")
    batch = 2 * [message("zigbee/attic", '{"temperature":21.5,"humidity":NaN,"a\\\\b":1,"mood":"dry"}')]
    with pytest.raises(OSError, match="500"):
        taking.on_batch(batch)
    assert (taking.invalid, caplog.text) == (0, "")
    fake.reply = lambda _: WRITTEN
    taking.on_batch(batch)
    assert [line.split()[1] for line in fake.lines] == 2 * ["temperature=21.5", 'mood="dry"']
    assert (taking.recorded, taking.rejected, taking.invalid) == (2, 0, 4)
    assert caplog.text.count("a value is left out") == 2
    assert taking.progress()["invalid"] == 4


def test_text_for_a_store_without_text_is_no_fault(
    start: Start, fake: FakeDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    """As VictoriaMetrics says what it is."""
    taking = start()
    fake.reply = lambda asked: WRITTEN if asked.path == "/write" else (200, {}, b'{"status":"success"}')
    taking.on_batch(
        2 * [message("cm/attic/status/state", "fault"), message("a/b", '{"c":1,"d":"x"}'), message("a/e", "x")]
    )
    assert {line.split()[1] for line in fake.lines} == {"online=0.0", "c=1.0"}
    assert (taking.rejected, taking.invalid) == (0, 0)
    assert [record.message for record in caplog.records] == 2 * ["a value is left out"]


BEAT = '{"time":"2026-11-20T20:31:07Z",%s}'


@pytest.mark.parametrize("bad", ['"\\ud800":1', '"a\\u0000b":1', '"x":"\\ud800"', '"x":' + 5000 * "9"])
def test_no_message_ends_it_and_the_others_are_stored(start: Start, fake: FakeDatabase, bad: str) -> None:
    taking = start()
    topics = [f"cm/attic/status/{name}" for name in ("heartbeat", "state", "about")] + ["cm/attic/data/reading", "a/b"]
    taking.on_batch([reading(1), *(message(topic, BEAT % bad) for topic in topics), reading(2)])
    assert taking.recorded >= 2
    assert [line.split()[1] for line in fake.lines if "level" in line] == ["level=1.0", "level=2.0"]


class Listed:
    """A store in memory."""

    trouble = None

    def __init__(self) -> None:
        self.points: list[Point] = []

    def put(self, points: Sequence[Point], _on_left_out: object = None) -> dict[int, str]:
        self.points += points
        return {}

    def close(self) -> None: ...


class Unwilling(Listed):
    """A store that fails at one point in a way that nobody foresaw."""

    def put(self, points: Sequence[Point], _on_left_out: object = None) -> dict[int, str]:
        if any(one.seq == 2 for one in points):
            raise UnicodeError("nobody foresaw this")
        return super().put(points)


def test_a_point_that_a_store_cannot_take_is_refused_by_itself(tmp_path: Path) -> None:
    letters: list[str] = []
    store = Unwilling()
    taking = Recording(store, KnownKinds(tmp_path / "kinds.json"), lambda _topic, _payload, why: letters.append(why))
    taking.on_batch([reading(seq) for seq in range(7)])
    assert [one.seq for one in store.points] == [0, 1, 3, 4, 5, 6]
    assert (taking.recorded, taking.rejected, letters) == (6, 1, ["UnicodeError('nobody foresaw this')"])


def test_sqlite_goes_on_after_a_point_that_it_cannot_take(tmp_path: Path) -> None:
    good, bad = (Point("cm/attic", 1, run, 1, {"level": 1.0}) for run in ("r1", "\ud800"))
    with closing(SqliteStore(tmp_path / "history.sqlite", 400)) as store:
        with pytest.raises(ValueError, match="surrogate"):
            store.put([good, bad])
        assert store.put([good]) == {}
        assert store.new == 1


def test_a_run_knows_what_the_one_before_it_knew(start: Start, fake: FakeDatabase) -> None:
    start().on_batch(BATCH)
    start().on_batch([reading(4)])
    assert kinds(fake)[3:] == ["lamp"]


def test_a_disk_that_is_full_is_the_store_away(start: Start, tmp_path: Path, fake: FakeDatabase) -> None:
    taking = start()
    (tmp_path / "kinds.json").mkdir()
    with pytest.raises(OSError, match="directory"):
        taking.on_batch(BATCH)
    (tmp_path / "kinds.json").rmdir()
    taking.on_batch(BATCH)
    assert kinds(fake) == 2 * ["", "door", "lamp"]


@pytest.mark.parametrize("topic", ["home/attic/temperature", "cm/attic/status/state"])
@pytest.mark.parametrize("unsure", [True, False])
def test_a_time_of_arrival_is_as_sure_as_the_clock_was(topic: str, unsure: bool) -> None:
    found: list[Point] = []

    class Kept:
        trouble = None

        def put(self, points: Sequence[Point], _on_left_out: object = None) -> dict[int, str]:
            found.extend(points)
            return {}

        def close(self) -> None: ...

    message = ReceivedMessage(topic, b"online", retained=False, at_us=5, unsure=unsure)
    Recording(Kept(), KnownKinds(Path()), lambda *_: None).on_batch([message])
    assert [(one.time_us, one.unsure) for one in found] == [(5, unsure)]


@pytest.mark.parametrize("payload", [None, "", [], {}, {"kind": 7}, {"kind": "a\\b"}, {"kind": "a\nb"}])
def test_an_about_that_says_nothing_changes_nothing(start: Start, fake: FakeDatabase, payload: object) -> None:
    start().on_batch([about({"kind": "door"}), about(payload), reading(1)])
    assert kinds(fake) == ["door"]


def test_a_bad_value_beside_the_kind_costs_no_kind(start: Start, tmp_path: Path, fake: FakeDatabase) -> None:
    (tmp_path / "kinds.json").write_text('{"cm/attic": "door", "cm/cellar": 7}')
    start().on_batch([reading(1), message("cm/attic/status/about", '{"kind":"lamp","a":nan}'), reading(2)])
    assert kinds(fake) == ["door", "lamp"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"cm/attic": 7}'])
def test_a_memory_that_is_damaged_is_begun_anew(start: Start, tmp_path: Path, fake: FakeDatabase, text: str) -> None:
    (tmp_path / "kinds.json").write_text(text)
    start().on_batch([reading(1), about({"kind": "door"}), reading(2)])
    assert kinds(fake) == ["", "door"]


def test_a_topic_that_is_cleared_says_nothing_and_is_no_nonsense(start: Start, fake: FakeDatabase) -> None:
    """As `penates prune` does it."""
    taking = start()
    taking.on_batch(
        [ReceivedMessage(f"cm/attic/status/{name}", b"", retained=False) for name in ("heartbeat", "state", "about")]
    )
    assert (fake.lines, taking.rejected) == ([], 0)


def test_topics_that_a_sensor_stands_for_are_recorded_as_its_own_alone(tmp_path: Path) -> None:
    def run(*batch: ReceivedMessage) -> list[str]:
        with closing(Listed()) as store:
            taking = Recording(store, KnownKinds(tmp_path / "kinds.json"), lambda *_: None)
            taking.leave_out(AdoptedTopics(tmp_path / "adopted.json"), gaps=False)
            taking.on_batch([*batch, *FOREIGN])
            return [f"{one.sensor}/{name}" for one in store.points for name in one.fields]

    everything = ["zwave/door/open", "zigbee/lamp/set", "zwave/door/level"]
    adopted = about({"kind": "adapter", "adopts": {"topics": ["zwave/door/open", "zigbee/+/set", 7, "a/#/b", ""]}})
    assert run() == everything
    assert run(adopted) == ["zwave/door/level"]
    assert run() == ["zwave/door/level"]
    for nothing in (
        '{"kind": "adapter"}',
        '{"adopts": 5}',
        '{"adopts": {"topics": "#"}}',
        '{"adopts": {"topics": []}}',
        "",
    ):
        assert run(adopted) == ["zwave/door/level"]
        assert run(ReceivedMessage("cm/attic/status/about", nothing.encode(), retained=False)) == everything
