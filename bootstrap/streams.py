"""Where the lines of a device come from (`Device.lines`): a child process, a serial port, or a TCP connection."""

import re
import termios
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

LONGEST = 65_536  # bytes of a line or frame; a longer one is skipped
BITS, PARITIES, STOPS = "78", "NEO", "12"  # what `Serial.mode` consists of

Frames: TypeAlias = Callable[[bytearray], Iterable[bytes]]  # takes complete frames from the front of what has arrived


@dataclass(frozen=True)
class ChildProcess:
    """A program that prints lines, started without a shell: its name or path, and its arguments.

    It has a process group of its own, and is killed with all that it has started when the sensor's process ends. Others
    on the machine can see arguments, so a secret goes through `StreamHandle.write` to its standard input.

    Attributes:
        command: the program and its arguments.
        last_words: a pattern of the lines on its standard error that say why it ends. The first one is the reason, and
            a child that then does not end by itself is ended. Without such a line, the last line is the reason.
        well_s: the time in seconds after which a child that was started again is well, even without a line.
    """

    command: Sequence[str]
    last_words: re.Pattern[str] | None = None
    well_s: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.command, str) or not self.command:
            raise TypeError(f"the command is a list, of a program and its arguments, not {self.command!r}")

    def __str__(self) -> str:
        return Path(self.command[0]).name


@dataclass(frozen=True)
class Serial:
    """A serial port in raw mode, which no other process can open meanwhile.

    Attributes:
        path: such as `/dev/ttyUSB0`, or better `/dev/serial/by-id/…`, which stays the same.
        baud: the speed in bits per second.
        mode: data bits, parity (N, E or O) and stop bits.
    """

    path: Path | str
    baud: int = 9600
    mode: str = "8N1"

    def __post_init__(self) -> None:
        if not hasattr(termios, f"B{self.baud}"):
            speeds = sorted(int(name[1:]) for name in vars(termios) if name[0] == "B" and name[1:].isdecimal())
            raise ValueError(f"{self.baud} is not a serial port's speed; those are {', '.join(map(str, speeds[1:]))}")
        bits, parity, stops = [*self.mode, *"   "][:3]
        if len(self.mode) != len("8N1") or bits not in BITS or parity not in PARITIES or stops not in STOPS:
            raise ValueError(f"{self.mode!r} is not a serial port's mode, such as 8N1 or 7E1")

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class Tcp:
    """A TCP connection to a host, by its name or address."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


Source: TypeAlias = ChildProcess | Serial | Tcp


class StreamHandle(Protocol):
    """A stream that a device has opened by `lines`."""

    @property
    def problem(self) -> str | None:
        """Why it is not open, or has not given a good line since it was not; None if all is well."""

    def reopen(self, source: Source) -> None:
        """End it, and then open this source in its place. A child has ended before the next one is started."""

    def write(self, data: bytes) -> None:
        """Send bytes without waiting.

        Raises:
            OSError: it is not open, or what was written before has not been taken.
        """

    def close(self) -> None:
        """Close it for good. A child is asked to end, and killed if it has not after a second."""
