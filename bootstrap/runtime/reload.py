"""Reloading changed settings in the same process, and going back to the old ones if the new ones do not work.

The run goes on, and `seq` with it. Settings with a fault, or that need a new process, change nothing at all.
"""

from dataclasses import replace
from pathlib import Path
from typing import Protocol

from bootstrap.config.loader import HOUSE, load
from bootstrap.config.model import SensorSettings
from bootstrap.config.toml_file import Fault, SettingsError, TomlFile
from bootstrap.errors import Absent, Fatal
from bootstrap.logs import log

RESTART = "that needs a restart"


class Reloadable(Protocol):
    """A sensor whose settings can be reloaded."""

    settings: SensorSettings

    @property
    def subscribes(self) -> bool:
        """Whether the device has a connection of its own to the broker."""

    def detach_device(self) -> None:
        """Release the device."""

    def attach_device(self, settings: SensorSettings) -> None:
        """Set up the device of these settings, after the old one was detached."""

    def apply_settings(self, settings: SensorSettings, before: SensorSettings) -> None:
        """Apply every setting that is not the device's."""


def reload(sensor: Reloadable) -> str | None:
    """Reload the settings of a sensor from its files. Returns why they could not be applied, or None.

    Raises:
        Absent: neither the new device nor the old one can be set up.
    """
    before = sensor.settings
    try:
        found = _read(before)
    except SettingsError as error:
        for fault in error.faults:
            log.error("not reloaded; nothing has changed", fault=str(fault))
        return "; ".join(map(str, error.faults))
    moved = sensor.subscribes and found.broker != before.broker
    if found.device == before.device and found.kind == before.kind and not moved:
        found = replace(found, device=before.device)
    elif why := _exchange(sensor, found):
        return why
    sensor.apply_settings(found, before)
    log.settle(all_of_it=True)
    log.start(found.topics.client_id, found.log.level, found.log.format)
    log.info("reloaded", changed=_changed(before, found))
    return None


def _read(before: SensorSettings) -> SensorSettings:
    """Return the settings in the files.

    Raises:
        SettingsError: they have faults, or change what needs a new process.
    """
    folder = before.folder
    found = load(folder, Path(before.file).stem)
    faults = []
    if found.topics != before.topics:
        own = TomlFile(folder, before.file)
        file = own if own.table.keys() & {"sensor", "group"} else TomlFile(folder, HOUSE)
        line = max(file.line("sensor"), file.line("group"))
        text = f"the sensor changed from {before.topics.client_id} to {found.topics.client_id}; {RESTART}"
        faults.append(Fault(file.name, line, text))
    if found.folders != before.folders:
        faults.append(Fault(HOUSE, TomlFile(folder, HOUSE).line("state"), f"'state' has changed; {RESTART}"))
    if faults:
        raise SettingsError(faults)
    return found


def _exchange(sensor: Reloadable, found: SensorSettings) -> str | None:
    """Replace the device by that of the new settings. If that fails, set up the old one again and return the reason."""
    before = sensor.settings
    sensor.detach_device()
    try:
        sensor.attach_device(found)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the new device, the old one worked
        why = str(error) or repr(error)
        bug = not isinstance(error, Fatal | OSError)
        log.error("the new settings do not work; restoring the old ones", traceback=bug, file=found.file, reason=why)
    else:
        return None
    try:
        sensor.attach_device(replace(before, device=replace(before.device)))  # a copy: a device is set up only once
    except OSError as error:
        raise Absent(error.errno, str(error)) from None
    return f"{found.file}: {why}"


def _changed(before: SensorSettings, found: SensorSettings) -> list[str]:
    """Return the names of the settings that differ."""
    names = ("kind", "device", "broker", "heartbeat_s", "log", "history", "homeassistant")
    return [name for name in names if getattr(found, name) != getattr(before, name)]
