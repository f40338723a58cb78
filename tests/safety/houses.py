"""The same locks under each of the two supervisors: penates' own, and a real systemd with the installed unit."""

import os
import shutil
import signal
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import ClassVar

from bootstrap.package_data import folder
from safety.locks import WATCHDOG_S, Door, World, device
from support.booted import booted, sandboxed
from support.world import Broker, House, Wires, python_path

OUTSIDE = "WorkingDirectory=/run/penates\nRuntimeDirectory=penates\nRuntimeDirectoryPreserve=yes\n"
USER = "daemon"  # whom every machine has


class LockHouse:
    """Some locks, on lines and with a broker of their own."""

    def __init__(self, place: Path, count: int, fail: str = "secure") -> None:
        self.house, self.fail = House(place / "house"), fail
        self.broker = Broker(place / "broker").start()
        self.house.write(
            self.broker.port, f"heartbeat_s = 60\n[supervisor]\nwatchdog_s = {WATCHDOG_S}", log='level = "info"'
        )
        for number in range(count):
            self.house.device(f"lock{number}", device(number, fail))
        self.wires = Wires(self.house)
        self.world = World(self.wires.folder, count, fail)

    def begins(self) -> None:
        """Do nothing: the supervisor needs no help."""

    def close(self) -> None:
        self.world.close()
        self.broker.stop(signal.SIGKILL)
        self.house.close()


class SupervisorHouse(LockHouse):
    """Under penates' own supervisor."""

    def start(self) -> "SupervisorHouse":
        self.parent = self.house.supervise(program=None, **self.wires.env)
        return self

    def strike(self, door: Door, number: int) -> None:
        if pid := self.house.status()[f"lock{door.number}"]["pid"]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def cut(self) -> None:
        for pid in self.house.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.broker.stop(signal.SIGKILL)
        self.parent.wait()
        self.broker.start()
        self.start()


def unit(config: Path, env: dict[str, str]) -> str:
    """Return the unit that is installed, for this copy and with a short watchdog."""
    text = (folder("systemd") / "penates@.service").read_text()
    penates = f"{sys.executable} -m penates"
    text = text.replace("/opt/penates/bin/penates", penates).replace("/etc/penates", str(config))
    text = text.replace("WatchdogSec=30", f"WatchdogSec={WATCHDOG_S}").replace(
        "After=mosquitto", "DefaultDependencies=no\nAfter=mosquitto"
    )
    rows = [row for row in text.splitlines() if not row.startswith(("LoadCredential", "PartOf", "Documentation"))]
    at = rows.index("[Service]") + 1
    safe = f"ExecStopPost=-{penates} safe %i --config {config}"
    variables = [f'Environment="{name}={value}"' for name, value in env.items()]
    return "\n".join([*rows[:at], *variables, *OUTSIDE.splitlines(), safe, *rows[at:], ""])


class SystemdHouse(LockHouse):
    """Under a systemd of its own, which is killed with all that it runs when the power is cut."""

    hardened: ClassVar[bool] = False  # whether they are in the sandbox that is installed, by a user of its own

    def __init__(self, place: Path, count: int, fail: str = "secure") -> None:
        super().__init__(place, count, fail)
        self._place, self._boots = place, 0
        self._on = ExitStack()

    def start(self) -> "SystemdHouse":
        self._boots += 1
        place = self._place / f"boot{self._boots}"
        place.mkdir()
        env = {**self.wires.env, "PYTHONPATH": python_path(), "STATE_DIRECTORY": str(self.house.folder / "state")}
        units = {"penates@.service": unit(self.house.folder, env)}
        if self.hardened:
            units |= sandboxed("penates@.service")
            self._hand_over()
        names = [f"penates@lock{door.number}.service" for door in self.world.doors]
        self._machine = self._on.enter_context(booted(place, units, names))
        return self

    def _hand_over(self) -> None:
        """Let the sandbox's user have the files of the house."""
        self._place.chmod(0o755)
        (self.house.folder / "state").mkdir(exist_ok=True)
        for file in (self.house.folder, *self.house.folder.rglob("*")):
            shutil.chown(file, USER)

    def begins(self) -> None:
        """Forget the failures, after which systemd would wait for up to 49 s."""
        for file in Path(f"/proc/{self._machine.first}/root/run/penates").glob("*.failures"):
            file.unlink(missing_ok=True)

    def strike(self, door: Door, number: int) -> None:
        name = signal.Signals(number).name
        self._machine.says("systemctl", "kill", "--kill-whom=main", f"--signal={name}", f"penates@lock{door.number}")

    def cut(self) -> None:
        self.broker.stop(signal.SIGKILL)
        self._on.close()
        self.broker.start()
        self.start()

    def close(self) -> None:
        self._on.close()
        super().close()


class HardenedHouse(SystemdHouse):
    """Under a systemd of its own, in the sandbox that is installed."""

    hardened: ClassVar[bool] = True
