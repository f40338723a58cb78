"""The lock that lets only one process run under a name. It ends with its process, however that ends."""

import fcntl
import os
from contextlib import ExitStack, suppress
from pathlib import Path

from bootstrap.config.model import SensorSettings
from bootstrap.errors import Exit, Fatal
from bootstrap.pins.simulated_lines import LINES_VARIABLE, lines_folder


class ProcessLock:
    """A lock held from construction until `close`; the kernel releases it if the process dies."""

    def __init__(self, folder: Path, name: str) -> None:
        """Acquire the lock.

        Raises:
            Fatal: another process holds it (75), or its file cannot be created (78).
        """
        path = folder / f"{name}.lock"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            hint = "set RUNTIME_DIRECTORY or STATE_DIRECTORY to a writable folder"
            raise Fatal(Exit.SETTINGS, f"cannot create the lock {path}: {error.strerror}; {hint}") from None
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(self.descriptor, 20).decode(errors="replace").strip()
            os.close(self.descriptor)
            raise Fatal(Exit.RUNNING, f"already running, as process {owner or 'unknown'} ({path})") from None
        self.sign()

    def sign(self) -> None:
        """Write the id of this process into the file, if the disk has room."""
        with suppress(OSError):
            os.ftruncate(self.descriptor, 0)
            os.pwrite(self.descriptor, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Release the lock. The file stays, because removing it would race with the next process that locks it."""
        os.close(self.descriptor)


def take_lock(settings: SensorSettings, stack: ExitStack) -> None:
    """Acquire the lock of this sensor, and keep the simulated lines in the folder of the locks."""
    runtime = settings.folders.runtime
    stack.callback(ProcessLock(runtime, settings.topics.file_name).close)
    os.environ[LINES_VARIABLE] = str(lines_folder(runtime))
