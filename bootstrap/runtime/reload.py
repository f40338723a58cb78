"""Taking over changed settings in the same process: what changed, and nothing else; and back again if it does not work.

The run goes on, and `seq` with it. What is faulty, or is what only a new process can be, changes nothing at all.
"""

from dataclasses import replace
from pathlib import Path
from typing import Protocol

from bootstrap.config.loader import HOUSE, load
from bootstrap.config.model import SensorSettings
from bootstrap.config.toml_file import Fault, SettingsError, TomlFile
from bootstrap.errors import Absent, Fatal
from bootstrap.logs import log

ANOTHER = "only a new process can be that: restart it"


class Reloadable(Protocol):
    """What can be reloaded."""

    settings: SensorSettings

    @property
    def subscribes(self) -> bool:
        """Whether the device has a connection of its own to the broker."""

    def detach_device(self) -> None:
        """Let go of the device."""

    def attach_device(self, settings: SensorSettings) -> None:
        """Set up the device of these settings, after the one before was detached."""

    def apply_settings(self, settings: SensorSettings, before: SensorSettings) -> None:
        """Take over all the rest."""


def reload(sensor: Reloadable) -> str | None:
    """Go by the files as they are now; returns why not, for people, if that cannot be.

    Raises:
        Absent: the new device cannot be set up, nor the old one again.
    """
    before = sensor.settings
    try:
        found = _read(before)
    except SettingsError as error:
        for fault in error.faults:
            log.error("not reloaded; nothing is changed", fault=str(fault))
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
    """The settings as they are now.

    Raises:
        SettingsError: with every fault, and with what cannot change.
    """
    folder = before.folder
    found = load(folder, Path(before.file).stem)
    faults = []
    if found.topics != before.topics:
        own = TomlFile(folder, before.file)
        file = own if own.table.keys() & {"sensor", "group"} else TomlFile(folder, HOUSE)
        line = max(file.line("sensor"), file.line("group"))
        what = f"it is {found.topics.client_id} now, and was {before.topics.client_id}; {ANOTHER}"
        faults.append(Fault(file.name, line, what))
    if found.folders != before.folders:
        faults.append(Fault(HOUSE, TomlFile(folder, HOUSE).line("state"), f"'state' is another; {ANOTHER}"))
    if faults:
        raise SettingsError(faults)
    return found


def _exchange(sensor: Reloadable, found: SensorSettings) -> str | None:
    """Have the new device in the place of the old one; or, with the reason returned, the old one again."""
    before = sensor.settings
    sensor.detach_device()
    try:
        sensor.attach_device(found)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, there is one that worked
        why = str(error) or repr(error)
        bug = not isinstance(error, Fatal | OSError)
        log.error("the new settings do not work; back to those before", traceback=bug, file=found.file, reason=why)
    else:
        return None
    try:
        sensor.attach_device(replace(before, device=replace(before.device)))  # as new: a device is set up once
    except OSError as error:
        raise Absent(error.errno, str(error)) from None
    return f"{found.file}: {why}"


def _changed(before: SensorSettings, found: SensorSettings) -> list[str]:
    """What is not as it was."""
    names = ("kind", "device", "broker", "heartbeat_s", "log", "history", "homeassistant")
    return [name for name in names if getattr(found, name) != getattr(before, name)]
