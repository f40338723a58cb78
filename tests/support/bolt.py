"""A bolt of a simulated door, which follows the lines of its lock, whoever holds them or has held them last."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from support.world import Wires

STRIKE, THROWS, BOLT, DOOR = 17, 23, 22, 27
LOOK_S = 0.005


class Bolt:
    """A strike or a motor; what it has seen of its lines is kept.

    Attributes:
        seen: each pair of levels of the two lines that there was, in order.
        works: whether it moves at all.
    """

    def __init__(self, wires: Wires, *, motor: bool, fail_safe: bool) -> None:
        self._wires, self._motor, self._fail_safe = wires, motor, fail_safe
        self._stop, self._thread = threading.Event(), threading.Thread(target=self._follow)
        self.seen: list[tuple[str, str]] = []
        self.works = True

    def _level(self, line: int) -> str:
        try:
            return self._wires.held(line) or "0"
        except OSError:
            return "0"

    def _follow(self) -> None:
        while not self._stop.wait(LOOK_S):
            levels = self._level(STRIKE), self._level(THROWS)
            if not self.seen or self.seen[-1] != levels:
                self.seen.append(levels)
            if self.works:
                self._move(*levels)

    def _move(self, strike: str, throws: str) -> None:
        if not self._motor:
            self.throw(thrown=(strike == "1") == self._fail_safe)
        elif strike != throws:
            self.throw(thrown=throws == "1")

    def throw(self, *, thrown: bool) -> None:
        """Have its contact show this."""
        if self._wires.line(BOLT).level() != (not thrown):
            self._wires.line(BOLT).drive(not thrown)

    @property
    def thrown(self) -> bool:
        """Whether it is thrown, as its contact shows."""
        return not self._wires.line(BOLT).level()

    @contextmanager
    def following(self) -> Iterator["Bolt"]:
        """Follow the lines until the end of the block."""
        self._wires.line(DOOR).drive(False)
        self.throw(thrown=True)
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join()
