"""Start sensors, each as its own process, and a supervisor in the background that watches them.

The supervisor restarts a sensor that died or hangs, at first soon, later once a minute, and no other sensor with it. It
logs to supervisor.log in the state folder. If it is already running, it starts the sensors that are not.
"""

import argparse
import os
from contextlib import suppress
from functools import partial
from pathlib import Path

from daemon import DaemonContext

from bootstrap.errors import Exit, Fatal
from bootstrap.logs.rotating_stderr import RotatingStderr
from bootstrap.paths import Folders, open_own
from bootstrap.pins.simulated_lines import LINES_VARIABLE
from bootstrap.runtime.lock import ProcessLock
from bootstrap.supervisor.control_api import supervise
from bootstrap.supervisor.control_socket import NotRunning, Unavailable, ask
from bootstrap.supervisor.supervisor import LOCK
from penates.console.arguments import chosen, house
from penates.console.arguments import names_arguments as arguments
from penates.console.output import show
from penates.console.supervisor_request import PATIENCE_S, control_request

__all__ = ["arguments", "main"]

LOG = "supervisor.log"
READY = b"r"


def main(given: argparse.Namespace) -> int:
    """Ask the running supervisor, or start one; then print the state of the sensors."""
    configuration, own, where = house(given)
    message = control_request("start", configuration.folder, given.names)
    try:
        return show(ask(where.runtime, message, PATIENCE_S), as_json=given.json)
    except NotRunning:
        names = chosen(configuration, given.names)
    lock = ProcessLock(where, LOCK)
    _check_log(where.state / LOG)
    reader, writer = os.pipe()
    if os.fork() == 0:
        try:
            _daemonise(where, lock, writer)
            log_file = RotatingStderr(where.state / LOG, own.supervisor.log_mb)
            supervise(configuration, own, names, log_file, ready=partial(_report_ready, writer))
        finally:
            os._exit(0)
    os.close(writer)
    lock.close()
    if os.read(reader, 1) != READY:
        raise Unavailable(f"the supervisor ended; see {where.state / LOG}")
    return show(ask(where.runtime, control_request("status", configuration.folder), PATIENCE_S), as_json=given.json)


def _check_log(file: Path) -> None:
    """Check that the log can be written, while an error can still be printed."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(open_own(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT))
    except OSError as error:
        raise Fatal(Exit.SETTINGS, f"cannot log to {file}: {error.strerror}") from None


def _daemonise(where: Folders, lock: ProcessLock, writer: int) -> None:
    """Detach from the terminal and become a daemon. The lock is kept."""
    if lines := os.environ.get(LINES_VARIABLE):
        os.environ[LINES_VARIABLE] = str(Path(lines).absolute())
    DaemonContext(
        working_directory=str(where.runtime),
        umask=0o027,
        files_preserve=[lock.descriptor, writer],
        detach_process=True,
        signal_map={},
    ).open()
    lock.sign()


def _report_ready(writer: int) -> None:
    with suppress(OSError):  # the command that started us may be gone
        os.write(writer, READY)
    os.close(writer)
