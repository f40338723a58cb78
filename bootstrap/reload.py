"""Taking over changed settings in the same process: what changed, and nothing else; and back again if it does not work.

The run goes on, and `seq` with it. What is faulty, or is what only a new process can be, changes nothing at all.
"""

from dataclasses import replace
from pathlib import Path
from typing import Protocol

from bootstrap import log
from bootstrap.config import HOUSE, Settings, load
from bootstrap.errors import Absent, Fatal
from bootstrap.settings import Fault, SettingsError, Source

ANOTHER = "only a new process can be that: restart it"


class Living(Protocol):
    """What can be reloaded."""

    settings: Settings

    @property
    def hears(self) -> bool:
        """Whether the device has a connection of its own to the broker."""

    def put_away(self) -> None:
        """Let go of the device."""

    def fit(self, settings: Settings) -> None:
        """Set up the device of these settings, after the one before was put away."""

    def go_by(self, settings: Settings, before: Settings) -> None:
        """Take over all the rest."""


def reload(living: Living) -> str | None:
    """Go by the files as they are now; returns why not, for people, if that cannot be.

    Raises:
        Absent: the new device cannot be set up, nor the old one again.
    """
    before = living.settings
    try:
        found = _read(before)
    except SettingsError as error:
        for fault in error.faults:
            log.error("not reloaded; nothing is changed", fault=str(fault))
        return "; ".join(map(str, error.faults))
    moved = living.hears and found.address != before.address
    if found.device == before.device and found.kind == before.kind and not moved:
        found = replace(found, device=before.device)
    elif why := _exchange(living, found):
        return why
    living.go_by(found, before)
    log.info("reloaded", changed=_changed(before, found))
    return None


def _read(before: Settings) -> Settings:
    """The settings as they are now.

    Raises:
        SettingsError: with every fault, and with what cannot change.
    """
    folder = before.address.folder
    found = load(folder, Path(before.file).stem)
    faults = []
    if found.topics != before.topics:
        own = Source(folder, before.file)
        file = own if own.table.keys() & {"sensor", "group"} else Source(folder, HOUSE)
        line = max(file.line("sensor"), file.line("group"))
        what = f"it is {found.topics.client_id} now, and was {before.topics.client_id}; {ANOTHER}"
        faults.append(Fault(file.name, line, what))
    if found.folders != before.folders:
        faults.append(Fault(HOUSE, Source(folder, HOUSE).line("state"), f"'state' is another; {ANOTHER}"))
    if faults:
        raise SettingsError(faults)
    return found


def _exchange(living: Living, found: Settings) -> str | None:
    """Have the new device in the place of the old one; or, with the reason returned, the old one again."""
    before = living.settings
    living.put_away()
    try:
        living.fit(found)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, there is one that worked
        why = str(error) or repr(error)
        bug = not isinstance(error, Fatal | OSError)
        log.error("the new settings do not work; back to those before", traceback=bug, file=found.file, reason=why)
    else:
        return None
    try:
        living.fit(replace(before, device=replace(before.device)))  # as new: a device is set up once
    except OSError as error:
        raise Absent(error.errno, str(error)) from None
    return f"{found.file}: {why}"


def _changed(before: Settings, found: Settings) -> list[str]:
    """What is not as it was."""
    names = ("kind", "device", "address", "heartbeat_s", "log", "history", "homeassistant")
    return [name for name in names if getattr(found, name) != getattr(before, name)]
