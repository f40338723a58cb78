"""A Z-Wave network: the real driver on a simulated stick with two devices, and what it tells a broker."""

import shutil
import subprocess
from pathlib import Path

from support.paths import SUPPORT
from support.world import pipe

FOLDER = SUPPORT / "zwave"
PROGRAM = FOLDER / "network.mjs"


def installed() -> str:
    """Node, with the driver installed beside the program."""
    node, npm = shutil.which("node"), shutil.which("npm")
    assert node is not None, "Node is not installed; the driver needs 20 or later"
    assert npm is not None, "npm is not installed, by which the driver is; scripts/test --soak does it"
    if not (FOLDER / "node_modules").exists():
        command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent"]
        subprocess.run(command, cwd=FOLDER, check=True, timeout=300)
    return node


class ZwaveNetwork:
    """One that runs; what happens on it is told by lines (see network.mjs)."""

    def __init__(self, port: int, memory: Path, gateway: str = "named") -> None:
        """Be ready to be told; `memory` is what the driver remembers, `gateway` the form of the topics."""
        command = [installed(), str(PROGRAM), str(port), str(memory), gateway]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._heard() == "ready"

    def _heard(self) -> str:
        line: str = pipe(self.process.stdout).readline()
        return line.strip()

    def do(self, line: str) -> None:
        """Have something happen, and all be published that comes of it."""
        pipe(self.process.stdin).write(f"{line}\n")
        pipe(self.process.stdin).flush()
        assert (said := self._heard()) == "done", f"{line}: {said}"

    def close(self) -> None:
        """End it."""
        pipe(self.process.stdin).close()
        self.process.wait(60)
        pipe(self.process.stdout).close()
