"""What systemd knows of the sensors of the house that is installed."""

import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
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
# What `penates status` calls a unit that does not say itself how it is.
STATES = {"activating": "starting", "deactivating": "stopping", "inactive": "stopped", "failed": "failed"}

Unit = Mapping[str, str]


def units(names: Iterable[str]) -> dict[str, Unit]:
    """These sensors' units and the supervisor's; nothing where there is no systemd."""
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
    """The answer of `systemctl show`: a block of `Name=value` for each unit that is there; a list may take several."""
    found: dict[str, Unit] = {}
    for block in shown.split("\n\n"):
        known: dict[str, str] = {}
        for name, _, value in (row.partition("=") for row in block.splitlines()):
            known[name] = f"{known.get(name, '')} {value}".strip()
        if known.get("LoadState") == "loaded":
            found[known["Id"]] = known
    return found


def of_sensor(found: Mapping[str, Unit], name: str) -> Unit | None:
    """The one in which this sensor lives, if units look after it."""
    own, shared = found.get(unit_of(name)), found.get(SUPERVISOR)
    if own and (own["ActiveState"], own.get("UnitFileState")) != ("inactive", "disabled"):  # as all of a template are
        return own
    return shared if shared and shared["ActiveState"] != "inactive" else None


def row(name: str, unit: Unit | None, settings: SensorSettings | None) -> dict[str, object]:
    """As the supervisor tells of a child, for `penates status`."""
    unit = unit or {"ActiveState": "inactive"}
    said = unit.get("StatusText", "")
    return {
        "name": name,
        "sensor": settings.topics.client_id if settings else None,
        "kind": settings.kind if settings else None,
        "state": _state(unit, said),
        "since": _since(unit),
        "pid": int(unit.get("MainPID") or 0) or None,
        "restarts": restarts(unit),
        "error": _error(unit),
        "status": said,
    }


def _since(unit: Unit) -> str:
    """The time of day of its last change."""
    return timestamps.utc(time.time_ns() // 1000 - round(age_s(unit) * 1_000_000))


def age_s(unit: Unit) -> float:
    """Seconds since its last change; systemd counts from the machine's start."""
    return time.monotonic() - int(unit.get("StateChangeTimestampMonotonic") or 0) / 1_000_000


def restarts(unit: Unit) -> int:
    """How often systemd has started it again."""
    return int(unit.get("NRestarts") or 0)


def _state(unit: Unit, said: str) -> str:
    if unit["ActiveState"] == "active":
        return said.partition(";")[0].partition(":")[0] or "starting"
    if unit["ActiveState"] == "activating" and restarts(unit):
        return "waiting"  # it sleeps before the next try
    return STATES.get(unit["ActiveState"], unit["ActiveState"])


def _error(unit: Unit) -> str:
    """How it ended, if it did not end well."""
    if "Id" not in unit:
        return "it has no unit yet: sudo penates install"
    if ended := exit_code(unit):
        return f"it ended with {ended}: journalctl -u {unit['Id']} -n 20"
    return ""


def exit_code(unit: Unit) -> str:
    """How its last process ended, if that was badly; empty while another one is being prepared, too."""
    code = unit.get("ExecMainStatus", "")
    return code if code != "0" and unit["ActiveState"] in ("failed", "activating") else ""
