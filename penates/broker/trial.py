"""Try Mosquitto's new configuration before anything is changed: a copy of it, on other ports of this machine.

The copy has everything that decides who may connect and what they may do. It stores nothing, and connects to no other
broker.
"""

import os
import re
import select
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from socket import create_server

from bootstrap.config.toml_file import SettingsError, contents
from bootstrap.supervisor.control_socket import Unavailable
from penates.broker.expected_broker import LOOPBACK, ExpectedBroker
from penates.broker.mosquitto_files import BRIDGES, LISTENERS, Directive, directives, lines_in, listeners
from penates.files.planned_file import FILE_MODE, Planned
from penates.fleet.probe import Silent

MEMORY = "/run"  # a tmpfs, which only root may write to
ENTERED_BY_ALL = 0o711
ATTEMPTS = 3
IN_USE = "Address already in use"
PATIENCE_S = 30.0  # for a broker to start, on the slowest Pi
RUNNING = " running"  # its last word about starting
LAST_LINES = 3
READ_BYTES = 4096
PRIVATE = "penates"  # the folder that only the broker may read
LEFT_OUT = {"pid_file", "persistence", "persistence_file", "persistence_location", "autosave_interval"}
LEFT_OUT |= {"autosave_on_changes", "log_dest", "log_type", "log_facility", "log_timestamp", "log_timestamp_format"}
BRIDGE = "connection"  # what follows it in its file is about another broker
NOWHERE = "address 127.0.0.1:9"  # the port "discard": for a bridge of a copy, which must not call anybody
OF_THE_COPY = "persistence false\nlog_dest stderr\nlog_timestamp false\nlog_type error\nlog_type information\n"


@dataclass(frozen=True)
class BrokerTrial:
    """The configuration to be tried.

    Attributes:
        mosquitto: Mosquitto's folder.
        planned: our files in it, as they will be.
        own_acl: the file of the rules that the house's owner adds to ours.
        expected: what the broker must be like.
        program: Mosquitto itself.
    """

    mosquitto: Path
    planned: Sequence[Planned]
    own_acl: Path
    expected: ExpectedBroker
    program: str

    @property
    def private(self) -> Path:
        """The folder that only the broker may read."""
        return self.mosquitto / PRIVATE

    @property
    def own_rules(self) -> list[str]:
        """The lines that the house's owner adds to our rules."""
        return contents(self.own_acl).decode(errors="replace").splitlines() if self.own_acl.exists() else []

    @property
    def others(self) -> list[Directive]:
        """The lines that are not ours, and that may be left out to find the one that is wrong."""
        ours = {one.path for one in self.planned}
        settings = directives(self.mosquitto / "mosquitto.conf")
        found = [one for one in settings if one.file not in ours and one.name not in LEFT_OUT | {"include_dir"}]
        rules = lines_in(self.own_acl) if self.own_acl.exists() else ()
        return [*found, *(one for one in rules if one.name != "user")]

    def require_success(self) -> None:
        """Check that the broker starts, opens our ports and no other, and lets in whom it must and nobody else.

        Raises:
            SettingsError: one line that is not ours is the reason.
            Unavailable: it fails for another reason.
            OSError: a file cannot be read or written.
        """
        if problems := self.problems():
            if culprit := self._culprit():
                raise SettingsError([culprit.fault(f"is why Mosquitto {problems[0]}; put # before it")])
            raise Unavailable(f"nothing was changed: with the new files, Mosquitto {'; '.join(problems)}")

    def problems(self, without: Collection[Directive] = ()) -> list[str]:
        """Return what is wrong, in words that follow "Mosquitto", if these lines that are not ours are left out.

        A port that was free may be taken by another program before the broker has it: then others are tried.
        """
        found: list[str] = []
        for _ in range(ATTEMPTS):
            found = self._problems(without)
            if not any(IN_USE in one for one in found):
                break
        return found

    def _problems(self, without: Collection[Directive]) -> list[str]:
        with _place() as place:
            copy = _Copy(self, place)
            copy.write(without)
            with _started([self.program, "-c", str(copy.conf)]) as (broker, last_words):
                if last_words:
                    return [f"does not start: {copy.renamed(last_words)}"]
                return [*copy.expected.wrong_listeners(broker.pid)] or [*_wrong(copy.expected)]

    def _culprit(self) -> Directive | None:
        """Return the line, or the first line of the file, without which all is well."""
        lines = self.others
        files = [[one for one in lines if one.file == file] for file in dict.fromkeys(one.file for one in lines)]
        candidates = [*([one] for one in lines), *files]
        return next((some[0] for some in candidates if not self.problems(some)), None)


def _wrong(expected: ExpectedBroker) -> Iterator[str]:
    try:
        yield from [*expected.wrong_logins()] or expected.wrong_rights()
    except (OSError, Silent) as error:
        yield f"does not answer: {error}"


class _Copy:
    """A copy of the configuration in a folder of its own. Each line keeps its number, so that errors name it."""

    def __init__(self, trial: BrokerTrial, place: Path) -> None:
        self._trial, self._place = trial, place
        self.conf = place / "mosquitto.conf"
        plain, secured = _free_port(), _free_port()
        browsers = _free_port() if trial.expected.websocket_port else None
        mine = replace(trial.expected, plain_port=plain, tls_port=secured, tls_address=LOOPBACK)
        mine = replace(mine, websocket_port=browsers)
        self.expected = replace(mine, ca_file=place / mine.ca_file.name)
        self._main = trial.mosquitto / "mosquitto.conf"
        included = [one.value for one in lines_in(self._main) if one.name == "include_dir"]
        self._folders = {folder: place / f"included{number}" for number, folder in enumerate(included)}

    def write(self, without: Collection[Directive]) -> None:
        """Write everything but these lines, readable by those who will read the files themselves."""
        ours = {one.path: one for one in self._trial.planned}
        self.expected.ca_file.write_bytes(ours[self._trial.expected.ca_file].content or b"")
        for folder, copy in self._folders.items():
            _folder(copy)
            for file in {*Path(folder).glob("*.conf")} - ours.keys():
                self._write(copy / file.name, self._copied(file, without))
            for file in (one for one in ours if one.parent == Path(folder)):
                self._write(copy / file.name, self._our_settings(ours[file]))
        self._write(self.conf, f"{self._copied(self._main, without)}\n{OF_THE_COPY}")
        for planned in ours.values():
            if planned.path.is_relative_to(self._trial.private):
                self._write_private(planned, without)

    def renamed(self, text: str) -> str:
        """Return what the broker says of its copy as if it said it of the files themselves."""
        for folder, copy in self._folders.items():
            text = text.replace(str(copy), folder)
        return text.replace(str(self._place), str(self._trial.mosquitto))

    def _copied(self, file: Path, without: Collection[Directive]) -> str:
        """Return the text of a file without what does not matter here: storage, logs and bridges."""
        taken = next((one.content for one in self._trial.planned if one.path == file.resolve()), None)
        rows = (taken or contents(file)).decode(errors="replace").split("\n")
        bridged = False
        for line in lines_in(file):
            bridged = bridged or line.name == BRIDGE
            if line.name == "include_dir":
                rows[line.number - 1] = f"include_dir {self._folders[line.value]}"
            elif bridged or line in without or line.name in LEFT_OUT or line.name.startswith("plugin"):
                rows[line.number - 1] = "#"
        return "\n".join(rows)

    def _our_settings(self, planned: Planned) -> str:
        if planned.path.name != LISTENERS:
            text = (planned.content or b"").decode().replace(str(self._trial.private), str(self._place / PRIVATE))
            return re.sub(r"(?m)^addresses .*", NOWHERE, text) if planned.path.name == BRIDGES else text
        mine = self.expected
        values = {name: getattr(mine, name) for name in ("plain_port", "tls_port", "tls_address", "websocket_port")}
        return listeners({"folder": self._place / PRIVATE, **values})

    def _write_private(self, planned: Planned, without: Collection[Directive]) -> None:
        """Write a file that only the broker may read, with the owner and the mode that it will have."""
        content = planned.content
        if planned.path.name == "acl" and content:
            rows = content.decode().splitlines()
            ours = len(rows) - len(self._trial.own_rules)
            left_out = {ours + line.number - 1 for line in without if line.file == self._trial.own_acl}
            content = "\n".join(row for number, row in enumerate([*rows, ""]) if number not in left_out).encode()
        copy = self._place / PRIVATE / planned.path.relative_to(self._trial.private)
        replace(planned, path=copy, content=content).write()

    @staticmethod
    def _write(file: Path, text: str) -> None:
        file.write_text(text)
        file.chmod(FILE_MODE)


def _folder(path: Path) -> None:
    path.mkdir()
    path.chmod(ENTERED_BY_ALL)


@contextmanager
def _place() -> Iterator[Path]:
    """Provide a temporary folder that Mosquitto's user may enter: in memory if root asks for it."""
    with tempfile.TemporaryDirectory(prefix="penates-", dir=None if os.geteuid() else MEMORY) as place:
        Path(place).chmod(ENTERED_BY_ALL)
        yield Path(place)


@contextmanager
def _started(command: Sequence[str]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run a broker; provide its process, and its last words if it does not start."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as broker:  # noqa: S603
        try:
            said = _said(broker, time.monotonic() + PATIENCE_S)
            yield broker, "" if RUNNING in said else "; ".join(said.splitlines()[-LAST_LINES:]) or "it says nothing"
        finally:
            broker.kill()


def _said(broker: subprocess.Popen[bytes], deadline: float) -> str:
    """Return what a broker says until it runs, or ends, or has no more time."""
    assert broker.stderr, "it is a pipe"  # noqa: S101
    said = b""
    while (
        RUNNING.encode() not in said and select.select([broker.stderr], [], [], max(0, deadline - time.monotonic()))[0]
    ):
        more = os.read(broker.stderr.fileno(), READ_BYTES)
        if not more:
            break
        said += more
    return said.decode(errors="replace")


def _free_port() -> int:
    """Return a port of this machine that nobody uses now."""
    with create_server((LOOPBACK, 0)) as server:
        return int(server.getsockname()[1])
