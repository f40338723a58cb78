"""What systemd knows about the sensors of the installed house."""

import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bootstrap.config.model import SensorSettings
from bootstrap.contract import timestamps
from penates.installer.unit_files import SUPERVISOR
from penates.installer.unit_files import unit as unit_of

BOOTED = Path("/run/systemd/system")  # sd_booted(3)
PROPERTIES = (
    "Id,LoadState,UnitFileState,ActiveState,SubState,StatusText,StateChangeTimestampMonotonic,Result,ExecMainStatus,NRestarts,"
    "MainPID,User,SupplementaryGroups,Environment,WorkingDirectory,DevicePolicy,DeviceAllow"
)
PATIENCE_S = 3.0
# What `penates status` calls the state of a unit that does not report its own.
STATES = {"activating": "starting", "deactivating": "stopping", "inactive": "stopped", "failed": "failed"}

Unit = Mapping[str, str]


def units(names: Iterable[str]) -> dict[str, Unit]:
    """Return what systemd shows of these sensors' units and the supervisor's; nothing where it does not run."""
    systemctl = shutil.which("systemctl")
    if not (systemctl and BOOTED.is_dir()):
        return {}
    command = [systemctl, "show", "--property", PROPERTIES, SUPERVISOR, *map(unit_of, names)]
    try:
        shown = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False).stdout  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return parsed(shown)


def parsed(shown: str) -> dict[str, Unit]:
    """Parse the output of `systemctl show`, and return the properties of each loaded unit.

    A unit is a block of lines `Name=value`; a list may take several lines.
    """
    found: dict[str, Unit] = {}
    for block in shown.split("\n\n"):
        known: dict[str, str] = {}
        for name, _, value in (row.partition("=") for row in block.splitlines()):
            known[name] = f"{known.get(name, '')} {value}".strip()
        if known.get("LoadState") == "loaded":
            found[known["Id"]] = known
    return found


def of_sensor(found: Mapping[str, Unit], name: str) -> Unit | None:
    """Return the unit that runs a sensor, if there is one."""
    own, shared = found.get(unit_of(name)), found.get(SUPERVISOR)
    if own and (own["ActiveState"], own.get("UnitFileState")) != ("inactive", "disabled"):  # as any name of a template
        return own
    return shared if shared and shared["ActiveState"] != "inactive" else None


def row(name: str, unit: Unit | None, sensors: Sequence[SensorSettings | None]) -> dict[str, object]:
    """Return a process's row for `penates status`, in the form in which the supervisor describes a child."""
    settings = sensors[0] if len(sensors) == 1 else None
    unit = unit or {"ActiveState": "inactive"}
    status = unit.get("StatusText", "")
    return {
        "name": name,
        "sensor": settings.topics.client_id if settings else None,
        "kind": settings.kind if settings else None,
        "state": _state(unit, status),
        "since": _since(unit),
        "pid": int(unit.get("MainPID") or 0) or None,
        "restarts": restarts(unit),
        "error": _error(unit),
        "status": status,
    }


def _since(unit: Unit) -> str:
    """Return the UTC time of a unit's last change of state."""
    return timestamps.utc(time.time_ns() // 1000 - round(age_s(unit) * 1_000_000))


def age_s(unit: Unit) -> float:
    """Return the seconds since a unit's last change of state, which systemd counts from the machine's start."""
    return time.monotonic() - int(unit.get("StateChangeTimestampMonotonic") or 0) / 1_000_000


def restarts(unit: Unit) -> int:
    """Return how often systemd has restarted a unit."""
    return int(unit.get("NRestarts") or 0)


def _state(unit: Unit, status: str) -> str:
    if unit["ActiveState"] == "active":
        return status.partition(";")[0].partition(":")[0] or "starting"
    if unit["ActiveState"] == "activating" and restarts(unit):
        return "waiting"  # for the next attempt
    return STATES.get(unit["ActiveState"], unit["ActiveState"])


def _error(unit: Unit) -> str:
    """Return how a unit failed, or that there is none; empty if all is well."""
    if "Id" not in unit:
        return "it has no unit yet: sudo penates install"
    if ended := exit_code(unit):
        return f"it exited with {ended}: journalctl -u {unit['Id']} -n 20"
    return ""


def exit_code(unit: Unit) -> str:
    """Return the exit status of a unit's last process if it failed and no other is active yet; else an empty string."""
    code = unit.get("ExecMainStatus", "")
    return code if code != "0" and unit["ActiveState"] in ("failed", "activating") else ""
