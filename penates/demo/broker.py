"""The demo's own broker, which can be killed."""

import os
import shutil
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from bootstrap.errors import Exit, Fatal
from penates.demo.own_program import OwnProgram

HERE = "127.0.0.1"
START_S = 10.0
PLACES = ("/usr/local/sbin", "/usr/sbin", "/sbin")  # where a server is, and few users look
MISSING = """\
Mosquitto is missing; the demo starts one of its own, as you, on a free port of this machine.
  Debian, Raspberry Pi OS, Ubuntu: sudo apt-get install mosquitto
  Fedora: sudo dnf install mosquitto    Arch: sudo pacman -S mosquitto    Alpine: sudo apk add mosquitto
The service that comes with it is not needed: sudo systemctl disable --now mosquitto"""


def mosquitto() -> str:
    """Return the path of the program.

    Raises:
        Fatal: it is not installed.
    """
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *PLACES])
    if found := shutil.which("mosquitto", path=path):
        return found
    raise Fatal(Exit.ABSENT, MISSING)


class DemoBroker:
    """A Mosquitto on a port that stays ours while it is dead. It keeps nothing on disk."""

    def __init__(self, folder: Path, lines: Sequence[str] = ()) -> None:
        """Find a free port, and start a broker there that has these settings, too."""
        self._program, self._log = mosquitto(), folder / "mosquitto.log"
        self._file = folder / "mosquitto.conf"
        # As long as this socket does not listen, the broker may, and no other program is given the port.
        self._port_holder = socket.socket()
        self._port_holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._port_holder.bind((HERE, 0))
        self.port: int = self._port_holder.getsockname()[1]
        usual = [f"listener {self.port} {HERE}", "allow_anonymous true", "set_tcp_nodelay true"]
        # Started by root it would become another user, who may not read its files here.
        usual += ["user root"] if os.getuid() == 0 else []
        self._file.write_text("\n".join([*usual, *lines, ""]), encoding="utf-8")
        self._process: OwnProgram | None = None
        self.start()

    def start(self) -> None:
        """Start it, unless it runs.

        Raises:
            Fatal: it does not start.
        """
        if self._process is not None:
            return
        self._process = OwnProgram([self._program, "-c", str(self._file)], self._log)
        if not self._answers(self._process):
            self.close()
            said = self._log.read_text(encoding="utf-8", errors="replace")
            raise Fatal(Exit.ABSENT, f"Mosquitto does not start:\n{said}")

    def _answers(self, process: OwnProgram) -> bool:
        deadline = time.monotonic() + START_S
        while process.runs and time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex((HERE, self.port)) == 0:
                    return True
            time.sleep(0.02)
        return False

    def kill(self) -> None:
        """Kill it (SIGKILL); what it holds in memory is lost."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def close(self) -> None:
        """End it, and give up its port."""
        if self._process is not None:
            self._process.end()
            self._process = None
        self._port_holder.close()
