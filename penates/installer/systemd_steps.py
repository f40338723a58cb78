"""Units of systemd, brought into the state that the house wants."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bootstrap.supervisor.control_socket import Unavailable
from penates.broker.mosquitto_files import CONF_D
from penates.files.install_paths import MOSQUITTO, UNITS
from penates.files.planned_file import Planned
from penates.installer.host_setup import PACKAGES, after_all
from penates.installer.install_record import InstallRecord
from penates.installer.steps import PATH, CommandStep, Remove, Step, follows, program, writes
from penates.installer.unit_files import CERTIFICATES, DROP_IN, HARDENING, SUPERVISOR, TARGET, name_of

MOSQUITTO_UNIT = "mosquitto.service"
WANTS = UNITS / f"{TARGET}.wants"


def active(unit: str) -> bool:
    """Whether it runs."""
    return _said("is-active", unit) == "active"


def status(unit: str) -> str:
    """What systemd knows of it, and what it says of itself."""
    shown = _said("show", "--property=ActiveState,StatusText", unit)
    known = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    return ": ".join(filter(None, (known.get("ActiveState"), known.get("StatusText"))))


def _said(*words: str) -> str:
    """By systemctl; where there is no systemd nothing runs."""
    try:
        return subprocess.run(  # noqa: S603
            ["systemctl", *words],  # noqa: S607
            check=False,
            capture_output=True,
            text=True,
            env={"PATH": PATH, "LC_ALL": "C.UTF-8"},
        ).stdout.strip()
    except FileNotFoundError:
        raise Unavailable("this machine has no systemd; `penates start` does without") from None


def installed() -> list[str]:
    """Our units that are enabled or have a drop-in, whether the house still wants them or not."""
    links = [link.name for link in WANTS.glob("penates*.service")]
    folders = [folder.name.removesuffix(".d") for folder in UNITS.glob("penates@?*.service.d")]
    return sorted({name for name in (*links, *folders) if name == SUPERVISOR or name_of(name)})


def gone(wanted: Sequence[str]) -> Iterator[Step]:
    """End what is wanted no more."""
    for unit in installed():
        if unit not in wanted:
            link = WANTS / unit
            because = "enabled" if link.is_symlink() or active(unit) else ""
            yield CommandStep(["systemctl", "disable", "--now", unit], partial(str, because))
            yield CommandStep(["systemctl", "reset-failed", unit], partial(_failed, unit))
            yield Remove(_ours(UNITS / f"{unit}.d"))


def _failed(unit: str) -> str:
    """Whether systemd would show it for ever."""
    return "failed" if _said("is-failed", unit) == "failed" else ""


def _ours(folder: Path) -> Path:
    """All of a unit's drop-ins, unless somebody has put one of their own there."""
    others = [file for file in folder.glob("*") if file.name not in (DROP_IN, HARDENING)]
    return folder / DROP_IN if others or folder.name == f"{SUPERVISOR}.d" else folder


def files(planned: Sequence[Planned], wanted: Sequence[str], record: InstallRecord) -> list[Step]:
    """The units' files, and the end of those that are gone."""
    steps: list[Step] = [*gone(wanted), *writes(planned)]
    return [*steps, after_all(steps, record)]


def certificates() -> Step:
    """Looked after from now on."""
    _, timer = CERTIFICATES
    link = UNITS / "timers.target.wants" / timer
    return CommandStep(["systemctl", "enable", "--now", timer], lambda: "" if link.is_symlink() else "new")


def enabled(wanted: Sequence[str]) -> Step:
    """All of them with the target, and the target with the machine."""
    links = {unit: WANTS / unit for unit in wanted} | {TARGET: UNITS / "multi-user.target.wants" / TARGET}
    missing = [unit for unit, link in links.items() if not link.is_symlink()]
    return CommandStep(["systemctl", "enable", *missing], lambda: "new" if missing else "")


def started(unit: str) -> Step:
    """Alone: a target that is started anew together with its units ends them once more."""
    stopped = "" if active(unit) else "new"
    return CommandStep(["systemctl", "start", unit], lambda: stopped)


@dataclass(frozen=True)
class Run:
    """The units, with what they run with now: started, or anew if that has changed.

    Attributes:
        stamps: of all that each runs with.
        record: what they were started with last.
    """

    stamps: Mapping[str, str]
    record: InstallRecord = field(repr=False)

    @property
    def stale(self) -> list[str]:
        """Those that do not run as they should."""
        return [
            unit for unit, stamp in self.stamps.items() if self.record.stamps.get(unit) != stamp or not active(unit)
        ]

    def __str__(self) -> str:
        """As a shell would take it."""
        return " ".join(["systemctl", "restart", *self.stale])

    def needed(self) -> str:
        """Whether there is such a one."""
        return "new" if self.stale else ""

    def do(self) -> None:
        """What does not start is said afterwards, of each; the others run."""
        stale = self.stale
        subprocess.run(["systemctl", "restart", *stale], check=False, capture_output=True, env={"PATH": PATH})  # noqa: S603, S607
        known = {unit: stamp for unit, stamp in self.record.stamps.items() if unit in self.stamps}
        self.record.stamps = known | {unit: self.stamps[unit] for unit in stale if active(unit)}
        self.record.write()


def broker(planned: Sequence[Planned], record: InstallRecord) -> list[Step]:
    """Mosquitto with its files as they are now. Listeners are opened only at its start; the rest it reads anew."""
    ours = writes(one for one in planned if one.path.is_relative_to(MOSQUITTO))
    conf_d = (step for step in ours if step.planned.path.is_relative_to(MOSQUITTO / "conf.d"))
    settings = follows(*conf_d, undone=record.undone)
    rest = follows(*ours)
    stopped = "" if active(MOSQUITTO_UNIT) else "stopped"
    link = UNITS / "multi-user.target.wants" / MOSQUITTO_UNIT

    def remember() -> None:
        record.services.append(MOSQUITTO_UNIT)
        record.write()

    return [
        *ours,
        CommandStep(["systemctl", "enable", MOSQUITTO_UNIT], lambda: "" if link.is_symlink() else "new", done=remember),
        CommandStep(["systemctl", "restart", MOSQUITTO_UNIT], lambda: settings() or stopped),
        CommandStep(["systemctl", "reload", MOSQUITTO_UNIT], lambda: "" if settings() or stopped else rest()),
    ]


def _broker_files() -> list[Remove]:
    return [Remove(file) for file in (*(MOSQUITTO / "conf.d" / name for name in CONF_D), MOSQUITTO / "penates")]


def broker_elsewhere(record: InstallRecord) -> list[Step]:
    """What we have opened here is closed again; whoever had a Mosquitto before keeps it."""
    ours, (_, timer) = _broker_files(), CERTIFICATES
    units = [Remove(UNITS / name) for name in CERTIFICATES]
    brought = PACKAGES["mosquitto"] in record.packages or MOSQUITTO_UNIT in record.services
    end = CommandStep(["systemctl", "disable", "--now", MOSQUITTO_UNIT], follows(*ours) if brought else str)
    undone = record.undone if program("mosquitto") and not brought else ""
    again = str if brought else follows(*ours, undone=undone)
    steps: list[Step] = [end, CommandStep(["systemctl", "disable", "--now", timer], follows(*units)), *ours, *units]
    return [*steps, CommandStep(["systemctl", "try-restart", MOSQUITTO_UNIT], again)]


def no_broker(record: InstallRecord, *, purge: bool) -> Iterator[Step]:
    """As it was before us; one that came with us goes with us."""
    ours = _broker_files()
    yield from ours
    if record.packages:
        yield CommandStep(
            ["apt-get", "purge" if purge else "remove", "--yes", *record.packages], lambda: "installed with us"
        )
    if PACKAGES["mosquitto"] in record.packages:
        return
    if MOSQUITTO_UNIT in record.services:
        yield CommandStep(["systemctl", "disable", "--now", MOSQUITTO_UNIT], lambda: "enabled by us")
    else:
        yield CommandStep(["systemctl", "try-restart", MOSQUITTO_UNIT], follows(*ours, undone=record.undone))


def house_files(planned: Sequence[Planned]) -> list[Step]:
    """What is not the broker's."""
    return [*writes(one for one in planned if not one.path.is_relative_to(MOSQUITTO))]
