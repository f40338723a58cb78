"""The file of a backup: a tar.gz whose first member, a manifest, has the size and checksum of every other."""

import gzip
import hashlib
import io
import json
import os
import re
import tarfile
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from bootstrap import __version__
from bootstrap.contract import timestamps
from bootstrap.device import host_name
from bootstrap.errors import Exit, Fatal

FORMAT = 1
MANIFEST = "manifest.json"
CONFIGURATION, HISTORY = "configuration", "history"  # the folders in a backup
LARGEST = 1_000_000  # bytes of a file of the configuration, and of the manifest
CHUNK = 1 << 20
CHECKSUM = re.compile(r"[0-9a-f]{64}", re.ASCII)
BROKEN = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, UnicodeError)


@dataclass(frozen=True)
class Part:
    """A file that goes into a backup: its name there, its content or the file that has it, and its mode."""

    name: str
    source: bytes | Path
    mode: int = 0o644

    @property
    def content(self) -> bytes:
        """The content of a small file."""
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()

    def open(self) -> io.BytesIO | io.BufferedReader:
        """Open the content for reading."""
        return io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source.open("rb")

    def listed(self) -> "Listed":
        """Return what the manifest says of it."""
        with self.open() as stream:
            checksum = hashlib.file_digest(stream, "sha256").hexdigest()
            return Listed(self.name, stream.seek(0, os.SEEK_END), checksum, self.mode)


@dataclass(frozen=True)
class Listed:
    """A file as the manifest lists it."""

    name: str
    size: int
    sha256: str
    mode: int

    @property
    def path(self) -> PurePosixPath:
        """Its path within its folder of the backup."""
        return PurePosixPath(*PurePosixPath(self.name).parts[1:])

    @property
    def recorder(self) -> str:
        """The recorder whose history it is; an empty text if the name says that it is none."""
        found = re.fullmatch(rf"{HISTORY}/([^/.][^/]*)\.sqlite", self.name)
        return found[1] if found else ""

    def problem(self) -> str | None:
        """Return why this cannot be a file of a backup, or None."""
        if not isinstance(self.name, str) or not self.name.isprintable():
            return "a name that is none"
        first, *others = self.name.split("/")
        inside = others and not {"", ".", ".."} & {*others}
        if not inside or first not in (CONFIGURATION, HISTORY) or (first == HISTORY and not self.recorder):
            return f"{self.name!r}, which is outside of the folders {CONFIGURATION} and {HISTORY}"
        if type(self.size) is not int or self.size < 0 or (first == CONFIGURATION and self.size > LARGEST):
            return f"{self.name!r} with a size that cannot be"
        if type(self.mode) is not int or not isinstance(self.sha256, str) or not CHECKSUM.fullmatch(self.sha256):
            return f"{self.name!r} with a mode or checksum that is none"
        return None


def write(file: Path, folder: Path, parts: Sequence[Part], left_out: Sequence[str]) -> None:
    """Write a backup that only its owner may read, by way of a private `folder` beside it: it is there whole or not.

    Raises:
        OSError: it cannot be written.
    """
    manifest = {
        "format": FORMAT,
        "penates": __version__,
        "time": timestamps.utc(time.time_ns() // 1000),
        "host": host_name(""),
        "files": [asdict(one.listed()) for one in parts],
        "left_out": [*left_out],
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False).encode()
    fresh = folder / "backup"
    with os.fdopen(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w+b") as stream:
        with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=6) as tar:
            for one in (Part(MANIFEST, text), *parts):
                _add(tar, one)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)


def _add(tar: tarfile.TarFile, part: Part) -> None:
    member = tarfile.TarInfo(part.name)
    member.mode, member.mtime = part.mode, int(time.time())
    with part.open() as stream:
        member.size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        tar.addfile(member, stream)


class Archive:
    """A backup that was read and checked as a whole. It reads an open file, so that nobody can exchange it."""

    def __init__(self, file: Path, stream: IO[bytes]) -> None:
        """Check the whole `stream` of a file, and keep the configuration that is in it.

        Raises:
            Fatal: it is no backup, damaged, or of a newer version.
            OSError: it cannot be read.
        """
        self._file, self._stream = file, stream
        self.configuration: dict[str, bytes] = {}  # by the path in the configuration folder
        self.modes: dict[str, int] = {}
        self.histories: dict[str, Listed] = {}  # by the name of the recorder's file
        with self._members() as members:
            for one, found in members:
                content = io.BytesIO() if one.name.startswith(f"{CONFIGURATION}/") else None
                self._copy(one, found, content)
                if content:
                    self.configuration[str(one.path)], self.modes[str(one.path)] = content.getvalue(), one.mode
                else:
                    self.histories[one.recorder] = one

    def extract(self, wanted: Listed, file: Path) -> None:
        """Write one file of the backup.

        Raises:
            Fatal: the backup has changed since it was checked.
            OSError: it cannot be read, or the file cannot be written.
        """
        with self._members() as members, file.open("xb") as target:
            for one, stream in members:
                if one == wanted:
                    self._copy(one, stream, target)
            target.flush()
            os.fsync(target.fileno())

    @contextmanager
    def _members(self) -> Iterator[Iterator[tuple[Listed, IO[bytes]]]]:
        """Provide the files, each with a stream of its content, and check that there are no others."""
        try:
            self._stream.seek(0)
            with gzip.open(self._stream) as raw, tarfile.open(fileobj=raw, mode="r|", errorlevel=2) as tar:
                yield self._listed(tar)
                while raw.read(CHUNK):  # the end has the checksum of it all
                    pass
        except BROKEN as error:
            raise self._refused(f"is damaged, or no backup: {error}") from None

    def _listed(self, tar: tarfile.TarFile) -> Iterator[tuple[Listed, IO[bytes]]]:
        listed = self._manifest(tar)
        missing = dict(listed)
        while member := tar.next():
            one = missing.pop(member.name, None)
            if one is None or not member.isreg() or member.issparse():
                raise self._refused(f"is refused: it contains {member.name!a}, which is not a file that it lists once")
            stream = tar.extractfile(member)
            if member.size != one.size or stream is None:
                raise self._refused(f"is damaged: {one.name!r} has not the size that it lists")
            yield one, stream
        if missing:
            raise self._refused(f"is damaged: {', '.join(map(repr, missing))} is missing")

    def _manifest(self, tar: tarfile.TarFile) -> dict[str, Listed]:
        first = tar.next()
        stream = tar.extractfile(first) if first and first.isreg() and first.name == MANIFEST else None
        if not first or not stream or first.size > LARGEST:
            raise self._refused(f"is no backup of penates: it does not begin with {MANIFEST}")
        try:
            found: Any = json.loads(stream.read())
            version = found["format"]
            listed = [Listed(**one) for one in found["files"]] if version == FORMAT else []
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise self._refused(f"is no backup of penates: {MANIFEST}: {error!r}") from None
        if version != FORMAT:
            text = (
                f"is a backup in format {version!a}, made by penates {found.get('penates')!a}; this one reads {FORMAT}"
            )
            raise self._refused(text)
        if problem := next((why for one in listed if (why := one.problem())), None):
            raise self._refused(f"is refused: it lists {problem}")
        names = {one.name for one in listed}
        if both := next((one for one in names if {*map(str, PurePosixPath(one).parents)} & names), None):
            raise self._refused(f"is refused: it lists {both!r} and a file that would have to be its folder")
        return {one.name: one for one in listed}

    def _copy(self, one: Listed, stream: IO[bytes], target: IO[bytes] | None) -> None:
        checksum = hashlib.sha256()
        while chunk := stream.read(CHUNK):
            checksum.update(chunk)
            if target is not None:
                target.write(chunk)
        if checksum.hexdigest() != one.sha256:
            raise self._refused(f"is damaged: {one.name!r} has another checksum than it lists")

    def _refused(self, why: str) -> Fatal:
        return Fatal(Exit.ABSENT, f"{self._file} {why}")
