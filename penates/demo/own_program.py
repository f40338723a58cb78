"""Programs that the demo starts, and that never outlive it."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bootstrap.child_life import killed_with_us

PATIENCE_S = 20.0


class OwnProgram:
    """A program in a session of its own, so that Ctrl-C does not end it before its turn; if we are killed, so is it."""

    def __init__(self, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        """Start it; what it says is added to this file."""
        lifeline, self._life = os.pipe2(os.O_CLOEXEC)
        try:
            with log.open("ab") as said:
                self._process = subprocess.Popen(  # noqa: S603 - Mosquitto, or penates itself
                    command, env=env, stdout=said, stderr=said, pass_fds=[lifeline], start_new_session=True
                )
            killed_with_us(self._process.pid, lifeline)
        finally:
            os.close(lifeline)

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill it, without a chance to do anything."""
        self._process.kill()
        self._process.wait()
        os.close(self._life)

    def end(self) -> None:
        """End it: in order, else at once, else by force."""
        end(self._process)
        os.close(self._life)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process of ours: in order, else at once, else by force."""
    for signalled in (process.terminate, process.terminate, process.kill):
        signalled()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            continue
        return
