"""Streams from real children, ports and sockets."""

import fcntl
import os
import pty
import re
import resource
import signal
import socket
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from bootstrap.child_life import OURS
from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox, Sockets, Worker
from bootstrap.runtime.parts import ProcessParts
from bootstrap.runtime.streams import child, stream
from bootstrap.runtime.streams.stream import Stream
from bootstrap.streams import ChildProcess, Frames, Serial, Source, Tcp
from support.world import eventually, free_port

LIMIT_S = 60.0


class Heard:
    """What a device heard, and its problems."""

    def __init__(self, stack: ExitStack) -> None:
        self.lines: list[str | bytes] = []
        self.failed: list[ValueError] = []
        self.problems: dict[str, str] = {}
        self.ever: list[str] = []  # problems
        self.opened = 0
        self.on_line: Callable[[str | bytes], bool] = lambda _line: True
        self.loop = Loop()
        sockets = Sockets()
        stack.callback(sockets.end)
        inbox = Inbox(sockets)
        stack.callback(inbox.close)
        self.loop.add_reader(inbox.socket, inbox.receive)
        worker = Worker(inbox)
        stack.callback(worker.close)
        self._parts, self._stack = ProcessParts(self.loop, sockets, inbox, worker), stack

    def open(self, source: Source, frames: Frames | None = None) -> Stream:
        made = Stream(self._parts, source, self, name="it", frames=frames)
        self._stack.callback(made.finish)
        self._stack.callback(made.close)
        return made

    def hear(self, line: str | bytes) -> bool:
        self.lines.append(line)
        return self.on_line(line)

    def on_failed(self, error: ValueError) -> None:
        self.failed.append(error)

    def on_change(self) -> None:
        self.opened += 1

    def set_problem(self, what: str, why: str | None) -> None:
        assert what == "it"
        if why is None:
            del self.problems[what]
        else:
            self.problems[what] = why
            self.ever.append(why)

    def wait(self, until: Callable[[], object]) -> None:
        assert self.loop.run(lambda: bool(until()), LIMIT_S), (self.lines[-5:], self.problems)

    def wait_lines(self, *lines: str | bytes) -> None:
        self.wait(lambda: len(self.lines) >= len(lines))
        assert tuple(self.lines) == lines

    def wait_problem(self, why: str) -> None:
        self.wait(lambda: any(why in one for one in self.ever))


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    monkeypatch.setattr(stream, "FIRST_S", 0.05)
    with ExitStack() as stack:
        yield Heard(stack)


def shell(script: str) -> ChildProcess:
    return ChildProcess(["sh", "-c", script])


def alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


# Children.


def test_a_child_is_heard_and_started_again_after_its_end(heard: Heard) -> None:
    heard.open(shell("echo one; echo two; echo 'no stick' >&2; exit 3"))
    heard.wait(lambda: len(heard.lines) >= 4)
    assert heard.lines[:4] == ["one", "two"] * 2
    assert heard.ever[0] == "ended with exit code 3: no stick"
    assert heard.opened == 2  # opened, and ended for the first time


def test_a_problem_lasts_until_a_good_line(heard: Heard, tmp_path: Path) -> None:
    heard.on_line = lambda line: line == "good"
    heard.open(shell(f"if mkdir {tmp_path}/once; then kill -SEGV $$; fi; echo bad; sleep 0.1; echo good; sleep 3600"))
    heard.wait_problem("was killed by SIGSEGV")
    heard.wait(lambda: heard.lines == ["bad"])
    assert "it" in heard.problems
    heard.wait(lambda: heard.lines == ["bad", "good"] and not heard.problems)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["there is no such program"], "No such file or directory: 'there is no such program'"),
        (["sh", "-c", "printf 'half a li'"], "ended with exit code 0; in mid-line, 9 bytes of it are dropped"),
        (["sh", "-c", "exec >&-; exec sleep 3600"], "was killed by SIGKILL"),
        (["sh", "-c", "exit 0"], "ended with exit code 0"),
        (["/"], "Permission denied: '/'"),
        (["a\0b"], "embedded null byte"),
    ],
)
def test_the_end_of_a_child_has_a_reason(heard: Heard, command: list[str], why: str) -> None:
    heard.open(ChildProcess(command))
    heard.wait_problem(why)


def test_what_a_child_leaves_running_ends_with_it(heard: Heard) -> None:
    heard.open(shell("sleep 3600 & echo $!; exit 1"))
    heard.wait_problem("ended with exit code 1")
    eventually(lambda: not alive(int(heard.lines[0])), "the grandchild ends")


def test_all_output_is_heard_though_the_child_has_ended_and_we_are_slow(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "TERM_S", 0.05)
    monkeypatch.setattr(stream, "FIRST_S", 3600)

    def slowly(_line: str | bytes) -> bool:
        time.sleep(0.001)
        return True

    heard.on_line = slowly
    heard.open(shell("seq 1000"))
    heard.wait_problem("ended with exit code 0")
    assert heard.lines == [str(number + 1) for number in range(1000)]


@pytest.mark.parametrize("script", ["exec sleep 3600", "trap '' TERM; sleep 3600 & echo $!; while :; do wait; done"])
def test_closing_ends_a_child_and_its_children_even_obstinate_ones(
    heard: Heard, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(child, "TERM_S", 0.2)
    made = heard.open(shell(f"echo $$; {script}"))
    heard.wait(lambda: len(heard.lines) > script.count("echo"))
    made.close()
    made.finish()
    assert not alive(int(heard.lines[0]))
    eventually(lambda: not [pid for pid in heard.lines if alive(int(pid))], "its children end")
    assert heard.problems == {}
    with pytest.raises(OSError, match="it is not open"):
        made.write(b"x")


def test_a_child_that_is_closed_while_we_go_on_is_reaped(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "TERM_S", 0.2)
    made = heard.open(shell("trap '' TERM; echo $$; while :; do sleep 0.01; done"))
    heard.wait(lambda: heard.lines)
    made.close()
    assert not made.done
    heard.wait(lambda: made.done)
    assert not Path(f"/proc/{int(heard.lines[0])}").exists()


def test_a_child_hears_what_is_written_and_a_full_pipe_is_said(heard: Heard) -> None:
    made = heard.open(shell("read word; echo $word; exec sleep 3600"))
    with pytest.raises(OSError, match="it is not open: it is being opened"):
        made.write(b"early\n")
    heard.wait(lambda: heard.opened)
    made.write(b"hello\n")
    heard.wait_lines("hello")
    for _ in range(2):  # the kernel takes as much as a pipe holds, and then we keep as much
        made.write(bytes(60_000))
    with pytest.raises(OSError, match=r"\d+ bytes that were written before have not been taken"):
        made.write(bytes(60_000))


def test_a_child_has_neither_our_watchdog_nor_our_password(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OURS:
        monkeypatch.setenv(name, "/ours")
    heard.open(shell("env | grep -c /ours"))
    heard.wait(lambda: heard.lines)
    assert heard.lines[0] == "0"


SLOW_TO_END = """
import pathlib, signal, sys, time
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("one", flush=True)
signal.sigwait({signal.SIGTERM})
time.sleep(0.3)
pathlib.Path(sys.argv[1]).touch()
"""


def complaining(script: str, *, well_s: float | None = None) -> ChildProcess:
    return ChildProcess(["sh", "-c", script], re.compile("^no |stalled"), well_s)


def test_the_line_that_says_why_is_the_reason(heard: Heard) -> None:
    heard.open(complaining("echo 'no stick' >&2; seq 10000 >&2; exit 2"))
    heard.wait(lambda: heard.ever)
    assert heard.ever == ["ended with exit code 2: no stick"]


def test_a_child_that_gives_up_and_does_not_end_is_ended(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "LAST_WORDS_S", 0.05)
    heard.open(complaining("echo one; printf 'read sta' >&2; sleep 0.1; echo lled >&2; sleep 3600"))
    heard.wait(lambda: heard.ever)
    assert heard.ever == ["was killed by SIGKILL: read stalled"]


def test_a_child_that_stays_is_well_without_a_line(heard: Heard, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    opened = heard.open(complaining(f"[ -e {mark} ] && exec sleep 3600; touch {mark}; exit 2", well_s=0.05))
    heard.wait(lambda: heard.problems)
    assert opened.problem == "ended with exit code 2"
    heard.wait(lambda: not heard.problems)
    assert opened.problem is None


def test_another_source_is_opened_once_the_first_has_ended(
    heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "TERM_S", LIMIT_S)
    ended = tmp_path / "ended"
    opened = heard.open(ChildProcess([sys.executable, "-c", SLOW_TO_END, str(ended)]))
    heard.wait_lines("one")
    opened.reopen(shell(f"[ -e {ended} ] && echo two; sleep 3600"))
    heard.wait_lines("one", "two")
    assert heard.ever == []


def test_a_closed_stream_is_not_opened_again(heard: Heard) -> None:
    opened = heard.open(shell("echo one; sleep 3600"))
    heard.wait_lines("one")
    opened.close()
    opened.reopen(shell("echo two"))
    opened.finish()
    assert opened.done


PARENT = """
import os, sys
from bootstrap.eventloop.loop import Loop
from bootstrap.runtime.streams.child import ChildChannel
from bootstrap.streams import ChildProcess
loop, heard = Loop(), bytearray()
script = "trap '' HUP TERM PIPE; sleep 3600 & echo $! $$; while :; do wait; done"
ChildChannel(loop, ChildProcess(["sh", "-c", script]), heard.extend, print)
loop.run(lambda: heard.endswith(b"\\n"))
os.write(1, heard)
os.kill(os.getpid(), 9)
"""


def test_a_child_and_its_children_are_killed_with_their_parent() -> None:
    done = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    pids = [int(word) for word in done.stdout.split()]
    assert len(pids) == 2
    eventually(lambda: not [pid for pid in pids if alive(pid)], "all end")


# Floods.


def test_a_child_that_never_ends_a_line_costs_no_memory(heard: Heard) -> None:
    heard.open(shell("echo first; head -c 300000000 /dev/zero; echo; echo last; exec sleep 3600"))
    heard.wait(lambda: heard.lines)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    heard.wait_lines("first", "last")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4_000  # kilobytes


def test_a_flood_of_lines_leaves_the_loop_its_turns(heard: Heard) -> None:
    late: list[float] = []

    def tick(due: float) -> None:
        late.append(time.monotonic() - due)
        due = time.monotonic() + 0.01
        heard.loop.call_at(due, lambda: tick(due))

    def slowly(_line: str | bytes) -> bool:
        end = time.monotonic() + 0.0005
        while time.monotonic() < end:
            pass
        return True

    heard.on_line = slowly
    tick(time.monotonic())
    heard.open(ChildProcess(["yes"]))
    heard.wait(lambda: len(late) > 50)
    assert len(heard.lines) > 100
    assert sorted(late)[len(late) // 2] < 0.05
    assert len(heard.lines) < 60_000


# Serial ports.


class Port:
    """A pseudo-terminal: `far` is the meter's end, `path` our port."""

    def __init__(self) -> None:
        self.far, self.near = pty.openpty()
        tty.setraw(self.far)
        self.path = Path(os.ttyname(self.near))

    def unplug(self) -> None:
        os.close(self.near)
        os.close(self.far)


@pytest.fixture
def port() -> Iterator[Port]:
    made = Port()
    yield made
    with suppress(OSError):
        made.unplug()


def test_a_port_is_raw_exclusive_and_as_fast_as_it_is_said(heard: Heard, port: Port) -> None:
    made = heard.open(Serial(port.path, 38400, "7E1"))
    heard.wait(lambda: heard.opened)
    iflag, oflag, cflag, lflag, ispeed, ospeed, _ = termios.tcgetattr(port.near)
    assert (iflag, oflag, lflag) == (termios.INPCK, 0, 0), "raw, but a byte of a wrong parity becomes a zero"
    assert (ispeed, ospeed) == (termios.B38400, termios.B38400)
    assert cflag & (termios.CREAD | termios.CLOCAL) == termios.CREAD | termios.CLOCAL
    got = bytearray(4)
    fcntl.ioctl(port.near, 0x80045440, got)  # TIOCGEXCL
    assert got[0] == 1
    os.write(port.far, b"\x03\x04 it is 5\r\n")
    heard.wait_lines("\x03\x04 it is 5")
    made.write(b"again\n")
    assert os.read(port.far, 100) == b"again\n"


def test_a_port_that_is_unplugged_in_mid_line_drops_that_line_and_says_so(heard: Heard, port: Port) -> None:
    heard.open(Serial(port.path))
    heard.wait(lambda: heard.opened)
    os.write(port.far, b"whole\nhalf a li")
    heard.wait_lines("whole")
    port.unplug()
    heard.wait_problem("is gone")
    assert "in mid-line, 9 bytes of it are dropped" in heard.ever[0]
    heard.wait_problem("No such file or directory")
    assert heard.lines == ["whole"]


def test_a_port_that_returns_is_opened_again(heard: Heard, port: Port, tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to(port.path)
    heard.open(Serial(link))
    heard.wait(lambda: heard.opened)
    port.unplug()
    heard.wait_problem("is gone")
    other = Port()
    link.unlink()
    link.symlink_to(other.path)
    while not heard.lines:
        os.write(other.far, b"back\n")
        heard.loop.run(lambda: bool(heard.lines), 0.05)
    assert set(heard.lines) == {"back"}
    assert heard.problems == {}
    other.unplug()


def test_a_file_is_no_serial_port(heard: Heard, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    heard.open(Serial(tmp_path / "file"))
    heard.wait_problem("cannot be set up as a serial port")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"baud": 9601}, "9601 is not a serial port's speed; those are 50, 75,"),
        ({"mode": "9N1"}, "such as 8N1"),
        ({"mode": "8N"}, "such as 8N1"),
    ],
)
def test_what_no_port_can_be_is_refused(settings: dict[str, int | str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Serial("/dev/ttyUSB0", **settings)  # type: ignore[arg-type]


# Sockets.


def test_a_socket_is_heard_written_to_and_connected_again(heard: Heard) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        made = heard.open(Tcp("127.0.0.1", server.getsockname()[1]))
        heard.wait(lambda: heard.opened)
        with server.accept()[0] as peer:
            peer.sendall(b"one\ntw")
            heard.wait_lines("one")
            made.write(b"two?\n")
            assert peer.recv(100) == b"two?\n"
        heard.wait_problem("closed the connection; in mid-line, 2 bytes of it are dropped")
        server.settimeout(LIMIT_S)
        heard.wait(lambda: made._channel)  # noqa: SLF001 - connected, and nothing heard yet
        with server.accept()[0] as peer:
            assert "it" in heard.problems
            peer.sendall(b"again\n")
            heard.wait_lines("one", "again")
            assert heard.problems == {}


def test_nobody_who_listens_is_a_problem_and_no_name_blocks_the_loop(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard.open(Tcp("127.0.0.1", free_port()))
    heard.wait_problem("Connection refused")
    heard.ever.clear()
    monkeypatch.setattr(socket, "create_connection", lambda *_a, **_k: time.sleep(0.5))
    began = time.monotonic()
    Stream(heard._parts, Tcp("slow", 1), heard, name="it").close()  # noqa: SLF001 - closed before it is opened
    made = heard.open(Tcp("slow", 1))
    assert not heard.loop.run(lambda: False, 0.1)
    assert time.monotonic() - began < 0.4
    assert made.opening


def test_frames_are_bytes(heard: Heard) -> None:
    def pairs(arrived: bytearray) -> list[bytes]:
        if b"!" in arrived:
            arrived.clear()
            raise ValueError("no pair")
        whole = len(arrived) // 2 * 2
        found = [bytes(arrived[at : at + 2]) for at in range(0, whole, 2)]
        del arrived[:whole]
        return found

    heard.open(shell("printf abcde; sleep 0.1; printf 'f!'; sleep 0.1; printf gh; exec sleep 3600"), pairs)
    heard.wait(lambda: heard.failed and heard.lines[2:])
    assert (heard.lines, str(heard.failed[0])) == ([b"ab", b"cd", b"gh"], "no pair")
