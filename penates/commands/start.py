"""Start sensors, each as a process of its own, and leave a supervisor behind that looks after them.

The supervisor starts one that died again, alone, sooner at first and then once a minute; it replaces one that hangs. It
logs to supervisor.log in the state folder. Where it runs already, it is asked to start what does not run.
"""

import argparse
import os
from contextlib import suppress
from functools import partial
from pathlib import Path

from daemon import DaemonContext

from bootstrap.errors import Exit, Fatal
from bootstrap.logs.rotating_stderr import RotatingStderr
from bootstrap.paths import Folders
from bootstrap.pins.simulated_lines import LINES_VARIABLE
from bootstrap.runtime.lock import ProcessLock
from bootstrap.supervisor.control_api import supervise
from bootstrap.supervisor.control_socket import NotRunning, Unavailable, ask
from bootstrap.supervisor.supervisor import LOCK
from penates.console.arguments import chosen, house
from penates.console.arguments import names_arguments as arguments
from penates.console.output import show
from penates.console.supervisor_request import PATIENCE_S, question

__all__ = ["arguments", "main"]

LOG = "supervisor.log"
READY = b"r"


def main(given: argparse.Namespace) -> int:
    """Ask the one that runs, or become one; and show what came of it."""
    configuration, own, where = house(given)
    wish = question("start", configuration.folder, given.names)
    try:
        return show(ask(where.runtime, wish, PATIENCE_S), as_json=given.json)
    except NotRunning:
        names = chosen(configuration, given.names)
    lock = ProcessLock(where.runtime, LOCK)
    _check_log(where.state / LOG)
    ear, voice = os.pipe()
    if os.fork() == 0:
        try:
            _cut_ties(where, lock, voice)
            log_file = RotatingStderr(where.state / LOG, own.supervisor.log_mb)
            supervise(configuration, own, names, log_file, ready=partial(_say_ready, voice))
        finally:
            os._exit(0)
    os.close(voice)
    lock.close()
    if os.read(ear, 1) != READY:
        raise Unavailable(f"the supervisor ended; see {where.state / LOG}")
    return show(ask(where.runtime, question("status", configuration.folder), PATIENCE_S), as_json=given.json)


def _check_log(file: Path) -> None:
    """Here, where somebody can still be told."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.open("ab").close()
    except OSError as error:
        raise Fatal(Exit.SETTINGS, f"cannot log to {file}: {error.strerror}") from None


def _cut_ties(where: Folders, lock: ProcessLock, voice: int) -> None:
    """Be a daemon of whoever started us. The lock survives that."""
    if lines := os.environ.get(LINES_VARIABLE):
        os.environ[LINES_VARIABLE] = str(Path(lines).absolute())
    DaemonContext(
        working_directory=str(where.runtime),
        umask=0o027,
        files_preserve=[lock.descriptor, voice],
        detach_process=True,
        signal_map={},
    ).open()
    lock.sign()


def _say_ready(voice: int) -> None:
    with suppress(OSError):  # whoever started us may not have waited
        os.write(voice, READY)
    os.close(voice)
