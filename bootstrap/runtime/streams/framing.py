"""Splitting what arrives into lines or frames, within a bounded memory."""

from collections.abc import Callable, Iterable

from bootstrap.streams import LONGEST, Frames


class Framing:
    """Splits bytes into lines of text, or by `frames` into frames of bytes; one that is too long is skipped."""

    def __init__(self, frames: Frames | None, skipped: Callable[[], None]) -> None:
        """Call `skipped` when the first line or frame is skipped."""
        self._frames, self._skipped = frames, skipped
        self._buffer = bytearray()
        self._skipping = self._said = False

    @property
    def begun(self) -> int:
        """How many bytes of an incomplete line or frame there are."""
        return len(self._buffer)

    def feed(self, chunk: bytes) -> Iterable[str | bytes]:
        """Take what has arrived, and return what is complete with it. The hook's exceptions propagate."""
        found = self._lines(chunk) if self._frames is None else self._framed(chunk, self._frames)
        if len(self._buffer) > LONGEST:
            self._buffer.clear()
            self._skipping = True
            if not self._said:
                self._said = True
                self._skipped()
        return found

    def _lines(self, chunk: bytes) -> list[str]:
        if b"\n" not in chunk:
            if not self._skipping:
                self._buffer += chunk
            return []
        first, *more = chunk.split(b"\n")
        lines = [] if self._skipping else [bytes(self._buffer) + first]
        self._skipping = False
        self._buffer[:] = more.pop()
        return [line.removesuffix(b"\r").decode(errors="replace") for line in (*lines, *more)]

    def _framed(self, chunk: bytes, frames: Frames) -> list[bytes]:
        self._buffer += chunk
        try:
            return [*frames(self._buffer)]
        except Exception:
            self._buffer.clear()
            raise
