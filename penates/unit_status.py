"""How the sensors of an installed house are, as systemd tells it: the same rows that a supervisor gives."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from bootstrap.clock import utc
from bootstrap.config import Configuration
from penates.doctor_units import Unit, units
from penates.units import unit as unit_of

SAID = re.compile(r"(online|fault|starting)\b")  # at the beginning of what a sensor says of itself
STATES = {"failed": "failed", "inactive": "stopped", "deactivating": "stopping", "activating": "starting"}


def rows(configuration: Configuration) -> list[dict[str, Any]]:
    """One for each sensor that is a unit of its own."""
    known = units(configuration.sensors)
    found = ((name, known.get(unit_of(name))) for name in configuration.sensors)
    return [_row(configuration, name, unit) for name, unit in found if unit and _ours(unit)]


def _ours(unit: Unit) -> bool:
    """Of a template there is a unit for every name."""
    return unit.get("UnitFileState") == "enabled" or unit["ActiveState"] != "inactive"


def _row(configuration: Configuration, name: str, unit: Unit) -> dict[str, Any]:
    settings = configuration.settings(name)
    return {
        "name": name,
        "sensor": settings.topics.client_id if settings else "",
        "state": _state(unit),
        "since": _since(int(unit.get("StateChangeTimestampMonotonic") or 0)),
        "pid": int(unit.get("MainPID") or 0) or None,
        "restarts": int(unit.get("NRestarts") or 0),
        "status": unit.get("StatusText", ""),
        "error": "",
    }


def _state(unit: Unit) -> str:
    if unit["SubState"] in ("auto-restart", "start-pre"):
        return "waiting"
    if unit["ActiveState"] == "active":
        said = SAID.match(unit.get("StatusText", ""))
        return said[1] if said else "starting"
    return STATES.get(unit["ActiveState"], unit["ActiveState"])


def _since(boot_us: int) -> str:
    """From microseconds of the monotonic clock."""
    age = timedelta(microseconds=time.monotonic_ns() / 1000 - boot_us)
    return utc(round((datetime.now(UTC) - age).timestamp() * 1e6))
