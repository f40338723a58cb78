"""Writing to a chip on an I2C bus, through the kernel; or to a simulated bus, whose chips are files.

A simulated bus is a folder beside the simulated lines. A chip on it is a file, such as `i2c-1/0x27`, to which each
transfer is appended: its length in two bytes, then its bytes. Without the file nobody answers at that address.
"""

import ctypes
import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol, Self

from bootstrap.pins.simulated_lines import lines_folder

RDWR = 0x0707  # the ioctl I2C_RDWR of linux/i2c-dev.h
LONGEST = 60  # bytes of a message: some adapters take no more
LENGTH = 2  # bytes before a recorded transfer


class _Message(ctypes.Structure):
    """A `struct i2c_msg` of linux/i2c.h."""

    _fields_ = (
        ("address", ctypes.c_uint16),
        ("flags", ctypes.c_uint16),
        ("length", ctypes.c_uint16),
        ("data", ctypes.c_char_p),
    )


class _Transfer(ctypes.Structure):
    """A `struct i2c_rdwr_ioctl_data` of linux/i2c-dev.h."""

    _fields_ = (("messages", ctypes.POINTER(_Message)), ("count", ctypes.c_uint32))


class I2CPort(Protocol):
    """A bus, open within a `with`."""

    def __enter__(self) -> Self:
        """Open it."""

    def __exit__(self, *_: object) -> None:
        """Close it."""

    def write(self, address: int, *messages: bytes) -> None:
        """Write each message to the chip at this address, one after the other and with nobody's between.

        None is longer than `LONGEST`, and there are at most 42.

        Raises:
            OSError: the chip does not answer.
        """


def in_messages(data: bytes, before: bytes = b"") -> list[bytes]:
    """Return data in messages that are not too long, each with something before it."""
    size = LONGEST - len(before)
    return [before + data[at : at + size] for at in range(0, len(data), size)]


def bus_port(number: int) -> I2CPort:
    """Return the I2C bus of this number; the simulated one where the lines are simulated.

    Opening it raises OSError if it is not there.
    """
    from bootstrap.pins.device_pins import FACTORY  # noqa: PLC0415 - a picture needs no bus, and a bus no event loop

    if os.environ.get(FACTORY) == "simulated":
        return SimulatedBus(number)
    return KernelBus(Path(f"/dev/i2c-{number}"))


class KernelBus:
    """A bus of the kernel's."""

    def __init__(self, node: Path) -> None:
        self._node, self._descriptor = node, -1

    def __enter__(self) -> Self:
        self._descriptor = os.open(self._node, os.O_RDWR | os.O_CLOEXEC)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def write(self, address: int, *messages: bytes) -> None:
        """Implement `I2CPort.write`."""
        array = (_Message * len(messages))(*(_Message(address, 0, len(one), one) for one in messages))
        try:
            fcntl.ioctl(self._descriptor, RDWR, _Transfer(array, len(messages)))
        except OSError as error:
            raise OSError(error.errno, f"{address:#04x} on {self._node.name}: {error.strerror}") from None


class SimulatedBus:
    """A folder of chips. `folder` is that of the simulated lines."""

    def __init__(self, number: int, folder: Path | None = None) -> None:
        self._folder = (folder or lines_folder()) / f"i2c-{number}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def write(self, address: int, *messages: bytes) -> None:
        """Implement `I2CPort.write`."""
        try:
            with self._chip(address).open("r+b", buffering=0) as chip:
                chip.seek(0, os.SEEK_END)
                chip.write(b"".join(len(one).to_bytes(LENGTH) + one for one in messages))
        except FileNotFoundError:
            raise OSError(errno.EREMOTEIO, f"{address:#04x} on {self._folder.name}: {NOBODY}") from None

    # The world's side.

    def plug(self, address: int, *, plugged: bool = True) -> None:
        """Plug a chip in, which has just got its power, or unplug it."""
        chip = self._chip(address)
        chip.parent.mkdir(parents=True, exist_ok=True)
        chip.unlink(missing_ok=True)
        if plugged:
            chip.touch()

    def transfers(self, address: int) -> Sequence[bytes]:
        """Return what has been written to a chip since it was plugged in."""
        return [*_messages(self._chip(address).read_bytes())]

    def _chip(self, address: int) -> Path:
        return self._folder / f"{address:#04x}"


NOBODY = "Remote I/O error"  # as the kernel says


def _messages(recorded: bytes) -> Iterator[bytes]:
    while recorded:
        end = LENGTH + int.from_bytes(recorded[:LENGTH])
        yield recorded[LENGTH:end]
        recorded = recorded[end:]
