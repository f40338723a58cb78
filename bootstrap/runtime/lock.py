"""One process of a name: a lock that ends with its process, however that ends."""

import fcntl
import os
from contextlib import ExitStack, suppress
from pathlib import Path

from bootstrap.config.model import SensorSettings
from bootstrap.errors import Exit, Fatal
from bootstrap.pins.simulated_lines import LINES_VARIABLE, lines_folder


class ProcessLock:
    """Held from its making until `close`; the kernel lets go of it if the process dies."""

    def __init__(self, folder: Path, name: str) -> None:
        """Take it.

        Raises:
            Fatal: somebody holds it (75), or there is nowhere to put it (78).
        """
        path = folder / f"{name}.lock"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            hint = "set RUNTIME_DIRECTORY or STATE_DIRECTORY to a writable folder"
            raise Fatal(Exit.SETTINGS, f"cannot make the lock {path}: {error.strerror}; {hint}") from None
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(self.descriptor, 20).decode(errors="replace").strip()
            os.close(self.descriptor)
            raise Fatal(Exit.RUNNING, f"already running, as process {owner or 'unknown'} ({path})") from None
        self.sign()

    def sign(self) -> None:
        """Name this process as the holder, if the disk has room for that."""
        with suppress(OSError):
            os.ftruncate(self.descriptor, 0)
            os.pwrite(self.descriptor, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Let go. The file stays: to remove it would race with the next one's lock."""
        os.close(self.descriptor)


def take_lock(settings: SensorSettings, stack: ExitStack) -> None:
    """Be the only one of this name; and let the simulated lines lie where the locks do."""
    runtime = settings.folders.runtime
    stack.callback(ProcessLock(runtime, settings.topics.file_name).close)
    os.environ[LINES_VARIABLE] = str(lines_folder(runtime))
