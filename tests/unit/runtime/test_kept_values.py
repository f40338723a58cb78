"""Values that survive a restart and a power cut, what they cost the disk, and what a disk may do to them."""

import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.eventloop.loop import Loop, Timer
from bootstrap.eventloop.threads import Inbox, Sockets, Worker
from bootstrap.logs import log
from bootstrap.runtime import kept_values
from bootstrap.runtime.kept_values import FILE, MOST_BYTES, KeptValues
from bootstrap.runtime.parts import ProcessParts

PATIENCE_S = 15


class Runs:
    """The process of a sensor, whose devices come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / FILE
        self.sockets, self.loop = Sockets(), Loop()
        self.inbox = Inbox(self.sockets)
        self.loop.add_reader(self.inbox.socket, self.inbox.receive)
        self.worker = Worker(self.inbox)
        self.parts = ProcessParts(self.loop, self.sockets, self.inbox, self.worker)
        self.problems: list[str | None] = []

    def device(self, copy: Path | None = None) -> KeptValues:
        return KeptValues(self.folder, self.parts, lambda _, why: self.problems.append(why), copy)

    def until(self, met: Callable[[], bool]) -> None:
        assert self.loop.run(met, PATIENCE_S)

    def end(self) -> None:
        self.worker.close()
        self.inbox.close()
        self.sockets.end()


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    runs = Runs(tmp_path / "cm.meter")
    yield runs
    runs.end()


def test_a_value_outlives_the_process(runs: Runs) -> None:
    first = runs.device()
    count, state = first.keep("count", 0), first.keep("state", {"locked": True})
    assert (count.value, state.value) == (0, {"locked": True})
    count.value += 3
    state.value = {"locked": False}
    first.close()
    second = runs.device()
    assert (second.keep("count", 0).value, second.keep("state", {}).value) == (3, {"locked": False})
    second.close()


def killed(runs: Runs, copy: Path) -> None:
    """Count to 1 on the disk and to 3 in memory, without an end."""
    count = runs.device(copy).keep("count", 0)
    count.value = 1
    runs.until(lambda: runs.problems == [None])  # it is on the disk
    count.value = 2
    count.value = 3
    assert runs.file.read_text() == '{"count":1}'


def test_a_kill_costs_no_change_where_there_is_a_folder_in_memory(runs: Runs, tmp_path: Path) -> None:
    copy = tmp_path / "cm.meter.kept"
    killed(runs, copy)
    second = runs.device(copy)
    assert second.keep("count", 0).value == 3
    second.close()
    assert runs.file.read_text() == '{"count":3}'
    assert not copy.exists()


def test_a_file_that_was_put_there_since_counts_more_than_the_copy(runs: Runs, tmp_path: Path) -> None:
    copy = tmp_path / "cm.meter.kept"
    killed(runs, copy)
    runs.file.write_text('{"count":77}')
    second = runs.device(copy)
    assert second.keep("count", 0).value == 77
    second.close()
    assert not copy.exists()


def test_it_counts_while_the_disk_takes_nothing(runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "cm.meter.kept"
    killed(runs, copy)
    monkeypatch.setattr(kept_values, "WRITE_S", 0.0)
    count = runs.device(copy).keep("count", 0)
    runs.until(lambda: runs.problems == [None] * 2)
    folder = runs.folder.rename(tmp_path / "away")
    runs.folder.write_text("in the way")
    for number in (4, 5, 6):
        count.value = number
        runs.until(lambda: len(runs.problems) == number - 1)  # noqa: B023 - it is awaited here
    runs.folder.unlink()
    folder.rename(runs.folder)
    assert runs.file.read_text() == '{"count":3}'
    assert runs.device(copy).keep("count", 0).value == 6


@pytest.mark.parametrize("garbage", ["", "[]", '{"beside":1,"values":{}}', '{"beside":[0,0],"values":5}'])
def test_a_damaged_copy_is_none(runs: Runs, tmp_path: Path, garbage: str) -> None:
    copy = tmp_path / "cm.meter.kept"
    copy.write_text(garbage)
    assert runs.device(copy).keep("count", 7).value == 7


def test_who_keeps_nothing_writes_nothing_and_a_default_is_no_change(runs: Runs) -> None:
    device = runs.device()
    device.keep("count", 0)
    device.close()
    runs.device().close()
    assert not runs.folder.exists()


@pytest.fixture
def due(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The times at which something is to happen, on the monotonic clock."""
    found: list[float] = []
    call_at = runs.loop.call_at

    def note(at: float, call: Callable[[], None]) -> Timer:
        found.append(at)
        return call_at(at, call)

    monkeypatch.setattr(runs.loop, "call_at", note)
    return found


def test_a_change_is_on_disk_at_once_and_the_next_ones_wait(runs: Runs, due: list[float]) -> None:
    """A power cut loses at most what has changed since the last write."""
    device = runs.device()
    count = device.keep("count", 0)
    count.value = 1
    count.value = 2  # of the same turn
    runs.until(lambda: runs.problems == [None])
    assert runs.file.read_text() == '{"count":2}'
    written = due[0]
    due.clear()
    count.value = 3
    assert [int(at - written) for at in due] == [60]
    device.close()
    assert runs.file.read_text() == '{"count":3}'


def test_it_tells_what_a_power_cut_would_leave(runs: Runs) -> None:
    device = runs.device()
    count = device.keep("count", 0)
    assert (count.value, count.saved) == (0, 0)
    count.value = 1
    assert (count.value, count.saved) == (1, 0)
    runs.until(lambda: runs.problems == [None])
    assert count.saved == 1
    count.value = 2
    assert (count.value, count.saved) == (2, 1)
    device.close()
    again = runs.device()
    assert again.keep("count", 0).saved == 2
    again.close()


def test_a_device_may_have_its_values_written_sooner(runs: Runs, due: list[float]) -> None:
    device = runs.device()
    count, _ = device.keep("count", 0, 5), device.keep("other", 0)
    count.value = 1
    runs.until(lambda: runs.problems == [None])
    count.value = 2
    assert int(due[-1] - due[0]) == 5
    device.close()


def test_what_waited_is_written_when_it_may_be(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_values, "WRITE_S", 0.05)
    device = runs.device()
    count = device.keep("count", 0)
    for number in range(1, 4):
        count.value = number
        runs.until(lambda: len(runs.problems) == number)  # noqa: B023 - it is awaited here
        assert runs.file.read_text() == f'{{"count":{number}}}'
    device.close()


def test_the_file_and_its_name_are_on_the_disk_itself(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    device = runs.device()
    device.keep("count", 0).value = 1
    device.close()
    assert synced == [f".{FILE}.{os.getpid()}", runs.folder.name]
    assert [one.name for one in runs.folder.iterdir()] == [FILE]


def test_a_full_disk_is_said_and_costs_no_value(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, full_disk: tuple[int, int]
) -> None:
    monkeypatch.setattr(kept_values, "WRITE_S", 0.05)
    device = runs.device()
    count = device.keep("count", 0)
    count.value = 7
    runs.until(lambda: len(runs.problems) > 1)
    assert set(runs.problems) == {
        f"{runs.file} cannot be written, so they are in memory only: [Errno 27] File too large"
    }
    assert (count.value, count.saved) == (7, 7)
    device.close()  # a reload
    device = runs.device()
    count = device.keep("count", 0)
    assert (count.value, count.saved) == (7, 7)
    resource.setrlimit(resource.RLIMIT_FSIZE, full_disk)
    runs.until(lambda: runs.problems[-1] is None)
    assert runs.file.read_text() == '{"count":7}'
    device.close()


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"7", b'{"count":\xff}', b'{"count":1e999}', b"\0" * 20])
def test_a_damaged_file_is_moved_aside_and_said(runs: Runs, content: bytes, capsys: Any) -> None:
    runs.folder.mkdir()
    runs.file.write_bytes(content)
    log.start("cm/meter", "info", "text")
    device = runs.device()
    assert device.keep("count", 5).value == 5
    assert "the kept values are damaged: moved aside, and begun anew" in capsys.readouterr().err
    assert (runs.folder / f"{FILE}.damaged").read_bytes() == content
    device.close()


def test_what_somebody_has_put_there_is_not_read(runs: Runs) -> None:
    runs.folder.mkdir()
    runs.file.symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="it is a symbolic link"):
        runs.device().keep("count", 0)


def test_a_value_of_another_sort_is_not_taken_for_ours(runs: Runs, capsys: Any) -> None:
    runs.folder.mkdir()
    runs.file.write_text('{"count":"many","share":1,"any":null,"flag":1,"other":[1]}')
    log.start("cm/meter", "info", "text")
    device = runs.device()
    assert (device.keep("share", 0.5).value, device.keep("any", None).value) == (1, None)
    assert "a kept value" not in capsys.readouterr().err
    assert (device.keep("count", 0).value, device.keep("flag", default=False).value) == (0, False)
    assert capsys.readouterr().err.count("a kept value is none of this device; beginning anew") == 2
    device.keep("share", 0.5).value = 2
    device.close()
    assert '"other":[1]' in runs.file.read_text()  # of another version of the device


@pytest.mark.parametrize(
    ("value", "error", "why"),
    [
        (float("nan"), ValueError, "not JSON compliant"),
        ({1, 2}, TypeError, "not JSON serializable"),
        ((1, 2), TypeError, r"'it' cannot be kept: \(1, 2\) is no JSON value"),
        ({1: 2}, TypeError, "is no JSON value"),
        (10**18, ValueError, "more than 18 digits"),
        ("x" * MOST_BYTES, ValueError, "'it' has too much to keep: 4105 bytes in all, and at most 4096"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_changes_nothing(
    runs: Runs, value: Any, error: type[Exception], why: str
) -> None:
    device = runs.device()
    kept = device.keep("it", None)
    with pytest.raises(error, match=why):
        kept.value = value
    assert kept.value is None
    device.close()
    assert not runs.folder.exists()


def test_a_name_is_an_id(runs: Runs) -> None:
    with pytest.raises(TypeError, match="the name of a kept value must be 1 to 64 ASCII letters"):
        runs.device().keep("how many?", 0)
