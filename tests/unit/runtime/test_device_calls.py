"""Calls of a device that may block: turns on a bus, what hangs, and what is dropped."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox, Sockets, Worker
from bootstrap.runtime import device_calls
from bootstrap.runtime.bus_lock import BusLock, holder_of
from bootstrap.runtime.device_calls import DeviceCalls
from support.world import eventually

LIMIT_S = 60.0
HOLD = """
import sys
from pathlib import Path
from bootstrap.runtime.bus_lock import BusLock
with BusLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


class Calls:
    """Calls of one device, in a loop of their own, with the problems that they enter."""

    def __init__(self, stack: ExitStack) -> None:
        self.loop, self.problems = Loop(), dict[str, str]()
        sockets = Sockets()
        stack.callback(sockets.end)
        inbox = Inbox(sockets)
        stack.callback(inbox.close)
        self.loop.add_reader(inbox.socket, inbox.receive)
        self.worker = Worker(inbox)
        stack.callback(self.worker.close)
        self.outcomes: list[Any] = []
        self.calls = self.new()

    def new(self) -> DeviceCalls:
        return DeviceCalls(self.loop, self.worker, self._set_problem)

    def _set_problem(self, what: str, why: str | None) -> None:
        if why is None:
            del self.problems[what]
        else:
            self.problems[what] = why

    def start(self, work: Callable[[], Any], bus: str | Path | None = None) -> None:
        self.calls.start(work, lambda outcome, _at: self.outcomes.append(outcome()), bus)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    monkeypatch.setattr(device_calls, "HANG_S", 0.2)
    monkeypatch.setattr(device_calls, "BUS_S", 0.3)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    with ExitStack() as stack:
        yield Calls(stack)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock of the folder `bus`."""
    (tmp_path / "bus").mkdir()
    command = [sys.executable, "-c", HOLD, str(tmp_path / "bus")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_call_waits_for_the_process_that_has_the_bus_and_says_so(
    calls: Calls, holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    calls.start(lambda: "measured", tmp_path / "bus")
    assert calls.loop.run(lambda: "bus" in calls.problems, 60)
    assert f"{tmp_path / 'bus'} was not free for 0.3 s; process {holder.pid} (python" in calls.problems["bus"]
    assert calls.calls.making_progress, "waiting is no hang"
    assert calls.outcomes == []
    assert holder.stdin is not None
    holder.stdin.close()
    assert calls.loop.run(lambda: calls.outcomes == ["measured"], 60)
    assert calls.problems == {}


def test_a_killed_holder_leaves_no_lock(calls: Calls, holder: subprocess.Popen[str], tmp_path: Path) -> None:
    calls.start(lambda: "measured", tmp_path / "bus")
    holder.kill()
    assert calls.loop.run(lambda: calls.outcomes == ["measured"], 60)
    with BusLock(tmp_path / "bus"):
        assert holder_of(tmp_path / "bus").startswith("process ")
    assert holder_of(tmp_path / "bus") == ""


def test_a_bus_that_is_not_there_is_left_to_who_reads_it(calls: Calls, tmp_path: Path) -> None:
    calls.start((tmp_path / "bus" / "probe").exists, tmp_path / "bus")
    assert calls.loop.run(lambda: calls.outcomes == [False], 60)


def test_a_bus_that_may_not_be_opened_is_an_error_of_the_call(calls: Calls, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found: list[OSError] = []

    def ended(outcome: Callable[[], str], _at: int | None) -> None:
        with pytest.raises(NotADirectoryError) as error:
            outcome()
        found.append(error.value)

    calls.calls.start(lambda: "never", ended, tmp_path / "file" / "bus")
    assert calls.loop.run(lambda: bool(found), 60)


def test_what_hangs_is_a_problem_and_one_that_waits_behind_it_is_not(calls: Calls) -> None:
    release = threading.Event()

    def measure() -> str:
        release.wait(60)
        return "late"

    calls.start(measure, "bus")
    calls.start(lambda: "next", "bus")
    assert calls.loop.run(lambda: "call" in calls.problems, 60)
    assert calls.problems["call"] == "measure has not ended for 0.2 s"
    assert not calls.calls.making_progress
    release.set()
    assert calls.loop.run(lambda: calls.outcomes == ["late", "next"], 60)
    assert (calls.problems, calls.calls.making_progress) == ({}, True)


def test_what_was_asked_of_a_released_device_is_dropped(calls: Calls) -> None:
    release, ran = threading.Event(), list[str]()
    calls.start(lambda: release.wait(60), "bus")
    calls.start(lambda: ran.append("of the old device"), "bus")
    eventually(lambda: calls.calls._calls[0].began, "it runs")  # noqa: SLF001 - nothing is said of it
    threading.Timer(0.1, release.set).start()
    calls.calls.close(time.monotonic() + LIMIT_S)
    assert release.is_set(), "waited a moment"
    calls.calls = calls.new()
    calls.start(lambda: "of the new device", "bus")
    assert calls.loop.run(lambda: bool(calls.outcomes), 60)
    assert (calls.outcomes, ran, calls.problems) == (["of the new device"], [], {})
