"""The steps that bring systemd's units, and Mosquitto, into the state that the house needs."""

import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bootstrap.machine.power import WANTS, waiting_unit
from bootstrap.supervisor.control_socket import Unavailable
from penates.files.install_paths import MOSQUITTO, PACKAGED_UNITS, UNITS
from penates.files.planned_file import Planned
from penates.installer import machine_watchdog
from penates.installer.host_setup import daemon_reload
from penates.installer.install_record import InstallRecord
from penates.installer.steps import PATH, CommandStep, Remove, Step, writes
from penates.installer.unit_files import (
    CERTIFICATES,
    CERTIFICATES_ENABLED,
    DROP_IN,
    HARDENING,
    POWER,
    SUPERVISOR,
    TARGET,
    TARGET_ENABLED,
    name_of,
)


def active(unit: str) -> bool:
    """Return whether a unit is active."""
    return systemctl("is-active", unit) == "active"


def status(unit: str) -> str:
    """Return the state of a unit, and the status that it reports."""
    shown = systemctl("show", "--property=ActiveState,StatusText", unit)
    known = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    return ": ".join(filter(None, (known.get("ActiveState"), known.get("StatusText"))))


def main_process(unit: str) -> int:
    """Return the id of a unit's main process; 0 if it does not run."""
    return int(systemctl("show", "--property=MainPID", "--value", unit) or 0)


def runtime_watchdog() -> int | None:
    """Return whether somebody serves the watchdog of the machine: 0 if not; None if systemd does not tell."""
    if machine_watchdog.is_active():
        return 1
    said = systemctl("show", "--property=RuntimeWatchdogUSec", "--value")
    return None if said == "" else int(said not in ("0", "infinity"))


def systemctl(*arguments: str) -> str:
    """Return the output of systemctl; raise Unavailable if there is no such program."""
    try:
        return subprocess.run(  # noqa: S603
            ["systemctl", *arguments],  # noqa: S607
            check=False,
            capture_output=True,
            text=True,
            env={"PATH": PATH, "LC_ALL": "C.UTF-8"},
        ).stdout.strip()
    except FileNotFoundError:
        raise Unavailable("this machine has no systemd; `penates start` works without it") from None


def installed() -> list[str]:
    """Return our units that are enabled or have a drop-in, whether or not the house still needs them."""
    links = [link.name for link in WANTS.glob("penates*.service")]
    folders = [folder.name.removesuffix(".d") for folder in UNITS.glob("penates@?*.service.d")]
    return sorted({name for name in (*links, *folders) if name == SUPERVISOR or name_of(name)})


def remove_units(wanted: Sequence[str]) -> Iterator[Step]:
    """Yield the steps that stop and remove our units that are no longer wanted."""
    for unit in installed():
        if unit not in wanted:
            link = WANTS / unit
            because = "enabled" if link.is_symlink() or active(unit) else ""
            yield CommandStep(["systemctl", "disable", "--now", unit], partial(str, because))
            yield CommandStep(["systemctl", "reset-failed", unit], partial(_failed, unit))
            yield Remove(_removable(UNITS / f"{unit}.d"))


def _failed(unit: str) -> str:
    """Return `failed` if systemd would go on listing the unit as failed."""
    return "failed" if systemctl("is-failed", unit) == "failed" else ""


def _removable(folder: Path) -> Path:
    """Return the folder of a unit's drop-ins, or our file alone if the folder must stay or holds somebody else's."""
    others = [file for file in folder.glob("*") if file.name not in (DROP_IN, HARDENING)]
    return folder / DROP_IN if others or folder.name == f"{SUPERVISOR}.d" else folder


def files(planned: Sequence[Planned], wanted: Sequence[str], record: InstallRecord) -> list[Step]:
    """Return the steps that write the unit files and remove the units that are no longer wanted.

    A file that the Debian package has brought is not written: a copy would hide those of later packages.
    """
    packaged = [Remove(one.path) for one in planned if _is_packaged(one)]
    written = writes(one for one in planned if not _is_packaged(one))
    steps: list[Step] = [*remove_units(wanted), *machine_watchdog.unwanted(planned), *packaged, *written]
    return [*steps, daemon_reload(steps, record)]


def _is_packaged(one: Planned) -> bool:
    """Return whether a package has brought this very file, for all houses."""
    if one.content is None or not one.path.is_relative_to(UNITS):
        return False
    file = PACKAGED_UNITS / one.path.relative_to(UNITS)
    return file.is_file() and file.read_bytes() == one.content


def certificates() -> Step:
    """Return the step that enables the timer for the broker's certificate."""
    _, timer = CERTIFICATES
    is_enabled = CERTIFICATES_ENABLED.is_symlink()
    return CommandStep(["systemctl", "enable", "--now", timer], lambda: "" if is_enabled else "new")


def unwanted_power(words: Collection[str]) -> Iterator[Step]:
    """Yield the steps by which systemd waits for no request any more but for these words."""
    allowed = {waiting_unit(word) for word in words}
    for link in sorted(WANTS.glob("penates-power@?*.path")):
        if link.name not in allowed:
            yield CommandStep(["systemctl", "disable", "--now", link.name], partial(str, "enabled"))
    if not words:
        yield from (Remove(UNITS / name) for name in POWER)


def power_enabled(words: Collection[str]) -> Iterator[Step]:
    """Yield the steps that enable what waits for these words."""
    for unit in map(waiting_unit, sorted(words)):
        link = WANTS / unit
        because = "" if link.is_symlink() else "new"
        yield CommandStep(["systemctl", "enable", "--now", unit], partial(str, because))


def enabled(wanted: Sequence[str]) -> Step:
    """Return the step that enables the units for the target, and the target for the boot."""
    links = {unit: WANTS / unit for unit in wanted} | {TARGET: TARGET_ENABLED}
    missing = [unit for unit, link in links.items() if not link.is_symlink()]
    return CommandStep(["systemctl", "enable", *missing], lambda: "new" if missing else "")


def started(unit: str) -> Step:
    """Return the step that starts a target, without its units: restarted together, it would stop them again."""
    stopped = "" if active(unit) else "new"
    return CommandStep(["systemctl", "start", unit], lambda: stopped)


@dataclass(frozen=True)
class RestartStep:
    """Starts the units that do not run, and restarts those whose settings or code changed.

    Attributes:
        stamps: for each unit, a hash over everything it runs with.
        record: holds the hashes of their last start.
        reloads: for each gateway's unit, a hash over the sensors that it carries: to change those needs no restart.
    """

    stamps: Mapping[str, str]
    record: InstallRecord = field(repr=False)
    reloads: Mapping[str, str] = field(default_factory=dict)

    @property
    def stale(self) -> list[str]:
        """The units that do not run, or run with something that has changed since."""
        return [
            unit for unit, stamp in self.stamps.items() if self.record.stamps.get(unit) != stamp or not active(unit)
        ]

    def __str__(self) -> str:
        """Return it as a shell command."""
        return " ".join(["systemctl", "restart", *self.stale])

    def needed(self) -> str:
        """Return `new` if there is a unit to restart."""
        return "new" if self.stale else ""

    def do(self) -> None:
        """Restart the units. One that does not start keeps no other from running, and is reported afterwards."""
        stale = self.stale
        subprocess.run(["systemctl", "restart", *stale], check=False, capture_output=True, env={"PATH": PATH})  # noqa: S603, S607
        known = {unit: stamp for unit, stamp in self.record.stamps.items() if unit in self.stamps}
        self.record.stamps = known | {unit: self.stamps[unit] for unit in stale if active(unit)}
        self.record.reloads |= {unit: stamp for unit, stamp in self.reloads.items() if unit in stale}
        self.record.write()


@dataclass(frozen=True)
class ReloadStep:
    """Reloads the units of gateways that run and whose sensors have changed; it comes after the restarts."""

    restarts: RestartStep

    @property
    def changed(self) -> list[str]:
        """The units to reload."""
        stale, known = self.restarts.stale, self.restarts.record.reloads
        return [unit for unit, stamp in self.restarts.reloads.items() if unit not in stale and known.get(unit) != stamp]

    def __str__(self) -> str:
        """Return it as a shell command."""
        return " ".join(["systemctl", "reload", *self.changed])

    def needed(self) -> str:
        """Return `changed` if there is a unit to reload."""
        return "changed" if self.changed else ""

    def do(self) -> None:
        """Reload the units."""
        record = self.restarts.record
        for unit in self.changed:
            CommandStep(["systemctl", "reload", unit], lambda: "changed").do()
            record.reloads[unit] = self.restarts.reloads[unit]
        record.write()


def house_files(planned: Sequence[Planned]) -> list[Step]:
    """Return the steps that write the files outside Mosquitto's folder."""
    return [*writes(one for one in planned if not one.path.is_relative_to(MOSQUITTO))]
