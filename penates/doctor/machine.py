"""What `penates doctor` looks at on the machine: lines and buses, clock, disk, and the broker's own settings."""

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
READ_WRITE, WRITE = 0o6, 0o3  # of a file; into a folder
LEAST_MB, MEGABYTE = 100, 1_000_000
LEAST_FILES = 1000
CONTAINER = ("run/systemd/container", ".dockerenv", "run/.containerenv")
QUEUE, SAVE_S = 1000, 1800  # Mosquitto's own defaults, which are too little and too long
SENT_AGAIN_S = 60


@dataclass(frozen=True)
class Who:
    """The user a sensor runs as, and how."""

    name: str
    uid: int
    groups: frozenset[int]
    factory: str = DEFAULT_FACTORY
    folder: Path = field(default_factory=Path.cwd)
    nodes: str | None = None  # classes of device nodes that its unit may open; None is all

    @classmethod
    def me(cls) -> Self:
        """Whoever asks."""
        groups = frozenset({os.getegid(), *os.getgroups()})
        return cls(_name(os.geteuid()), os.geteuid(), groups, os.environ.get(FACTORY, DEFAULT_FACTORY))

    @classmethod
    def running(cls, pid: int) -> Self | None:
        """Whoever this process runs as; None if it has ended, or is somebody else's."""
        process = Path("/proc", str(pid))
        try:
            uid = process.stat().st_uid
            status = dict(row.split(":", 1) for row in (process / "status").read_text().splitlines())
            words = (process / "environ").read_bytes().decode(errors="replace").split("\0")
            folder = (process / "cwd").readlink()
        except OSError:
            return None
        groups = frozenset(map(int, [status["Gid"].split()[1], *status["Groups"].split()]))
        factory = next((word.partition("=")[2] for word in words if word.startswith(f"{FACTORY}=")), DEFAULT_FACTORY)
        return cls(_name(uid), uid, groups, factory, folder)

    @classmethod
    def of(cls, user: str, more_groups: Iterable[str], factory: str, folder: Path) -> Self:
        """A user of this machine, by name; with these groups besides.

        Raises:
            KeyError: there is none.
        """
        entry = pwd.getpwnam(user)
        groups = {*os.getgrouplist(user, entry.pw_gid)}
        for name in more_groups:
            with suppress(KeyError):
                groups.add(grp.getgrnam(name).gr_gid)
        return cls(user, entry.pw_uid, frozenset(groups), factory or DEFAULT_FACTORY, folder)

    def may(self, path: Path, wanted: int = READ_WRITE) -> bool:
        """Whether the mode of a file or folder lets it; `wanted` are bits such as 0o6 to read and write."""
        status = path.stat()
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid in self.groups else 0
        return self.uid == ROOT or (status.st_mode >> shift) & wanted == wanted


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def clock_is_set(root: Path = Path("/")) -> Finding:
    """By the kernel, which in a container does not know."""
    if timestamps.synchronised():
        return good("clock", "synchronised")
    if any((root / mark).exists() for mark in CONTAINER):
        return unknown(
            "clock", "a container cannot tell whether the clock is set", "timedatectl, on the machine itself"
        )
    return bad("clock", "not synchronised", "timedatectl set-ntp true; timedatectl timesync-status")


def disk(folder: Path, *, least_mb: float = LEAST_MB) -> Finding:
    """Whether there is room for what must be kept; of a folder that is yet to be made, where it will be."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    status = os.statvfs(place)
    free_mb = status.f_bavail * status.f_frsize / MEGABYTE
    if status.f_flag & os.ST_RDONLY:
        return bad("disk", f"{place} is read-only", "dmesg | tail: a damaged card? else mount it anew")
    if free_mb < least_mb:
        return bad("disk", f"{free_mb:.0f} MB are free for {folder}", f"sudo du -xh {place} | sort -h | tail")
    if status.f_files and status.f_favail < LEAST_FILES:
        return bad(
            "disk", f"{status.f_favail} more files fit into {folder}", f"sudo du -x --inodes {place} | sort -n | tail"
        )
    return good("disk", f"{free_mb:.0f} MB are free for {folder}")


def outbox(settings: SensorSettings, who: Who) -> Iterator[Finding]:
    """What lies there of readings that were not delivered, and of those that never will be."""
    folder = outbox_folder(settings.folders.state, settings.topics)
    if not folder.exists():
        place = next(path for path in folder.parents if path.exists())
        if not who.may(place, WRITE):
            yield bad(
                "folder",
                f"{who.name} may not write into {place}",
                f"sudo chown {who.name} {place}, or `state` in house.toml",
            )
        return
    if not who.may(folder, WRITE):
        yield bad("folder", f"{who.name} may not write into {folder}", f"sudo chown -R {who.name} {folder}")
    if not os.access(folder, os.R_OK | os.X_OK):
        yield unknown("dead letters", f"no right to look into {folder}", SUDO)
        return
    kept_mb = sum(file.stat().st_size for file in folder.glob("*.spill")) / MEGABYTE
    yield good("on disk", f"{kept_mb:.1f} MB of readings are kept")
    if (folder / REFUSED).exists():
        yield bad(
            "dead letters", "messages that no broker will ever take", f"read {folder / REFUSED}, mend it, remove it"
        )


def mosquitto(house: House, conf: Path = Path("/etc/mosquitto/mosquitto.conf")) -> Iterator[Finding]:
    """What the broker of this machine, if it is ours, would lose although it had said that it has it."""
    if not (house.history.recorder and conf.exists()):
        return
    said = [(one.name, one.value) for one in broker.directives(conf)]
    ports = {value.partition(" ")[0] for name, value in said if name == "listener"} or {str(PLAIN_PORT)}
    if str(house.broker.tcp_port) not in ports:
        return
    if wrong := "; ".join(_losses(dict(said))):
        advice = "put mosquitto/penates.conf into /etc/mosquitto/conf.d, as `sudo penates install` does"
        yield bad("queues", wrong, advice)
    else:
        yield good("queues", "the broker keeps what the recorder has not got")


def _losses(said: dict[str, str]) -> Iterator[str]:
    if said.get("persistence") != "true":
        yield "a restart of the broker loses what waits for the recorder (persistence)"
    if 0 < _number(said, "max_queued_messages", QUEUE) <= QUEUE:
        yield f"more than {QUEUE} messages for the recorder are thrown away (max_queued_messages)"
    if _number(said, "autosave_interval", SAVE_S) > SENT_AGAIN_S and said.get("autosave_on_changes") != "true":
        yield f"a power cut loses more than the {SENT_AGAIN_S} s that sensors send again (autosave_interval)"


def _number(said: dict[str, str], name: str, usual: int) -> int:
    """With what is no number, Mosquitto does not start at all."""
    value = said.get(name, "")
    return int(value) if value.isdecimal() else usual
