"""Readings on disk: through new runs, damage and disks that refuse."""

import errno
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import rmtree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bootstrap.outbox.backlog import DISK_RETRY_S, MEMORY_LIMIT, WELL_S, Backlog, BacklogLimits, QueuedReading
from bootstrap.outbox.message import Message
from bootstrap.outbox.segment_log import SEGMENT
from support.world import segment_log

TOPIC = "cm/cellar/data/reading"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "history"


def backlog(folder: Path, records: int = 100_000, age_s: float = float("inf")) -> Backlog:
    return Backlog(segment_log(folder), BacklogLimits(records=records, age_s=age_s))


def fill(history: Backlog, *payloads: bytes, now: float = 0.0) -> None:
    for payload in payloads:
        history.put(Message(TOPIC, payload), now)
        history.flush(now)


def numbers(count: int, first: int = 0) -> list[bytes]:
    return [b"%d" % number for number in range(first, first + count)]


def taken(history: Backlog) -> QueuedReading:
    """The next to be delivered, which there is."""
    record = history.take()
    assert record
    return record


def sync(history: Backlog) -> Callable[[], None]:
    """What syncs the files that have to be."""
    found = history.to_sync()
    assert found
    return found


def drained(history: Backlog) -> list[bytes]:
    """All that is delivered, in order."""
    found = []
    while record := history.take():
        found.append(record.message.payload)
        history.acknowledged(record, 0.0)
    return found


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spill"))


def test_nothing_is_written_while_all_is_well(folder: Path) -> None:
    history = backlog(folder)
    for second in range(10):
        fill(history, b"%d" % second, now=second)
        history.acknowledged(taken(history), second)
    assert history.flush_in_s(10) is None
    fill(history, b"10", now=10)
    assert history.flush_in_s(11) == WELL_S - 1
    assert not folder.exists()


def test_what_waits_two_seconds_is_written_and_all_after_it_at_once(folder: Path) -> None:
    history = backlog(folder)
    fill(history, b"1", now=0)
    fill(history, b"2", now=1)
    assert history.on_disk == 0
    history.flush(WELL_S)
    fill(history, b"3", now=WELL_S)
    assert (history.on_disk, history.flush_in_s(WELL_S)) == (3, None)


def test_what_is_sent_and_unanswered_is_written_too(folder: Path) -> None:
    history = backlog(folder)
    fill(history, *numbers(3))
    sent = [taken(history), taken(history)]
    history.flush(WELL_S)
    assert len(backlog(folder)) == 3
    fill(history, *numbers(1, 3), now=WELL_S)
    for record in sent:
        history.acknowledged(record, WELL_S)
    assert drained(history) == numbers(2, 2)


def test_a_new_run_delivers_what_the_last_one_left_then_its_own(folder: Path) -> None:
    count = 2 * SEGMENT + 7
    first = backlog(folder)
    fill(first, *numbers(count))
    first.flush(WELL_S)
    for _ in range(SEGMENT + 3):
        first.acknowledged(taken(first), WELL_S)
    second = backlog(folder)
    assert len(second) == second.on_disk == SEGMENT + 4
    fill(second, b"new")
    assert drained(second) == [*numbers(SEGMENT + 4, SEGMENT + 3), b"new"]
    assert files(folder) == []


def test_the_numbers_go_on_from_run_to_run(folder: Path) -> None:
    for run in range(3):
        history = backlog(folder)
        fill(history, *numbers(5, 5 * run))
        history.close()
    assert drained(backlog(folder)) == numbers(15)


def test_what_is_sent_again_goes_before_what_is_on_disk(folder: Path) -> None:
    history = backlog(folder)
    fill(history, *numbers(SEGMENT + 5))
    history.flush(WELL_S)
    sent = [taken(history) for _ in range(SEGMENT)]
    for record in sent[3:]:
        history.acknowledged(record, WELL_S)
    history.connection_lost(WELL_S)
    assert drained(history) == [*numbers(3), *numbers(5, SEGMENT)]


def test_a_stop_writes_what_waits_however_young(folder: Path) -> None:
    history = backlog(folder)
    fill(history, *numbers(3))
    history.close()
    assert drained(backlog(folder)) == numbers(3)


def test_beyond_the_limit_the_oldest_on_disk_goes(folder: Path) -> None:
    history = backlog(folder, records=SEGMENT * 2)
    fill(history, *numbers(1))
    history.flush(WELL_S)
    fill(history, *numbers(SEGMENT * 3 - 1, 1), now=WELL_S)
    assert (history.dropped, len(history), history.on_disk) == (SEGMENT, SEGMENT * 2, SEGMENT * 2)
    assert len(files(folder)) == 2
    assert drained(history) == numbers(SEGMENT * 2, SEGMENT)


def reading(age: timedelta, more: str = "") -> bytes:
    return f'{{"time":"{(datetime.now(UTC) - age).isoformat(timespec="microseconds")[:-6]}Z"{more}}}'.encode()


def test_what_is_too_old_goes_unless_its_time_is_unsure(folder: Path) -> None:
    old = timedelta(days=91)
    fill(first := backlog(folder), reading(old), reading(old, ',"clock":"unsure"'), reading(timedelta(days=89)))
    first.close()
    history = backlog(folder, age_s=90 * 86_400)
    fill(history, reading(timedelta()))
    assert (history.dropped, len(history)) == (1, 3)


def test_a_clock_that_leaps_ahead_makes_nothing_old(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = backlog(folder, age_s=90 * 86_400)
    fill(history, reading(timedelta()))
    ahead = time.time() + 400 * 86_400
    monkeypatch.setattr(time, "time", lambda: ahead)
    fill(history, reading(timedelta()))
    assert (history.dropped, len(history)) == (0, 2)


# Damage.


@pytest.fixture
def spilled(folder: Path) -> Path:
    history = backlog(folder)
    fill(history, *numbers(10))
    history.close()
    return files(folder)[0]


def test_a_file_that_was_cut_gives_all_whole_lines(folder: Path, spilled: Path) -> None:
    spilled.write_bytes(spilled.read_bytes()[:-5])
    history = backlog(folder)
    assert (drained(history), history.dropped, files(folder)) == (numbers(9), 1, [])


def test_a_tail_of_zeros_hides_nothing(folder: Path, spilled: Path) -> None:
    """What a power cut leaves of a file that had grown and was not yet written."""
    spilled.write_bytes(spilled.read_bytes() + bytes(4096))
    history = backlog(folder)
    fill(history, b"10")
    assert drained(history) == numbers(11)


def test_a_damaged_line_costs_itself_alone(folder: Path, spilled: Path) -> None:
    text = spilled.read_bytes().replace(b"reading 4", b"reading 5")
    spilled.write_bytes(text)
    history = backlog(folder)
    assert (drained(history), history.dropped) == ([*numbers(4), *numbers(5, 5)], 1)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_whatever_is_in_the_files_a_run_begins_and_ends(folder: Path, data: st.DataObject) -> None:
    folder.mkdir(exist_ok=True)
    good = b"+%b\n"
    for segment in range(3):
        text = data.draw(st.binary(max_size=200) | st.sampled_from([b"", b"+", b"\n+", b"-\n+\n", good]))
        (folder / f"{segment:010d}.spill").write_bytes(text)
    history = backlog(folder)
    fill(history, b"new")
    history.flush(WELL_S)
    assert drained(history) == [b"new"]
    assert (len(history), files(folder)) == (0, [])


def test_a_file_that_can_be_read_again_may_hold_the_numbers_of_others(folder: Path, spilled: Path) -> None:
    aside = spilled.rename(folder / "aside")
    spilled.mkdir()  # as good as unreadable
    fill(between := backlog(folder), *numbers(10, 10))
    between.close()
    spilled.rmdir()
    aside.rename(spilled)
    history = backlog(folder)
    sent = [taken(history) for _ in range(20)]
    for record in sent:
        history.acknowledged(record, 0.0)
    assert sorted(record.message.payload for record in sent) == sorted(numbers(20))
    assert (len(history), files(folder)) == (0, [])


def test_a_damaged_number_is_none_to_go_on_from(folder: Path, spilled: Path) -> None:
    spilled.write_bytes(spilled.read_bytes().replace(b" 10 ", b" 999999999999999999 "))
    fill(history := backlog(folder), b"10")
    history.close()
    assert drained(backlog(folder)) == [*numbers(9), b"10"]


def test_a_file_that_is_emptied_while_it_is_used_is_a_loss_that_is_counted(folder: Path, spilled: Path) -> None:
    history = backlog(folder)
    os.truncate(spilled, 0)
    assert (drained(history), history.dropped) == ([], 10)


def test_what_is_damaged_pushes_out_nothing_that_is_whole(folder: Path) -> None:
    folder.mkdir()
    (folder / "0000000001.spill").write_bytes(b"+rubbish\n" * 5)
    fill(history := backlog(folder, records=3), b"new")
    assert (drained(history), history.dropped) == ([b"new"], 5)


def test_more_damage_than_may_be_kept_ends_nothing(folder: Path) -> None:
    """Before there is any reading: the broker is not there, and the probe not yet."""
    folder.mkdir()
    (folder / "0000000001.spill").write_bytes(b"+rubbish\n" * 5)
    history = backlog(folder, records=3)
    history.connection_lost(0.0)
    assert (len(history), history.dropped) == (0, 5)


def test_a_time_that_is_no_text_is_not_old(folder: Path) -> None:
    history = backlog(folder, age_s=1.0)
    fill(history, b'{"time":"\xff"}')
    assert drained(history) == [b'{"time":"\xff"}']


def test_what_is_no_spill_file_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "1.spill").mkdir()
    (folder / "0000000001.spill").mkdir()
    (folder / "notes").write_text("mine")
    history = backlog(folder)
    fill(history, b"1")
    history.close()
    assert drained(backlog(folder)) == [b"1"]
    assert (folder / "notes").read_text() == "mine"


# Disks that refuse.


@pytest.fixture
def small_files() -> Iterator[int]:
    """No file may be larger than this."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))
    yield 200
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_costs_nothing_while_there_is_memory(folder: Path, small_files: int) -> None:
    history = backlog(folder)
    fill(history, *numbers(10))
    history.flush(WELL_S)
    assert history.disk_problem == "[Errno 27] File too large"
    assert files(folder)[0].stat().st_size <= small_files
    assert 0 < history.on_disk < 10
    assert drained(history) == numbers(10)


def test_when_there_is_room_again_what_is_in_memory_is_written(folder: Path, small_files: int) -> None:
    history = backlog(folder)
    fill(history, *numbers(10))
    history.flush(WELL_S)
    assert history.flush_in_s(WELL_S) == DISK_RETRY_S
    resource.setrlimit(resource.RLIMIT_FSIZE, (100 * small_files, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    history.flush(WELL_S + DISK_RETRY_S)
    assert (history.disk_problem, history.on_disk) == (None, 10)
    assert drained(backlog(folder)) == numbers(10)


def test_where_nothing_can_be_written_memory_is_bounded() -> None:
    history = backlog(Path("/proc/penates"))
    fill(history, *numbers(MEMORY_LIMIT + 10))
    history.flush(WELL_S)
    fill(history, *numbers(1, MEMORY_LIMIT + 10), now=WELL_S + DISK_RETRY_S)
    assert (history.on_disk, history.dropped) == (0, 11)
    assert drained(history) == numbers(MEMORY_LIMIT, 11)


@pytest.fixture
def nobody() -> Iterator[None]:
    """Not be root, whom no permission stops."""
    os.seteuid(65_534)
    yield
    os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_what_can_only_be_read_is_delivered_all_the_same(
    folder: Path, spilled: Path, request: pytest.FixtureRequest
) -> None:
    for place in folder.parents:
        place.chmod(place.stat().st_mode | 0o011)
    folder.chmod(0o755)
    spilled.chmod(0o444)
    request.getfixturevalue("nobody")
    history = backlog(folder)
    assert (drained(history), history.dropped) == (numbers(10), 0)


def test_what_cannot_be_read_any_more_takes_nothing_else_with_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two parts of one file: between them a record that is sent again, and is in memory."""
    history = Backlog(segment_log(folder), BacklogLimits(records=100, resend_s=60.0))
    fill(history, *numbers(4))
    history.acknowledged(taken(history), 0.0)
    history.take()
    history.flush(WELL_S)
    history.connection_lost(WELL_S)
    fill(history, *numbers(2, 4), now=WELL_S)
    with monkeypatch.context() as broken:
        broken.setattr(os, "pread", refuse)
        assert drained(history) == numbers(2)
    assert (history.waiting, history.dropped) == (0, 4)
    fill(history, b"new")
    history.flush(WELL_S)
    assert drained(history) == [b"new"]


def refuse(*_: object) -> bytes:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


# What a power cut takes, and what is open.


def opened(folder: Path) -> list[str]:
    """The files below a folder that this process has open."""
    links = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [link for link in links if link.startswith(str(folder))]


def spilling(folder: Path, count: int) -> Backlog:
    history = backlog(folder)
    fill(history, *numbers(1))
    history.flush(WELL_S)
    fill(history, *numbers(count - 1, 1), now=WELL_S)
    return history


def test_every_file_is_synced_not_only_the_newest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda place: synced.append(Path(f"/proc/self/fd/{place}").readlink().name))
    history = spilling(folder, 2 * SEGMENT + 1)
    sync(history)()
    assert synced == [*(file.name for file in files(folder)), folder.name]
    assert (history.unsynced, history.to_sync()) == (False, None)


def test_what_was_delivered_before_it_was_synced_is_no_trouble(folder: Path) -> None:
    history = spilling(folder, 3)
    waiting = sync(history)
    drained(history)
    waiting()
    assert files(folder) == []


def test_however_long_an_outage_few_files_are_open(folder: Path) -> None:
    history = spilling(folder, 10 * SEGMENT)
    assert len(opened(folder)) == 1
    for _ in range(SEGMENT + 1):
        history.acknowledged(taken(history), WELL_S)
    assert len(opened(folder)) == 2
    history.close()
    assert opened(folder) == []


def test_a_folder_that_is_removed_leaves_nothing_open(folder: Path) -> None:
    history = spilling(folder, 3)
    rmtree(folder)
    with pytest.raises(FileNotFoundError):
        sync(history)()
    history.close()
    assert opened(folder) == []


def test_a_file_of_another_is_no_lasting_trouble(folder: Path) -> None:
    """Of a second daemon in the same folder, or in a folder that cannot be listed."""
    history = backlog(folder)
    spilling(folder, 1)
    fill(history, b"mine")
    history.flush(WELL_S)
    history.flush(WELL_S + DISK_RETRY_S)
    assert (history.disk_problem, history.on_disk) == (None, 1)


def test_a_file_that_somebody_removes_takes_nothing_that_comes_after(folder: Path) -> None:
    history = backlog(folder)
    fill(history, *numbers(10))
    history.flush(WELL_S)
    files(folder)[0].unlink()
    fill(history, *numbers(5, 10), now=WELL_S)
    assert drained(backlog(folder)) == numbers(5, 10)
