"""A program that prints what it measures, or does something else."""

import os
import re
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.answers.answer_value import AnswerValue
from bootstrap.answers.program_run import MOST, ProgramRun
from daemons.command import Command
from penates.testing import Bench
from support.world import eventually

LIMIT_S = 60.0


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., str]:
    def write(text: str, start: str = "#!/bin/sh\n") -> str:
        file = tmp_path / "script"
        file.write_text(f"{start}{text}\n")
        file.chmod(0o755)
        return str(file)

    return write


def output(*command: str, limit_s: float = LIMIT_S) -> str:
    return ProgramRun(command, limit_s).timed_output()[0]


def gone(pid: int) -> bool:
    """Whether a process has ended: nobody may reap one whose parent is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def bound(pid: int) -> bool:
    """Whether a process has inherited a pipe at whose end the kernel sends a signal."""
    told = (file.read_text() for file in Path(f"/proc/{pid}/fdinfo").iterdir())
    return any(int(flags[1], 8) & os.O_ASYNC for text in told if (flags := re.search(r"flags:\s+(\d+)", text)))


def test_what_a_program_prints(script: Callable[..., str]) -> None:
    program = script('printf "%s\\n" "power = $1" "flow: 30.5" "état=zu"')
    values = [AnswerValue(text) for text in ("power = power W", "flow = flow °C", "state = état zu=shut|auf=open")]
    unshelled = Command(program=program, arguments=["$HOME; 7"], output="lines", values=values)
    with Bench(unshelled) as bench, pytest.raises(AssertionError, match=r"power is '\$HOME; 7', not a number"):
        bench.read()
    with Bench(Command(program=program, arguments=["250"], output="lines", values=values)) as bench:
        reading = dict(bench.read())
    assert float(str(reading.pop("took"))) >= 0
    assert reading == {"power": 250, "flow": 30.5, "state": "shut"}


def test_it_sees_little_of_us(script: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/x")
    program = script("env; pwd; readlink /proc/$$/fd/0; ls /proc/$$/fd | wc -l")
    seen = output(program).splitlines()
    assert {line.partition("=")[0] for line in seen[:-3]} <= {"PATH", "LANG", "PWD", "OLDPWD", "SHLVL", "_"}
    assert seen[-3:-1] == ["/", "/dev/null"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("echo no >&2; echo 'no sensor' >&2; exit 3", "script ended with exit code 3: no sensor"),
        ("exit 1", "script ended with exit code 1"),
        ("kill -SEGV $$", "script was killed by SIGSEGV"),
        ("yes", f"script prints more than {MOST} bytes, and was killed"),
        (r"printf '\377'", "script prints what is not UTF-8 text"),
    ],
)
def test_what_goes_wrong_is_said(script: Callable[..., str], text: str, why: str) -> None:
    with pytest.raises((OSError, ValueError)) as error:
        output(script(text))
    assert why in str(error.value)


def test_what_cannot_be_started(script: Callable[..., str], tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no-such-program is not there: install it"):
        output("no-such-program")
    with pytest.raises(OSError, match="may not be executed by this user"):
        output(str(tmp_path))
    with pytest.raises(OSError, match="is no program: a script begins with"):
        output(script("echo 1", start=""))


@pytest.mark.parametrize("then", ["", "exec >&- 2>&-; "])
def test_in_time_it_has_ended_with_all_that_it_has_started(
    script: Callable[..., str], tmp_path: Path, then: str
) -> None:
    pid = tmp_path / "pid"
    with pytest.raises(TimeoutError, match=r"script has not ended after 0.5 s; it was killed"):
        output(script(f"sleep 1000 & echo $! >{pid}; {then}wait"), limit_s=0.5)
    eventually(lambda: gone(int(pid.read_text())), "the program's own child is gone", LIMIT_S)


def test_what_it_leaves_behind_holds_nobody_up(script: Callable[..., str], tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    assert output(script(f"sleep 1000 & echo $! >{pid}; echo 5")) == "5\n"
    eventually(lambda: gone(int(pid.read_text())), "it is gone", LIMIT_S)


def test_at_the_end_of_the_device_it_ends(script: Callable[..., str], tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    run = ProgramRun([script(f"echo $$ >{pid}.new; mv {pid}.new {pid}; exec sleep 1000")], LIMIT_S)
    ended: list[OSError] = []

    def work() -> None:
        try:
            run.timed_output()
        except OSError as error:
            ended.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    eventually(pid.exists, "it runs", LIMIT_S)
    run.end()
    thread.join(LIMIT_S)
    assert gone(int(pid.read_text()))
    assert [str(one) for one in ended] == ["script was killed by SIGKILL"]
    with pytest.raises(OSError, match="it is not run any more"):
        run.timed_output()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("echo 'connect: Operation not permitted' >&2; exit 7", "permitted; in its unit it reaches 'hosts' alone"),
        ("exit 7", "ended with exit code 7$"),
    ],
)
def test_what_its_unit_keeps_from_it_is_hinted_at(script: Callable[..., str], text: str, why: str) -> None:
    device = Command(program=script(text), values=[AnswerValue("power = . W")])
    with Bench(device), pytest.raises(OSError, match=why):
        device.read()


def test_a_program_in_a_home_is_not_there_in_a_unit() -> None:
    device = Command(program="/home/me/heating", values=[AnswerValue("power = . W")])
    with Bench(device), pytest.raises(OSError, match=r"^/home/me/heating is not there: .*; in its unit .*/home"):
        device.read()


def test_it_does_not_outlive_us(script: Callable[..., str], tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    program = script(f"sleep 1000 & echo $! >{pid}.new; mv {pid}.new {pid}; wait")
    if not (us := os.fork()):
        try:
            ProgramRun([program], LIMIT_S).timed_output()
        finally:
            os._exit(0)
    eventually(lambda: pid.exists() and bound(int(pid.read_text())), "it runs, bound to us", LIMIT_S)
    os.kill(us, signal.SIGKILL)
    os.waitpid(us, 0)
    eventually(lambda: gone(int(pid.read_text())), "the program and its child are gone", LIMIT_S)
