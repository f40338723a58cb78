"""What `penates doctor` finds out about the sensors' processes from systemd, the supervisor and the kernel's locks."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bootstrap.config.model import SensorSettings
from bootstrap.contract import timestamps
from bootstrap.paths import read_own
from bootstrap.pins.device_pins import FACTORY
from bootstrap.supervisor.control_socket import NotRunning, Unavailable, ask
from penates.console.supervisor_request import control_request
from penates.doctor.findings import SUDO, Finding, bad, good, unknown
from penates.doctor.machine import SensorUser
from penates.files.install_paths import HOUSE
from penates.installer.unit_states import Unit, age_s, exit_code, of_sensor, restarts, units

PATIENCE_S = 3.0
MANY_RESTARTS, STEADY_S = 5, 600.0  # more restarts are bad until the process has run this long
LOCKS = Path("/proc/locks")


@dataclass(frozen=True)
class Supervision:
    """Who supervises the sensors of one house: systemd, the supervisor, or nobody."""

    folder: Path
    runtime: Path
    units: dict[str, Unit] = field(default_factory=dict)
    rows: dict[str, dict[str, Any]] | None = None  # from the supervisor's reply; None if there is no supervisor
    problem: str = ""  # why the supervisor did not reply
    processes: Mapping[str, str] = field(default_factory=dict)  # of each sensor's file, the name of its process

    def unit(self, name: str) -> Unit | None:
        """Return the unit that runs this sensor, or None if no unit does."""
        return of_sensor(self.units, self.process(name))

    def process(self, name: str) -> str:
        """Return the name of the process in which the sensor of this file runs."""
        return self.processes.get(name, name)

    def user(self, name: str, settings: SensorSettings) -> SensorUser:
        """Return the user as whom this sensor runs, or would run."""
        unit = self.unit(name)
        row = (self.rows or {}).get(self.process(name), {})
        pid = int((unit or {}).get("MainPID") or 0) or row.get("pid") or holder(self._lock(settings))
        nodes = unit.get("DeviceAllow", "") if unit and unit.get("DevicePolicy") == "closed" else None
        found = (SensorUser.running(pid) if pid else None) or (_of_unit(unit) if unit else None) or SensorUser.me()
        return replace(found, nodes=nodes)

    def _lock(self, settings: SensorSettings) -> Path:
        return self.runtime / f"{settings.topics.file_name}.lock"

    def logs(self, name: str) -> str:
        """Return the command that shows this sensor's log or status."""
        if unit := self.unit(name):
            return f"journalctl -u {unit['Id']} -n 20"
        return f"penates status --config {self.folder}"

    def runs(self, name: str, settings: SensorSettings) -> Finding:
        """Return whether the sensor has a process, and who supervises it."""
        if self.rows is not None and (row := self.rows.get(self.process(name))):
            return _row(row, self.logs(name))
        if unit := self.unit(name):
            return _unit(unit, self.logs(name))
        if self.problem:
            return unknown("process", f"the supervisor cannot be asked: {self.problem}", SUDO)
        if pid := holder(self._lock(settings)):
            return good("process", f"it runs as process {pid}, and nothing supervises it")
        start = f"penates start {self.process(name)} --config {self.folder}"
        return bad("process", "it is not running", "sudo penates install" if self.units else start)


def supervision(folder: Path, runtime: Path, processes: Mapping[str, Sequence[str]]) -> Supervision:
    """Ask systemd and the supervisor. Only the installed house has units.

    `processes` are those of the house, each with the files of its sensors.
    """
    found = units(processes) if folder.resolve() == HOUSE else {}
    of_each = {one: name for name, sensors in processes.items() for one in sensors}
    try:
        answer = ask(runtime, control_request("status", folder.absolute()), PATIENCE_S)
    except NotRunning:
        return Supervision(folder, runtime, found, processes=of_each)
    except (Unavailable, OSError) as error:
        return Supervision(folder, runtime, found, problem=str(error), processes=of_each)
    if "error" in answer:
        return Supervision(folder, runtime, found, problem=str(answer["error"]), processes=of_each)
    return Supervision(folder, runtime, found, {row["name"]: row for row in answer["sensors"]}, processes=of_each)


def _of_unit(unit: Unit) -> SensorUser | None:
    """Return the user as whom a unit would run, or None if that user is created only when it starts."""
    environment = (entry.strip('"').partition("=") for entry in unit.get("Environment", "").split())
    factory = next((value for variable, _, value in environment if variable == FACTORY), "")
    folder = Path(unit.get("WorkingDirectory") or "/")
    with suppress(KeyError):
        return SensorUser.of(unit.get("User") or "root", unit.get("SupplementaryGroups", "").split(), factory, folder)
    return None


def _unit(unit: Unit, logs: str) -> Finding:
    state, ended = unit["ActiveState"], exit_code(unit)
    text = f"{unit['Id']} is {state} ({unit['SubState']}), restarts: {restarts(unit)}"
    if state != "active":
        how = f", ended with {ended}" if ended else ""
        return bad("unit", f"{text}{how}", f"{logs}; sudo systemctl restart {unit['Id']}")
    if restarts(unit) > MANY_RESTARTS and age_s(unit) < STEADY_S:
        return bad("unit", text, logs)
    return good("unit", text)


def _row(row: dict[str, Any], logs: str) -> Finding:
    text = f"the supervisor reports {row['state']}, restarts: {row['restarts']}"
    well = row["state"] in ("online", "fault") or (row["state"] == "starting" and not row["error"])
    steady = (datetime.now(UTC) - timestamps.parse(row["since"])).total_seconds() >= STEADY_S
    if well and (steady or row["restarts"] <= MANY_RESTARTS):
        return good("process", text)
    return bad("process", f"{text}: {row['error']}" if row["error"] else text, logs)


def holder(file: Path) -> int:
    """Return the process that holds this lock, or 0. We do not try the lock: that could stop a sensor from starting."""
    try:
        inode, signed = f":{file.stat().st_ino}", read_own(file).decode(errors="replace").strip()
        rows = map(str.split, LOCKS.read_text(encoding="ascii").splitlines())
    except OSError:
        return 0
    held = any(row[1] == "FLOCK" and row[4] == signed and row[5].endswith(inode) for row in rows)
    return int(signed) if held else 0
