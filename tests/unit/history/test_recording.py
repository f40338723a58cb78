"""Which kind a reading is recorded with, whatever is heard or given twice."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bootstrap.contract.subscription import ReceivedMessage
from bootstrap.history.recording import KnownKinds, Recording
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


@pytest.mark.parametrize("payload", [None, "", [], {}, {"kind": 7}, {"kind": "a\\b"}, {"kind": "a\nb"}])
def test_an_about_that_says_nothing_changes_nothing(start: Start, fake: FakeDatabase, payload: object) -> None:
    start().on_batch([about({"kind": "door"}), about(payload), reading(1)])
    assert kinds(fake) == ["door"]


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
