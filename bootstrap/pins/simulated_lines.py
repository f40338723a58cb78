"""Simulated lines: a folder that stands for the wires between a header and the outside world.

A line may have `17.level` (what the world drives: 0 or 1; without it the line floats), `17.held` (locked by the process
that holds the line; what it does with it) and `17.poke` (that process's socket, which is notified of each change).
If somebody has made `17.trace`, pulses that are sent on the line are noted there: the time of each edge in nanoseconds
on the monotonic clock, and the level. If somebody has made `17.history`, so is each level that its holder sets.
"""

import errno
import fcntl
import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from bootstrap.paths import Folders, near, open_own, read_own, rewrite

LINES_VARIABLE = "PENATES_LINES"
LINES = "lines"
PULLS = {"up": True, "down": False, "": None}
POKE = re.compile(rb"([01z]) (\d{1,19})")  # the level and when it was driven, in nanoseconds
WIDTH = 12  # of what a holder writes
TRIES = 20
PATIENCE_S = 5.0


def lines_folder(runtime: Path | None = None) -> Path:
    """Return `$PENATES_LINES`, else `lines` in `runtime`, by default the folder of the user's own locks."""
    return Path(os.environ.get(LINES_VARIABLE) or (runtime or Folders.usual().runtime) / LINES)


class SimulatedLine:
    """One line, as the world and its holder see it."""

    def __init__(self, number: int, folder: Path | None = None) -> None:
        folder = folder or lines_folder()
        folder.mkdir(parents=True, exist_ok=True)
        self.number = number
        self._level = folder / f"{number}.level"
        self._held = folder / f"{number}.held"
        self.poke = folder / f"{number}.poke"
        self.trace = folder / f"{number}.trace"
        self.history = folder / f"{number}.history"

    # The world's side.

    def drive(self, level: bool | None, at_ns: int | None = None) -> None:
        """Drive the line high or low, or release it (None), and notify its holder.

        That happens now, or happened at this time of the monotonic clock, in nanoseconds.
        """
        if level is None:
            self._level.unlink(missing_ok=True)
        else:
            rewrite(self._level, f"{level:d}")
        driven = "z" if level is None else f"{level:d}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE_S)
            try:
                with near(self.poke) as address:
                    client.sendto(f"{driven} {at_ns or time.monotonic_ns()}".encode(), address)
            except (FileNotFoundError, ConnectionRefusedError):
                return  # nobody holds it; the next holder will read the level
            except TimeoutError:
                raise TimeoutError(f"the process that holds GPIO{self.number} does not respond") from None

    def driven(self) -> bool | None:
        """Return the level that the world drives, or None."""
        try:
            return read_own(self._level) == b"1"
        except FileNotFoundError:
            return None

    def output(self) -> float | None:
        """Return what its holder drives, or None: 0, 1, or between for PWM."""
        state = self._holder_state()
        return None if state in PULLS else float(state)

    def level(self) -> float | None:
        """Return what a meter would show: what its holder or the world drives, else the holder's pull, else None."""
        state = self._holder_state()
        if state not in PULLS:
            return float(state)
        driven = self.driven()
        return PULLS[state] if driven is None else driven

    def _holder_state(self) -> str:
        """Return the holder's pull, or what it drives; empty without a holder, or with one that lets it float."""
        try:
            with os.fdopen(open_own(self._held, os.O_RDONLY)) as held:
                fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return ""
        except BlockingIOError:
            return read_own(self._held).decode(errors="replace").strip()
        return ""  # the holder is dead

    # The holder's side.

    def hold(self) -> int:
        """Take the line. Return the descriptor that holds it.

        Raises:
            OSError: another process has it (EBUSY).
        """
        descriptor = open_own(self._held, os.O_RDWR | os.O_CREAT, 0o644)
        for _ in range(TRIES):  # a reader holds the lock for a moment
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.005)
            else:
                return descriptor
        os.close(descriptor)
        raise OSError(errno.EBUSY, f"GPIO{self.number} is in use by another process ({self._held})")

    def listen(self) -> socket.socket:
        """Return a socket that is notified of each change, for its holder."""
        self.poke.unlink(missing_ok=True)  # its holder is here, so this socket is a dead one's
        found = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        with near(self.poke) as address:
            found.bind(address)
        return found

    @staticmethod
    def changes(listening: socket.socket) -> Iterator[tuple[bool | None, int]]:
        """Yield the changes that wait in a socket: the level, or None for one that floats, and the monotonic time."""
        while listening.fileno() >= 0:  # a change may make its holder close it
            try:
                found = POKE.fullmatch(listening.recv(100))
            except BlockingIOError:
                return
            if found and int(found[2]) <= time.monotonic_ns():  # anything else is not from a `SimulatedLine`
                yield None if found[1] == b"z" else found[1] == b"1", int(found[2])

    def note(self, level: float) -> None:
        """Note the level that the holder has set, if somebody wants to know that."""
        if self.history.exists():
            with self.history.open("a") as history:
                history.write(f"{time.monotonic_ns()} {level:.4g}\n")

    @staticmethod
    def write_state(descriptor: int, state: str) -> None:
        """Write what the holder does with the line, in one piece."""
        os.pwrite(descriptor, state.ljust(WIDTH).encode(), 0)
