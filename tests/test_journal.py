"""Logs in systemd's journal: a real datagram socket stands for journald's."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from world import PATIENCE_S, Broker, Eyes, House, eventually

from bootstrap.logs import journal


def decoded(datagram: bytes) -> dict[str, str]:
    """An entry, by the letter of the protocol."""
    fields: dict[str, str] = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            length, rest = int.from_bytes(rest[:8], "little"), rest[8:]
            value, rest = rest[:length], rest[length + 1 :]
            assert datagram[len(line) + 9 + length : len(line) + 10 + length] == b"\n"
        assert name.decode() not in fields
        fields[name.decode()], datagram = value.decode(), rest
    return fields


class Journald:
    """Its socket for entries, and one end of the stream that a unit's stderr is connected to."""

    def __init__(self, folder: Path) -> None:
        self.place = folder / "journal"
        self._entries = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._entries.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._entries.setblocking(False)
        self._stream, self.stderr = socket.socketpair()
        self._stream.setblocking(False)
        self.seen: list[dict[str, str]] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    def listen(self) -> None:
        self._entries.bind(str(self.place))

    def entries(self) -> list[dict[str, str]]:
        """All so far."""
        try:
            while True:
                self.seen.append(decoded(self._entries.recv(1 << 20)))
        except BlockingIOError:
            return self.seen

    def wait(self, **fields: str) -> dict[str, str]:
        """The first entry with these fields."""
        found = lambda: [one for one in self.entries() if fields.items() <= one.items()]  # noqa: E731
        return eventually(found, f"an entry with {fields}")[0]

    def lines(self) -> list[str]:
        """What came by the stream."""
        return self._stream.recv(1 << 20).decode().splitlines()

    def unit(self, house: House, *words: str, **more: str) -> subprocess.Popen[bytes]:
        """A process as systemd starts it."""
        status = os.fstat(self.stderr.fileno())
        env = house.env(JOURNAL_STREAM=f"{status.st_dev}:{status.st_ino}", PENATES_JOURNAL=str(self.place), **more)
        command = [sys.executable, "-m", "penates", *words, "--config", str(house.folder)]
        self._processes.append(subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stderr=self.stderr))
        return self._processes[-1]

    def close(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)
        for end in (self._entries, self._stream, self.stderr):
            end.close()


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[Journald]:
    journald = Journald(tmp_path)
    yield journald
    journald.close()


def test_an_entry_survives_the_wire() -> None:
    found = journal.entry(
        "cm/cellar", "two\nlines", 3, {"error": "a=b\nc", "reads": 7, "path": Path("/x"), "ä": "\ud800"}
    )
    assert decoded(journal.encoded(found)) == {
        "MESSAGE": "two\nlines",
        "PRIORITY": "3",
        "SYSLOG_IDENTIFIER": "penates",
        "PENATES_GROUP": "cm",
        "PENATES_SENSOR": "cellar",
        "PENATES_ERROR": "a=b\nc",
        "PENATES_READS": "7",
        "PENATES_PATH": '"/x"',
        "PENATES_Ä": "?",
    }


def test_one_sensors_log_can_be_asked_for(cellar: House, journald: Journald, eyes: Eyes) -> None:
    journald.listen()
    process = journald.unit(cellar, "run", "cellar")
    eyes.wait_value("cm/cellar/status/state", "online")
    found = journald.wait(PENATES_SENSOR="cellar", PENATES_GROUP="cm", PENATES_KIND="thermometer")
    assert found["MESSAGE"].startswith("cm/cellar: starting (kind=thermometer, settings=")
    assert json.loads(found["PENATES_SETTINGS"])["serial"] == "28-cellar"
    assert (found["PRIORITY"], found["SYSLOG_IDENTIFIER"]) == ("6", "penates")
    process.terminate()
    assert process.wait(PATIENCE_S) == 0
    assert {one["PENATES_SENSOR"] for one in journald.entries()} == {"cellar"}
    with pytest.raises(BlockingIOError):
        journald.lines()


def test_a_traceback_is_one_entry(house: House, broker: Broker, journald: Journald) -> None:
    journald.listen()
    house.write(broker.port)
    house.device("odd", 'kind = "odd_devices.Odd"\nhook = "setup"\ndiary = "diary"\n')
    assert journald.unit(house, "run", "odd").wait(PATIENCE_S) == 70
    found = journald.wait(PRIORITY="3", PENATES_EXIT="70")
    first, *rest = found["MESSAGE"].split("\n")
    assert first == "cm/odd: a bug in setup (exit=70)"
    assert (rest[0], rest[-1]) == ("Traceback (most recent call last):", "RuntimeError: odd")


def test_without_its_socket_the_stream_gets_lines(cellar: House, journald: Journald, eyes: Eyes) -> None:
    journald.unit(cellar, "run", "cellar")
    eyes.wait_value("cm/cellar/status/state", "online")
    lines = journald.lines()
    assert lines[0].startswith("<6>cm/cellar: starting (")
    assert all(line.startswith(("<6>cm/cellar: ", "<7>cm/cellar: ")) for line in lines)


def test_what_is_too_large_for_a_datagram_is_refused_not_raised(
    journald: Journald, monkeypatch: pytest.MonkeyPatch
) -> None:
    journald.listen()
    monkeypatch.setenv("PENATES_JOURNAL", str(journald.place))
    assert journal.send(journal.entry("cm/cellar", "small", 6, {}))
    assert not journal.send(journal.entry("cm/cellar", "x" * 10_000_000, 6, {}))
    line = journal.HANDED + json.dumps(journal.entry("cm/cellar", "a\n" * 500_000, 3, {})).encode()
    assert journal.pass_on("cm/cellar", line).startswith(b"<3>a\n<3>a\n")


def test_a_supervisor_passes_on_what_its_sensors_say_and_print(
    house: House, broker: Broker, journald: Journald, eyes: Eyes
) -> None:
    journald.listen()
    house.write(broker.port)
    house.thermometer()
    (house.folder / "mine.py").write_text(
        "import sys\nfrom dataclasses import dataclass\nfrom bootstrap.device import Device, Measure\n\n"
        '@dataclass(kw_only=True)\nclass Talks(Device):\n    """Wiring: none."""\n\n    told = Measure("1")\n\n'
        "    def setup(self):\n        print('<4>by print', file=sys.stderr)\n"
        '        print(\'\\x1e[1]\\n\\x1e{\\n\\x1e{"MESSAGE":1,"PRIORITY":"6"}\\nplain\', file=sys.stderr)\n\n'
        "    def read(self):\n        return {'told': 1}\n"
    )
    house.device("talker", 'kind = "mine.Talks"\n')
    nursery = journald.unit(house, "nursery")
    eyes.wait_value("cm/talker/status/state", "online")
    eyes.wait_value("cm/cellar/status/state", "online")
    assert journald.wait(PENATES_SENSOR="cellar", PENATES_KIND="thermometer")["MESSAGE"].startswith("cm/cellar: ")
    assert journald.wait(PENATES_SENSOR="talker", MESSAGE="by print")["PRIORITY"] == "4"
    assert journald.wait(PENATES_SENSOR="talker", MESSAGE="plain")["PENATES_GROUP"] == "cm"
    assert journald.wait(PENATES_SENSOR="talker", MESSAGE="\x1e[1]")["PRIORITY"] == "6"
    assert "PENATES_GROUP" not in journald.wait(PENATES_SENSOR="supervisor")
    os.kill(house.pids()["cellar"], signal.SIGKILL)
    assert journald.wait(PENATES_SENSOR="cellar", PENATES_REASON="killed by SIGKILL")["PRIORITY"] == "4"
    nursery.terminate()
    assert nursery.wait(PATIENCE_S) == 0
    assert journald.wait(PENATES_SENSOR="supervisor", MESSAGE="supervisor: stopped")


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_format_that_somebody_chose_holds_in_a_unit_too(
    cellar: House, broker: Broker, journald: Journald, eyes: Eyes, style: str
) -> None:
    journald.listen()
    cellar.write(broker.port, log=f'format = "{style}"')
    journald.unit(cellar, "nursery")
    eyes.wait_value("cm/cellar/status/state", "online")
    eventually(lambda: any("cm/cellar" in line for line in lines_so_far(journald)), "lines")
    assert journald.entries() == []


def lines_so_far(journald: Journald) -> list[str]:
    try:
        return journald.lines()
    except BlockingIOError:
        return []
