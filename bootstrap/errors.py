"""How things end: the exit codes and the few exceptions that mean something to the loop."""

import sys
from enum import IntEnum

NOT_DONE = 1  # by a command: refused, not well, or nobody there to ask


class Exit(IntEnum):
    """What the process says to whoever started it. 78 alone is never worth a new try without a change."""

    STOPPED = 0  # in order
    ABSENT = 1  # the device was not there at setup; the supervisor tries again
    BUG = 70
    RUNNING = 75  # somebody else is this sensor already
    REFUSED = 77  # by the broker, before it had ever accepted us
    SETTINGS = 78


def to_install(*packages: str) -> str:
    """The command that installs packages where this penates is."""
    return f"{sys.executable} -m pip install {' '.join(packages)}"


class Fatal(Exception):  # noqa: N818 - it ends the daemon, whoever's error it is
    """The daemon cannot go on; it ends with this exit code and this reason."""

    def __init__(self, code: Exit, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Absent(OSError):  # noqa: N818 - named like its exit code
    """A device that was there is not, at a reload: as at a start, the daemon ends, and is started again."""


class NoReading(Exception):  # noqa: N818 - it is no error
    """Raised by `read()` when the device has nothing to say now. It is not an error."""


class Refused(ValueError):  # noqa: N818 - the daemon is well, the command was not
    """A command or payload that is not acted on; its text is the reason given on the wire."""
