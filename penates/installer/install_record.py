"""What `penates install` remembers of what it did, so that it does no more next time, and `uninstall` no less."""

import hashlib
import json
import sysconfig
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from penates.files.install_paths import RECORD
from penates.files.planned_file import SECRET, Planned

ONE_UNIT = "nursery"  # as the file has called it from the beginning


@dataclass
class InstallRecord:
    """Kept beside the programme.

    Attributes:
        one_unit: whether the supervisor's unit runs all sensors, instead of a unit for each.
        packages: Debian's that were not there before.
        services: others' that we enabled.
        files: that we made for people, outside our own folders.
        stamps: what each unit runs with, by its name.
        unfinished: a run has begun and not come to its end; whom it told of what it had written nobody knows.
    """

    one_unit: bool = False
    packages: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    stamps: dict[str, str] = field(default_factory=dict)
    unfinished: bool = False

    @property
    def undone(self) -> str:
        """Why to do again what cannot be seen to be done; nothing if all is."""
        return "left undone" if self.unfinished else ""

    @classmethod
    def read(cls) -> Self:
        """As it was left, or as at the beginning."""
        try:
            known = json.loads(RECORD.read_text())
            known["one_unit"] = known.get(ONE_UNIT, False)
            return cls(**{name: known[name] for name in known.keys() & cls.__dataclass_fields__.keys()})
        except (FileNotFoundError, NotADirectoryError):
            return cls()

    def begin(self) -> None:
        """Until `end`, whoever reads it knows that we did not come so far."""
        self.unfinished = True
        if RECORD.parent.exists():
            self.write()

    def end(self) -> None:
        """All is done."""
        self.unfinished = False
        self.write()

    def write(self) -> None:
        """Leave it for the next one."""
        facts = asdict(self)
        facts[ONE_UNIT] = facts.pop("one_unit")
        Planned(RECORD, json.dumps(facts, indent=2).encode(), SECRET).write()


def stamp(parts: Iterable[bytes]) -> str:
    """Of all that a unit runs with: another one, once anything of it changes."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()


def programme() -> list[bytes]:
    """Of the programme and of all that it uses, what pip wrote down: each file with its hash."""
    packages = Path(sysconfig.get_path("purelib"))
    return [file.read_bytes() for file in sorted(packages.glob("*.dist-info/RECORD"))]
