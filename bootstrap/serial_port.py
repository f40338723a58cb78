"""Opening a serial port, by termios alone."""

import errno
import fcntl
import os
import termios
from struct import unpack

from bootstrap.streams import Serial

DRAIN_S = 0.5  # longest time that closing may wait for what was written
BITS = {"7": termios.CS7, "8": termios.CS8}
PARITY = {"N": 0, "E": termios.PARENB, "O": termios.PARENB | termios.PARODD}
STOPS = {"1": 0, "2": termios.CSTOPB}


def open_port(source: Serial, *, alone: bool = True) -> int:
    """Return a descriptor of the port, in raw mode and for us alone. What arrived before is dropped.

    Without `alone`, others can open it, too: they wait for each other by a lock on it.

    Raises:
        OSError: it is not there, not a serial port, or another process has it.
    """
    # O_NONBLOCK, because opening may otherwise wait for a modem's line
    port = os.open(source.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if alone:
            fcntl.ioctl(port, termios.TIOCEXCL)
        _make_raw(port, source)
        termios.tcflush(port, termios.TCIFLUSH)
    except (OSError, termios.error) as error:
        os.close(port)
        raise OSError(*error.args[:1], f"cannot be set up as a serial port: {error.args[-1]}") from None
    return port


def _make_raw(port: int, source: Serial) -> None:
    """Pass all bytes through unchanged, with neither echo nor flow control; one of a wrong parity becomes a zero."""
    bits, parity, stops = [*source.mode]
    control = BITS[bits] | PARITY[parity] | STOPS[stops] | termios.CREAD | termios.CLOCAL
    checked = termios.INPCK if parity != "N" else 0
    speed = getattr(termios, f"B{source.baud}")
    characters = termios.tcgetattr(port)[6]
    characters[termios.VMIN], characters[termios.VTIME] = 1, 0
    try:
        termios.tcsetattr(port, termios.TCSANOW, [checked, 0, control, 0, speed, speed, characters])
    except termios.error as error:
        # A pseudo-terminal has neither 7 bits nor parity, of which glibc complains if nothing else has to be changed.
        if error.args[0] != errno.EINVAL or termios.tcgetattr(port)[4] != speed:
            raise


def before_close(port: int, baud: int) -> None:
    """Let others have the port, and drop what was written if sending it would take long: closing waits for that."""
    try:
        fcntl.ioctl(port, termios.TIOCNXCL)
        (waiting,) = unpack("i", fcntl.ioctl(port, termios.TIOCOUTQ, bytes(4)))
        if waiting * 10 > baud * DRAIN_S:
            termios.tcflush(port, termios.TCOFLUSH)
    except (OSError, termios.error):  # it is gone
        return
