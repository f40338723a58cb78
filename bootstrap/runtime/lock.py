"""The lock that lets only one process run under a name. It ends with its process, however that ends."""

import errno
import fcntl
import os
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

from bootstrap.config.model import SensorSettings
from bootstrap.errors import Exit, Fatal
from bootstrap.paths import Folders, open_own
from bootstrap.pins.simulated_lines import LINES_VARIABLE, lines_folder
from bootstrap.runtime.releases import Releases


class ProcessLock:
    """A lock held from construction until `close`; the kernel releases it if the process dies."""

    def __init__(self, folders: Folders, name: str) -> None:
        """Acquire the lock in the runtime folder.

        Raises:
            Fatal: another process holds it (75), or its file cannot be created, or this user must not run here (78).
        """
        for folder in (folders.state, folders.runtime):
            refuse_root(folder)
        path = folders.runtime / f"{name}.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.descriptor = open_own(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise Fatal(Exit.SETTINGS, f"cannot create the lock {path}: {error.strerror}{_hint(error, path)}") from None
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            signed = os.read(self.descriptor, 20).strip()
            os.close(self.descriptor)
            owner = signed.decode() if signed.isdigit() else "unknown"
            raise Fatal(Exit.RUNNING, f"already running, as process {owner} ({path})") from None
        self.sign()

    def sign(self) -> None:
        """Write the id of this process into the file, if the disk has room."""
        with suppress(OSError):
            os.ftruncate(self.descriptor, 0)
            os.pwrite(self.descriptor, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Release the lock. The file stays, because removing it would race with the next process that locks it."""
        os.close(self.descriptor)


def refuse_root(folder: Path) -> None:
    """Refuse to run as root where another user may put links, which root would follow.

    Raises:
        Fatal: the folder, or the one in which it would be created, belongs to another user (78).
    """
    if os.geteuid():
        return
    import shlex  # noqa: PLC0415 - few sensors run as root

    place = next(path for path in (folder, *folder.parents) if path.exists())
    if owner := place.stat().st_uid:
        user = _user(owner)
        command = shlex.join(["sudo", "-u", user, "penates", *sys.argv[1:]])
        raise Fatal(Exit.SETTINGS, f"{place} belongs to {user}, not to root; run it as that user: {command}")


def _user(uid: int) -> str:
    """Return a user as sudo names it."""
    import pwd  # noqa: PLC0415 - needed only for an error

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def _hint(error: OSError, path: Path) -> str:
    """Return what helps against the error, if it is one of permissions."""
    if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ""
    with suppress(OSError):
        return f"; it belongs to {_user(path.stat().st_uid)}: remove it"
    return "; set RUNTIME_DIRECTORY or STATE_DIRECTORY to a writable folder"


def take_lock(settings: SensorSettings, stack: ExitStack | Releases) -> None:
    """Acquire the lock of this sensor, and keep the simulated lines in the folder of the locks."""
    runtime = settings.folders.runtime
    stack.callback(ProcessLock(settings.folders, settings.topics.file_name).close)
    os.environ[LINES_VARIABLE] = str(lines_folder(runtime))
