"""What a test has opened and not closed: descriptors, threads and processes."""

import gc
import threading
import time
from contextlib import suppress
from pathlib import Path

from support import warm

OPEN = Path("/proc/self/fd")
SETTLE_S = 5.0  # for threads and processes that are about to end


def descriptors() -> dict[int, str]:
    """What this process has open, by number."""
    found = {}
    for entry in OPEN.iterdir():
        with suppress(FileNotFoundError):  # the one by which we look
            found[int(entry.name)] = str(entry.readlink())
    return found


def children() -> set[int]:
    """The processes that this one has started and not waited for."""
    found: set[int] = set()
    for file in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # its thread has just ended
            found.update(map(int, file.read_text().split()))
    return found


class Leaks:
    """What there was before a test, and what is left beside that after it."""

    def __init__(self) -> None:
        self._descriptors = descriptors()
        self._threads = {*threading.enumerate()}
        self._children = children()

    def found(self) -> list[str]:
        """Return what is left. Garbage is collected first, so that what it warns of is this test's."""
        deadline = time.monotonic() + SETTLE_S
        while left := self._left():
            if time.monotonic() > deadline:
                return left
            gc.collect()
            time.sleep(0.01)
        return []

    def _left(self) -> list[str]:
        opened = {number: what for number, what in descriptors().items() if self._descriptors.get(number) != what}
        threads = {*threading.enumerate()} - self._threads
        for kept in warm.kept():
            opened.pop(kept.descriptor, None)
        return [
            *(f"descriptor {number}: {what}" for number, what in opened.items()),
            *(f"thread {thread.name}" for thread in threads),
            *(f"process {pid}" for pid in children() - self._children - {kept.pid for kept in warm.kept()}),
        ]
