"""Readings on disk, of a real process."""

import contextlib
import os
from pathlib import Path

from support.world import Broker, Eyes, House, eventually


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spill"))


def written_to(pid: int) -> list[Path]:
    """The ordinary files it has open for writing, beside what it was given."""
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            flags = Path(f"/proc/{pid}/fdinfo/{entry.name}").read_text().split("flags:")[1].split()[0]
            if int(entry.name) > 2 and int(flags, 8) & os.O_ACCMODE and entry.is_file():
                found.append(entry.resolve())
    return found


def changes(folder: Path) -> dict[Path, tuple[int, int]]:
    return {file: (file.stat().st_mtime_ns, file.stat().st_size) for file in folder.rglob("*")}


def test_a_daemon_writes_no_file_while_its_broker_answers(cellar: House, eyes: Eyes, broker: Broker) -> None:
    cellar.write(broker.port, top="heartbeat_s = 0.2")
    cellar.thermometer(every_s=0.1)
    running = cellar.run()
    eyes.wait(lambda seen: len(seen) > 10, "it is well")
    state = cellar.folder / "state"
    lock, outbox = state / "cm.cellar.lock", state / "outbox"
    before = changes(state)
    assert written_to(running.pid) == [lock]
    assert before.keys() == {lock, outbox, outbox / "cm.cellar", outbox / "cm.cellar" / "run.json"}
    so_far = len(eyes.seen)
    eyes.wait(lambda seen: len(seen) > so_far + 60, "readings and heartbeats")
    assert changes(cellar.folder / "state") == before
    broker.stop()
    eventually(lambda: files(cellar.folder / "state" / "outbox" / "cm.cellar"), "an outage is written down")
    assert len(written_to(running.pid)) == 2
