"""Planned files: the content, owner and mode that each is to have, and whether that differs from what exists."""

import grp
import os
import pwd
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from penates.files.install_paths import LOOKERS

SECRET, SHARED, ENTERED = 0o600, 0o640, 0o750  # a file for its owner alone; one for its group too; a folder for both
FOLDER_MODE = 0o755
FILE_MODE = 0o644
ROOT = "root"
NOBODY = -1


@dataclass(frozen=True)
class Planned:
    """A file or folder as it should be.

    Attributes:
        content: of a file; None makes a folder.
        mode: its permissions.
        owner: a user's name.
        group: a group's name.
        personal: whether it is written with its owner's rights only, because the owner could have put a link there.
    """

    path: Path
    content: bytes | None = field(repr=False)
    mode: int = FILE_MODE
    owner: str = ROOT
    group: str = ROOT
    personal: bool = False

    @property
    def secret(self) -> bool:
        """Whether its content must not be shown."""
        return not self.mode & stat.S_IROTH

    @property
    def differs(self) -> str:
        """What must be done: `new`, `changed`, `mode or owner`, or nothing.

        Raises:
            OSError: the path cannot be examined.
        """
        try:
            status = self.path.stat()
            same = stat.S_ISDIR(status.st_mode) if self.content is None else self.path.read_bytes() == self.content
        except (FileNotFoundError, NotADirectoryError):
            return "new"
        if not same:
            return "changed"
        wanted = (self.mode, _number(_user, self.owner), _number(_group, self.group))
        return "" if (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == wanted else "mode or owner"

    def write(self) -> None:
        """Write the file or make the folder. A file is never seen half-written, nor a secret with too open a mode.

        Raises:
            OSError: it cannot be written.
            LookupError: there is no such user or group.
        """
        owner, group = _user(self.owner), _group(self.group)
        with acting_as(owner, group) if self.personal else nullcontext():
            self._write(owner, group)

    def _write(self, owner: int, group: int) -> None:
        if self.content is None:
            self.path.mkdir(self.mode, parents=True, exist_ok=True)
            os.chown(self.path, owner, group)
            self.path.chmod(self.mode)
        else:
            self._replace(self.content, owner, group)

    def _replace(self, content: bytes, owner: int, group: int) -> None:
        fresh = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                os.fchown(descriptor, owner, group)
                os.fchmod(descriptor, self.mode)
                stream.flush()
                os.fsync(descriptor)
            fresh.replace(self.path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise


@contextmanager
def acting_as(user: int, group: int) -> Iterator[None]:
    """Act with the rights of another user and group for as long as the context lasts; only root can."""
    before = os.geteuid(), os.getegid()
    os.setegid(group)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(before[0])
        os.setegid(before[1])


def as_it_is(file: Path, content: bytes) -> Planned:
    """Return an existing file with another content, but its owner and mode; of a link, the file that it leads to.

    Raises:
        OSError: it cannot be read.
    """
    real = file.resolve()
    status = real.stat()
    owner, group = pwd.getpwuid(status.st_uid).pw_name, grp.getgrgid(status.st_gid).gr_name
    return Planned(real, content, stat.S_IMODE(status.st_mode), owner, group)


def secret(file: Path, content: bytes, *, shared: bool) -> Planned:
    """Return the file of a password for the broker: readable by those who may look if `shared`, else by root."""
    return Planned(file, content, SHARED, group=LOOKERS) if shared else Planned(file, content, SECRET)


def _user(name: str) -> int:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise LookupError(f"there is no user {name}") from None


def _group(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise LookupError(f"there is no group {name}") from None


def _number(find: Callable[[str], int], name: str) -> int:
    """Return the number of a user or group; NOBODY, which owns nothing, if it does not exist."""
    try:
        return find(name)
    except LookupError:
        return NOBODY
