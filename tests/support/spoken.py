"""A device that speaks on a serial port: it plays a recording again and again, or answers what it is asked."""

import os
import select
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

from bootstrap.serial_frames.port_or_host import PortOrHost
from support.plugged import Plugged

GAP_S = 0.02  # between two parts of a recording
PATIENCE_S = 60.0
T = TypeVar("T")


def patiently(read: Callable[[], T]) -> T:
    """Read until something has come in time: on a busy machine whoever speaks may be late."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return read()
        except OSError as error:
            if "nothing came" not in str(error) or time.monotonic() > deadline:
                raise


class Spoken(Plugged):
    """A pseudo-terminal with a thread at its far end, within a `with`; by its name it is the Pi's own port."""

    def __init__(self, folder: Path, name: str = "serial0") -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(folder, name)
        self.asked: list[bytes] = []
        self._ends = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.quiet()
        self.close()

    @property
    def place(self) -> PortOrHost:
        """The port as a setting."""
        return PortOrHost(str(self.path))

    def plays(self, *parts: bytes) -> Self:
        """Play these parts again and again; what nobody takes is lost, as on a wire."""

        def play() -> None:
            while not self._ends.is_set():
                for part in parts:
                    if select.select([], [self._far], [], 0)[1]:
                        os.write(self._far, part)
                    self._ends.wait(GAP_S)

        return self._start(play)

    def answers(self, answer: Callable[[bytes], bytes]) -> Self:
        """Answer each question, which is what arrives at once; what was asked before is lost, as on a wire."""
        termios.tcflush(self._far, termios.TCIFLUSH)

        def listen() -> None:
            while not self._ends.is_set():
                if select.select([self._far], [], [], GAP_S)[0]:
                    self.asked.append(os.read(self._far, 4096))
                    os.write(self._far, answer(self.asked[-1]))

        return self._start(listen)

    def passes_on_to(self, other: Plugged) -> Self:
        """Send to another port what is written to this one."""

        def pass_on() -> None:
            while not self._ends.is_set():
                if select.select([self._far], [], [], GAP_S)[0]:
                    other.send(os.read(self._far, 4096))

        return self._start(pass_on)

    def _start(self, run: Callable[[], None]) -> Self:
        self._ends.clear()
        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()
        return self

    def quiet(self) -> None:
        """Say no more."""
        self._ends.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def unplug(self) -> None:
        self.quiet()
        super().unplug()


class Cable:
    """Two ports that are joined: what is written to one comes out of the other."""

    def __init__(self, folder: Path) -> None:
        self.ends = [Spoken(folder / name) for name in ("a", "b")]

    def __enter__(self) -> list[Spoken]:
        for one, other in (self.ends, reversed(self.ends)):
            one.passes_on_to(other)
        return self.ends

    def __exit__(self, *_: object) -> None:
        for one in self.ends:
            one.quiet()
        for one in self.ends:
            one.close()
