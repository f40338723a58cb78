"""What `penates watch` says, line by line."""

import signal
import subprocess
import sys
import threading
from typing import Any

from support.world import eventually, pipe

PENATES = [sys.executable, "-m", "penates"]


class Lines:
    """`penates watch` into a pipe: what it says, as it says it."""

    def __init__(self, env: dict[str, str], *words: str, before: tuple[str, ...] = ()) -> None:
        self.process = subprocess.Popen(
            [*before, *PENATES, "watch", *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.out)),
            threading.Thread(target=self._read, args=(self.process.stderr, self.err)),
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream: Any, into: list[str]) -> None:
        into.extend(iter(lambda: stream.readline().rstrip("\n"), ""))

    def wait(self, line: str, among: list[str] | None = None, count: int = 1) -> None:
        lines = self.out if among is None else among
        eventually(lambda: lines.count(line) >= count, f"{line!r}; there is {lines}")

    def end(self, number: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(120)
        for reader in self._readers:
            reader.join()
        pipe(self.process.stdout).close()
        pipe(self.process.stderr).close()
        return code
