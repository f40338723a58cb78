"""What `penates doctor` checks on the machine: clock, disk, outbox, and the broker's own settings."""

import grp
import os
import pwd
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from bootstrap.config.model import PLAIN_PORT, House, SensorSettings
from bootstrap.contract import timestamps
from bootstrap.outbox.dead_letters import FILE as REFUSED
from bootstrap.outbox.folder import outbox_folder
from bootstrap.pins.device_pins import DEFAULT_FACTORY, FACTORY
from penates.broker import mosquitto_files as broker
from penates.doctor.findings import SUDO, Finding, bad, good, unknown

ROOT = 0
READ_WRITE, WRITE = 0o6, 0o3  # mode bits: to read and write a file; to create files in a folder
LEAST_MB, MEGABYTE = 100, 1_000_000
LEAST_FILES = 1000
WATCHDOG_ADVICE = "sudo penates install --watchdog"
CONF = Path("/etc/mosquitto/mosquitto.conf")
CONTAINER = ("run/systemd/container", ".dockerenv", "run/.containerenv")
QUEUE, SAVE_S = 1000, 1800  # Mosquitto's defaults for its queue and autosave_interval: too short and too long
SENT_AGAIN_S = 60  # sensors send again what was acknowledged in this time before a connection broke


@dataclass(frozen=True)
class SensorUser:
    """The user that a sensor runs as, with its groups, pin factory and working folder."""

    name: str
    uid: int
    groups: frozenset[int]
    factory: str = DEFAULT_FACTORY
    folder: Path = field(default_factory=Path.cwd)
    nodes: str | None = None  # classes of device nodes that its unit may open; None means all

    @classmethod
    def me(cls) -> Self:
        """Return the user of this process."""
        groups = frozenset({os.getegid(), *os.getgroups()})
        return cls(_name(os.geteuid()), os.geteuid(), groups, os.environ.get(FACTORY, DEFAULT_FACTORY))

    @classmethod
    def running(cls, pid: int) -> Self | None:
        """Return the user of a process, or None if it has ended or may not be read."""
        process = Path("/proc", str(pid))
        try:
            uid = process.stat().st_uid
            status = dict(row.split(":", 1) for row in (process / "status").read_text().splitlines())
            entries = (process / "environ").read_bytes().decode(errors="replace").split("\0")
            folder = (process / "cwd").readlink()
        except OSError:
            return None
        groups = frozenset(map(int, [status["Gid"].split()[1], *status["Groups"].split()]))
        named = (entry.partition("=")[2] for entry in entries if entry.startswith(f"{FACTORY}="))
        factory = next(named, DEFAULT_FACTORY)
        return cls(_name(uid), uid, groups, factory, folder)

    @classmethod
    def of(cls, user: str, more_groups: Iterable[str], factory: str, folder: Path) -> Self:
        """Return a user of this machine by name, with these additional groups.

        Raises:
            KeyError: there is no such user.
        """
        entry = pwd.getpwnam(user)
        groups = {*os.getgrouplist(user, entry.pw_gid)}
        for name in more_groups:
            with suppress(KeyError):
                groups.add(grp.getgrnam(name).gr_gid)
        return cls(user, entry.pw_uid, frozenset(groups), factory or DEFAULT_FACTORY, folder)

    def may(self, path: Path, wanted: int = READ_WRITE) -> bool:
        """Return whether the mode of a file or folder allows it. `wanted` are bits such as 0o6, to read and write."""
        status = path.stat()
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid in self.groups else 0
        return self.uid == ROOT or (status.st_mode >> shift) & wanted == wanted


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def clock_is_set(root: Path = Path("/")) -> Finding:
    """Check whether the kernel's clock is synchronised. In a container that cannot be known."""
    if timestamps.synchronised():
        return good("clock", "synchronised")
    if any((root / mark).exists() for mark in CONTAINER):
        return unknown(
            "clock", "a container cannot tell whether the clock is set", "run timedatectl on the machine itself"
        )
    return bad("clock", "not synchronised", "timedatectl set-ntp true; timedatectl timesync-status")


def disk(folder: Path, *, least_mb: float = LEAST_MB) -> Finding:
    """Check whether the disk of the state folder, which need not exist yet, has room."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    status = os.statvfs(place)
    free_mb = status.f_bavail * status.f_frsize / MEGABYTE
    if status.f_flag & os.ST_RDONLY:
        return bad("disk", f"{place} is read-only", "dmesg | tail: is the card damaged? if not, remount it")
    if free_mb < least_mb:
        return bad("disk", f"{free_mb:.0f} MB are free for {folder}", f"sudo du -xh {place} | sort -h | tail")
    if status.f_files and status.f_favail < LEAST_FILES:
        return bad(
            "disk", f"{status.f_favail} more files fit into {folder}", f"sudo du -x --inodes {place} | sort -n | tail"
        )
    return good("disk", f"{free_mb:.0f} MB are free for {folder}")


def watchdog(*, served: int | None, present: bool) -> Finding:
    """Check whether hardware restarts a machine that hangs; `served` is what `runtime_watchdog` returns."""
    if not present:
        return unknown("watchdog", "this machine has none: if it hangs, an output stays as it is")
    if served is None:
        return unknown("watchdog", "systemd does not tell whether it serves it", SUDO)
    if not served:
        return bad("watchdog", "nobody serves it: if the machine hangs, an output stays as it is", WATCHDOG_ADVICE)
    return good("watchdog", "the hardware restarts a machine that hangs")


def outbox(settings: SensorSettings, user: SensorUser) -> Iterator[Finding]:
    """Check the outbox folder: whether it can be written, and whether it holds undelivered readings or dead letters."""
    folder = outbox_folder(settings.folders.state, settings.topics)
    if not folder.exists():
        place = next(path for path in folder.parents if path.exists())
        if not user.may(place, WRITE):
            yield bad(
                "folder",
                f"{user.name} may not write into {place}",
                f"sudo chown {user.name} {place}, or `state` in house.toml",
            )
        return
    if not user.may(folder, WRITE):
        yield bad("folder", f"{user.name} may not write into {folder}", f"sudo chown -R {user.name} {folder}")
    if not os.access(folder, os.R_OK | os.X_OK):
        yield unknown("dead letters", f"not allowed to read {folder}", SUDO)
        return
    kept_mb = sum(file.stat().st_size for file in folder.glob("*.spill")) / MEGABYTE
    yield good("on disk", f"{kept_mb:.1f} MB of readings are kept")
    if (folder / REFUSED).exists():
        yield bad(
            "dead letters", "messages that no broker will accept", f"read {folder / REFUSED}, fix the cause, remove it"
        )


def mosquitto(house: House, conf: Path = CONF) -> Iterator[Finding]:
    """Check what the broker on this machine, if it is the house's, would lose although it has acknowledged it."""
    if not (house.history.recorder and conf.exists()):
        return
    options = [(one.name, one.value) for one in broker.directives(conf)]
    ports = {value.partition(" ")[0] for name, value in options if name == "listener"} or {str(PLAIN_PORT)}
    if str(house.broker.tcp_port) not in ports:
        return
    if wrong := "; ".join(_losses(dict(options))):
        advice = "put mosquitto/penates.conf into /etc/mosquitto/conf.d, as `sudo penates install` does"
        yield bad("queues", wrong, advice)
    else:
        yield good("queues", "the broker keeps what the recorder has not received")


def _losses(options: dict[str, str]) -> Iterator[str]:
    if options.get("persistence") != "true":
        yield "a restart of the broker loses what waits for the recorder (persistence)"
    if 0 < _number(options, "max_queued_messages", QUEUE) <= QUEUE:
        yield f"more than {QUEUE} messages for the recorder are dropped (max_queued_messages)"
    if _number(options, "autosave_interval", SAVE_S) > SENT_AGAIN_S and options.get("autosave_on_changes") != "true":
        yield f"a power cut loses more than the {SENT_AGAIN_S} s that sensors send again (autosave_interval)"


def _number(options: dict[str, str], name: str, default: int) -> int:
    """Return a numeric option of Mosquitto, which does not start if one is not a number."""
    value = options.get(name, "")
    return int(value) if value.isdecimal() else default
