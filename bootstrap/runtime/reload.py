"""Reloading changed settings in the same process, and going back to the old ones if the new ones do not work.

The run goes on, and `seq` with it. Settings with a fault, or that need a new process, change nothing at all.
"""

from dataclasses import replace
from pathlib import Path
from typing import Protocol

from bootstrap.config.loader import HOUSE, load
from bootstrap.config.model import SensorSettings
from bootstrap.config.toml_file import Fault, SettingsError, TomlFile
from bootstrap.contract.topics import is_private
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
        new = read_again(before)
    except SettingsError as error:
        for fault in error.faults:
            log.error("not reloaded; nothing has changed", fault=str(fault))
        return "; ".join(map(str, error.faults))
    why = apply(sensor, new)
    if why is None:
        log.settle(all_of_it=True)
        log.start(new.topics.client_id, new.log.level, new.log.format)
        log.info("reloaded", changed=_changed(before, new))
    return why


def apply(sensor: Reloadable, new: SensorSettings) -> str | None:
    """Apply new settings to a sensor. Returns why they do not work, and the old ones go on, or None.

    Raises:
        Absent: neither the new device nor the old one can be set up.
    """
    before = sensor.settings
    moved = sensor.subscribes and new.broker != before.broker
    if new.device == before.device and new.kind == before.kind and not moved:
        new = replace(new, device=before.device)
    elif why := _replace_device(sensor, new):
        return why
    sensor.apply_settings(new, before)
    return None


def read_again(before: SensorSettings) -> SensorSettings:
    """Return the settings in the files.

    Raises:
        SettingsError: they have faults, or change what needs a new process.
    """
    folder = before.folder
    new = load(folder, Path(before.file).stem)
    faults = []
    if new.topics != before.topics:
        text = f"the sensor changed from {before.topics.client_id} to {new.topics.client_id}; {RESTART}"
        faults.append(Fault(*_where(before, new), text))
    if new.folders != before.folders:
        faults.append(Fault(HOUSE, TomlFile(folder, HOUSE).line("state"), f"'state' has changed; {RESTART}"))
    if faults:
        raise SettingsError(faults)
    return new


def _where(before: SensorSettings, new: SensorSettings) -> tuple[str, int]:
    """Return the file and the line by which the sensor has other topics."""
    own = TomlFile(before.folder, before.file)
    if new.topics.sensor != before.topics.sensor:
        return own.name, own.line("sensor")
    if is_private(new.topics.group) != is_private(before.topics.group):
        return own.name, own.line("shared_with" if "shared_with" in own.table else "kind")
    file = own if "group" in own.table else TomlFile(before.folder, HOUSE)
    return file.name, file.line("group")


def _replace_device(sensor: Reloadable, new: SensorSettings) -> str | None:
    """Replace the device by that of the new settings. If that fails, set up the old one again and return the reason."""
    before = sensor.settings
    sensor.detach_device()
    try:
        sensor.attach_device(new)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the new device, the old one worked
        why = str(error) or repr(error)
        bug = not isinstance(error, Fatal | OSError)
        log.error("the new settings do not work; restoring the old ones", traceback=bug, file=new.file, reason=why)
    else:
        return None
    try:
        sensor.attach_device(replace(before, device=replace(before.device)))  # a copy: a device is set up only once
    except OSError as error:
        raise Absent(error.errno, str(error)) from None
    return f"{new.file}: {why}"


def _changed(before: SensorSettings, new: SensorSettings) -> list[str]:
    """Return the names of the settings that differ."""
    served = ("broker", "heartbeat_s", "log", "history", "recorded", "homeassistant")
    names = ("kind", "device", "filters", "carried", *served)
    return [name for name in names if getattr(new, name) != getattr(before, name)]
