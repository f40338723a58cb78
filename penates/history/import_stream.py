"""The files of an import: on disk or from a pipe, as they are or compressed with gzip."""

import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

STDIN = "-"
GZIP = b"\x1f\x8b"  # how such a file begins


class ImportStream(NamedTuple):
    """A file opened for reading.

    Attributes:
        text: its content, decompressed.
        raw: what is read from.
        size: how many bytes `raw` has; None for a pipe, which has no position either.
    """

    text: BinaryIO
    raw: BinaryIO
    size: int | None


@contextmanager
def opened(file: Path) -> Iterator[ImportStream]:
    """Open a file; `-` is the standard input.

    Raises:
        OSError: it cannot be read, or is not what gzip has written.
    """
    with os.fdopen(sys.stdin.fileno(), "rb", closefd=False) if str(file) == STDIN else file.open("rb") as raw:
        status = os.fstat(raw.fileno())
        packed = isinstance(raw, io.BufferedReader) and raw.peek(len(GZIP))[: len(GZIP)] == GZIP
        text = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if packed else raw
        try:
            yield ImportStream(text, raw, status.st_size if stat.S_ISREG(status.st_mode) else None)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise OSError(f"{file}: {error}") from None
