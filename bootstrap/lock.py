"""One process a sensor: a lock that ends with its process, however that ends."""

import fcntl
import os
from pathlib import Path

from bootstrap.errors import Exit, Fatal
from bootstrap.topics import Topics


def lock_folder() -> Path:
    """`$RUNTIME_DIRECTORY`, else `$XDG_RUNTIME_DIR/penates`, else the state directory."""
    if given := os.environ.get("RUNTIME_DIRECTORY"):
        return Path(given.split(":")[0])
    if user := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(user, "penates")
    return state_folder()


def state_folder() -> Path:
    """`$STATE_DIRECTORY`, else `$XDG_STATE_HOME/penates`, else `~/.local/state/penates`."""
    if given := os.environ.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    try:
        home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    except RuntimeError:
        raise Fatal(Exit.SETTINGS, "there is no home folder; set STATE_DIRECTORY to a writable one") from None
    return Path(home, "penates")


class Lock:
    """Held from its making until `close`; the kernel lets go of it if the process dies."""

    def __init__(self, topics: Topics) -> None:
        """Take it.

        Raises:
            Fatal: the sensor runs already (75), or there is nowhere to put the lock (78).
        """
        path = lock_folder() / f"{topics.group}.{topics.sensor}.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            hint = "set RUNTIME_DIRECTORY or STATE_DIRECTORY to a writable folder"
            raise Fatal(Exit.SETTINGS, f"cannot make the lock {path}: {error.strerror}; {hint}") from None
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(self.descriptor, 20).decode(errors="replace").strip()
            os.close(self.descriptor)
            raise Fatal(Exit.RUNNING, f"already running, as process {owner or 'unknown'} ({path})") from None
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Let go. The file stays: to remove it would race with the next one's lock."""
        os.close(self.descriptor)
