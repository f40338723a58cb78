"""The record of what `penates install` did: the next run does not repeat it, and `uninstall` undoes all of it."""

import hashlib
import json
import sysconfig
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from penates.files.install_paths import RECORD
from penates.files.planned_file import SECRET, Planned
from penates.upgrade.release_notes import this_version

ONE_UNIT = "nursery"  # the key in the file, unchanged since version 0.1


@dataclass
class InstallRecord:
    """What was installed, kept in a file beside the programme.

    Attributes:
        one_unit: whether the supervisor's unit runs all sensors, instead of one unit for each.
        watchdog: whether the hardware is to restart the machine when it hangs.
        packages: the Debian packages that were not installed before.
        services: the services of other packages that we enabled.
        files: the files that we made for people, outside our own folders.
        shared_files: the files of a Mosquitto of others that have a part of ours.
        stamps: for each unit, a hash over everything it runs with.
        reloads: for each gateway's unit, a hash over the sensors that it carries.
        version: the version of the programme that has set up this machine; empty for those before 0.3.
        unfinished: whether a run began and did not end, so that services may not have reloaded what it wrote.
        restart_owed: whether our settings were to go from Mosquitto's, and it has not been restarted since.
    """

    one_unit: bool = False
    watchdog: bool = False
    packages: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    shared_files: list[str] = field(default_factory=list)
    stamps: dict[str, str] = field(default_factory=dict)
    reloads: dict[str, str] = field(default_factory=dict)
    version: str = ""
    unfinished: bool = False
    restart_owed: bool = False

    @property
    def undone(self) -> str:
        """Why to repeat steps that leave no trace when done; empty if the last run ended."""
        return "left undone" if self.unfinished else ""

    @classmethod
    def read(cls) -> Self:
        """Return the record as it was last written, or an empty one."""
        try:
            known = json.loads(RECORD.read_text())
            known["one_unit"] = known.get(ONE_UNIT, False)
            return cls(**{name: known[name] for name in known.keys() & cls.__dataclass_fields__.keys()})
        except (FileNotFoundError, NotADirectoryError):
            return cls()

    def begin(self) -> None:
        """Record that a run has begun, and is unfinished until `end`."""
        self.unfinished = True
        if RECORD.parent.exists():
            self.write()

    def end(self) -> None:
        """Record that the run is finished."""
        self.unfinished, self.version = False, this_version()
        self.write()

    def write(self) -> None:
        """Write the record to its file."""
        facts = asdict(self)
        facts[ONE_UNIT] = facts.pop("one_unit")
        Planned(RECORD, json.dumps(facts, indent=2).encode(), SECRET).write()


def stamp(parts: Iterable[bytes]) -> str:
    """Return a hash over everything a unit runs with; it changes when any part changes."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()


def programme() -> list[bytes]:
    """Return pip's records of the programme and its dependencies, which list each file with its hash."""
    packages = Path(sysconfig.get_path("purelib"))
    return [file.read_bytes() for file in sorted(packages.glob("*.dist-info/RECORD"))]
