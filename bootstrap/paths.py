"""Where a house keeps what must outlive a restart, and what matters only while it runs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bootstrap.errors import Exit, Fatal


@dataclass(frozen=True)
class Folders:
    """Two folders, which may be the same.

    Attributes:
        state: what must outlive a restart: logs, readings not yet delivered.
        runtime: locks, sockets and simulated lines.
    """

    state: Path
    runtime: Path

    @classmethod
    def usual(cls, given: Path | None = None) -> Self:
        """Return those that `house.toml` names, else systemd's, else the user's for state (XDG base directories).

        Not $XDG_RUNTIME_DIR: it is removed at the user's last logout, and without its lock a second process starts.

        Raises:
            Fatal: the user has no home folder.
        """
        if given:
            return cls(given.absolute(), given.absolute())
        state = _given_by_systemd("STATE_DIRECTORY") or _user_state()
        return cls(state, _given_by_systemd("RUNTIME_DIRECTORY") or state)


@contextmanager
def near(file: Path) -> Iterator[str]:
    """Yield a short name of a socket's file, however deep its folder is: an address has 108 bytes (unix(7)).

    Raises:
        FileNotFoundError: the folder does not exist.
    """
    folder = os.open(file.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{file.name}"
    finally:
        os.close(folder)


def rewrite(file: Path, text: str) -> None:
    """Replace the content of a file, creating its folder if needed. After a crash it has the old text or the new.

    Raises:
        OSError: it cannot be written, and is unchanged.
    """
    new = file.with_suffix(".new")
    new.parent.mkdir(parents=True, exist_ok=True)
    new.write_text(text, encoding="utf-8")
    new.replace(file)


def _given_by_systemd(variable: str) -> Path | None:
    given = os.environ.get(variable)
    return Path(given.split(":")[0]).absolute() if given else None


def _user_state() -> Path:
    try:
        home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    except RuntimeError:
        raise Fatal(Exit.SETTINGS, "there is no home folder; set STATE_DIRECTORY to a writable folder") from None
    return Path(home, "penates").absolute()
