"""Asking the addresses of an I2C bus who is there, with the least that a chip can be asked.

As i2cdetect does: an empty write, which carries nothing but the address, except where chips are known that take even
that for a command: there a byte is read, as everywhere on a bus that cannot write nothing (a Pi 5). Whatever a driver
of the kernel has is not asked.
"""

import ctypes
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

SLAVE, FUNCS, SMBUS = 0x0703, 0x0705, 0x0720  # ioctls of linux/i2c-dev.h
CAN_QUICK, CAN_READ_BYTE = 0x0001_0000, 0x0002_0000  # functions of an adapter, of linux/i2c.h
READ, WRITE = 1, 0
QUICK, BYTE = 0, 1
ADDRESSES = range(0x08, 0x78)  # the others are reserved
READ_THERE = (*range(0x30, 0x38), *range(0x50, 0x60))  # EEPROMs, some of which an empty write disturbs
NOBODY = (errno.ENXIO, errno.EREMOTEIO, errno.EIO, errno.ENODEV, errno.EAGAIN)
MOST_TIMEOUTS = 3  # in a row, after which nobody else is asked: each may take a second


class _Transfer(ctypes.Structure):
    """A `struct i2c_smbus_ioctl_data` of linux/i2c-dev.h."""

    _fields_ = (
        ("read_write", ctypes.c_uint8),
        ("command", ctypes.c_uint8),
        ("size", ctypes.c_uint32),
        ("data", ctypes.c_void_p),
    )


def answering(node: Path) -> Iterator[int]:
    """Yield each address on a bus such as `/dev/i2c-1` at which a chip answers that no driver has.

    Raises:
        TimeoutError: the bus itself does not work.
        OSError: it cannot be opened, or cannot ask.
    """
    descriptor = os.open(node, os.O_RDWR | os.O_CLOEXEC)
    try:
        functions = ctypes.c_ulong()
        fcntl.ioctl(descriptor, FUNCS, functions)
        timeouts = 0
        for address in ADDRESSES:
            size = BYTE if address in READ_THERE or not functions.value & CAN_QUICK else QUICK
            if size == BYTE and not functions.value & CAN_READ_BYTE:
                continue
            try:
                answered, timeouts = _answers(descriptor, address, size), 0
            except TimeoutError:
                answered, timeouts = False, timeouts + 1
                if timeouts == MOST_TIMEOUTS:
                    raise
            yield from [address] if answered else []
    finally:
        os.close(descriptor)


def _answers(descriptor: int, address: int, size: int) -> bool:
    """Return whether somebody acknowledges an empty write, or the read of a byte. OSError: the bus does not work."""
    byte = ctypes.create_string_buffer(34)  # a `union i2c_smbus_data`
    asked = _Transfer(READ if size == BYTE else WRITE, 0, size, ctypes.addressof(byte))
    try:
        fcntl.ioctl(descriptor, SLAVE, address)  # refused for what a driver has
        fcntl.ioctl(descriptor, SMBUS, asked)
    except OSError as error:
        if error.errno in (*NOBODY, errno.EBUSY):
            return False
        raise
    return True
