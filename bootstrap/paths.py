"""Where a house keeps what must outlive a restart, and what matters only while it runs."""

import errno
import os
import stat
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


def open_own(file: Path, flags: int, mode: int = 0o640) -> int:
    """Open a file of our own and return its descriptor, but never what somebody has put in its place.

    Raises:
        OSError: it cannot be opened, or is a link or no regular file; a pipe would block us.
    """
    try:
        descriptor = os.open(file, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, mode)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a symbolic link", str(file)) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", str(file))
    return descriptor


def read_own(file: Path) -> bytes:
    """Return the content of a file of our own.

    Raises:
        OSError: it cannot be read, or is a link or no regular file.
    """
    with os.fdopen(open_own(file, os.O_RDONLY), "rb") as stream:
        return stream.read()


def write_new(file: Path, content: str | bytes, *, durable: bool = False) -> None:
    """Write a file that does not exist yet, `durable` to the disk itself. If that fails, nothing is left of it.

    Raises:
        OSError: it exists, or cannot be written.
    """
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
            if durable:
                stream.flush()
                os.fsync(descriptor)
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def rewrite(file: Path, content: str | bytes, *, durable: bool = False) -> None:
    """Replace the content of a file, creating its folder if needed. After a crash it has the old content or the new.

    `durable` waits for the disk: when it returns, the new content survives a power cut.

    Raises:
        OSError: it cannot be written, and is unchanged.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.{os.getpid()}")
    new.unlink(missing_ok=True)  # of a process that died meanwhile, or a link that somebody has put there
    write_new(new, content, durable=durable)
    try:
        new.replace(file)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    if durable:
        sync(file.parent)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk itself.

    Raises:
        OSError: they cannot be written.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _given_by_systemd(variable: str) -> Path | None:
    given = os.environ.get(variable)
    return Path(given.split(":")[0]).absolute() if given else None


def _user_state() -> Path:
    try:
        home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    except RuntimeError:
        raise Fatal(Exit.SETTINGS, "there is no home folder; set STATE_DIRECTORY to a writable folder") from None
    return Path(home, "penates").absolute()
