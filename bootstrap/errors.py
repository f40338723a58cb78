"""The exit codes, and the few exceptions that mean something to the loop."""

import sys
from enum import IntEnum

SHOWN = 200  # longest part of an exception's text that is published, in characters
NOT_DONE = 1  # of a command: refused, a problem was found, or nobody answered


class Exit(IntEnum):
    """The exit code of a process. Only 78 is never worth a retry without a change."""

    STOPPED = 0  # in order
    ABSENT = 1  # the device was not there at setup; the supervisor tries again
    BUG = 70
    RUNNING = 75  # another process already runs this sensor
    REFUSED = 77  # a command other than `run`, by the broker
    SETTINGS = 78


def to_install(*packages: str) -> str:
    """Return the command that installs packages where this penates is installed."""
    return f"{sys.executable} -m pip install {' '.join(packages)}"


def reason(error: Exception) -> str:
    """Return the text of an exception as it can be published: short, and valid UTF-8."""
    return str(error)[:SHOWN].encode(errors="replace").decode() or type(error).__name__


class Fatal(Exception):  # noqa: N818 - it ends the daemon, whatever caused it
    """The daemon cannot continue; it exits with this code and this reason."""

    def __init__(self, code: Exit, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Absent(OSError):  # noqa: N818 - named like its exit code
    """A device has gone missing at a reload: as at a start, the daemon exits and is started again."""


class NoReading(Exception):  # noqa: N818 - it is not an error
    """Raised by `read()` when the device has nothing to report now. It is not an error."""


class Refused(ValueError):  # noqa: N818 - the daemon is well, the command was not
    """A command or payload that is not acted on; its text is the reason that is published."""
