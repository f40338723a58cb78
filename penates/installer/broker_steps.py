"""The steps that bring Mosquitto into the state that the house needs, and back."""

import grp
import os
import pwd
import stat
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bootstrap.supervisor.control_socket import Unavailable
from penates.broker.expected_broker import ExpectedBroker
from penates.broker.mosquitto_files import (
    BRIDGES,
    CONF_D,
    LISTENERS,
    AccessFiles,
    sensors_that_go,
    with_those_that_go,
)
from penates.broker.open_ports import connections, listener_of
from penates.broker.taken_over import given_back
from penates.files.install_paths import MOSQUITTO, UNITS
from penates.files.planned_file import Planned
from penates.fleet.already_running import alive
from penates.fleet.probe import Unreachable
from penates.installer.host_setup import PACKAGES
from penates.installer.house_plan import HousePlan
from penates.installer.install_record import InstallRecord
from penates.installer.steps import CommandStep, Remove, Step, follows, program, writes
from penates.installer.systemd_steps import active, main_process, systemctl
from penates.installer.unit_files import CERTIFICATES, CERTIFICATES_ENABLED

MOSQUITTO_UNIT = "mosquitto.service"
USERS, RULES = MOSQUITTO / "penates" / "passwords", MOSQUITTO / "penates" / "acl"
PATIENCE_S = 10.0  # for a broker to read its files again
PAUSE_S = 0.1


@dataclass(frozen=True)
class FormerPath:
    """What was at a path before: a file, a folder, or nothing."""

    path: Path
    planned: Planned | None

    @classmethod
    def of(cls, path: Path) -> "FormerPath":
        """Read it.

        Raises:
            OSError: it cannot be read.
        """
        try:
            found = path.stat()
        except FileNotFoundError:
            return cls(path, None)
        content = None if stat.S_ISDIR(found.st_mode) else path.read_bytes()
        owner, group = pwd.getpwuid(found.st_uid).pw_name, grp.getgrgid(found.st_gid).gr_name
        return cls(path, Planned(path, content, stat.S_IMODE(found.st_mode), owner, group))

    def restore(self) -> None:
        """Make it as it was."""
        if self.planned:
            self.planned.write()
        else:
            Remove(self.path).do()


@dataclass(frozen=True)
class ServeStep:
    """Has Mosquitto use its new files, and checks that it is then as it must be; otherwise all is put back.

    Attributes:
        expected: what the broker must be like.
        former: our files as they were before.
        verb: `restart` or `reload`.
        because: why it must be done; empty if it need not be.
    """

    expected: ExpectedBroker
    former: Sequence[FormerPath] = field(repr=False)
    verb: str
    because: str
    ran: bool = field(default_factory=lambda: active(MOSQUITTO_UNIT))

    def __str__(self) -> str:
        """Return it as a shell command."""
        return f"systemctl {self.verb} {MOSQUITTO_UNIT}"

    def needed(self) -> str:
        """Return why it must be done."""
        return self.because

    def do(self) -> None:
        """Restart or reload it, and look at it.

        Raises:
            Unavailable: it is not as it must be; it was put back.
        """
        try:
            CommandStep(["systemctl", self.verb, MOSQUITTO_UNIT], str).do()
            problems = self._problems()
        except Unavailable as error:
            problems = [*_taken_ports(self.expected), str(error)]
        if problems:
            self._put_back()
            end = "runs again" if active(MOSQUITTO_UNIT) else "does not run"
            raise Unavailable(f"Mosquitto {'; '.join(problems)}\nits files are as they were before, and it {end}")

    def _problems(self) -> list[str]:
        """Return what is wrong with the running broker. A reload takes effect a moment after systemctl has ended."""
        try:
            wrong = [*self.expected.wrong_listeners(main_process(MOSQUITTO_UNIT))]
        except OSError:
            return ["does not run"]
        deadline = time.monotonic() + PATIENCE_S * (self.verb == "reload")
        while not wrong and (problems := [*self.expected.wrong_logins()]):
            if time.monotonic() >= deadline:
                return problems
            time.sleep(PAUSE_S)
        return wrong

    def _put_back(self) -> None:
        for one in reversed(self.former):
            one.restore()
        systemctl(self.verb if self.ran else "stop", MOSQUITTO_UNIT)


class BrokerSteps(NamedTuple):
    """The steps that bring in the broker's new files.

    Attributes:
        serve: those that run Mosquitto with them. Users and rules that go stay until their sensors have ended.
        without_those_that_go: those that end the access of what is no longer in the house, after everything else.
    """

    serve: Sequence[Step]
    without_those_that_go: Sequence[Step]


def require_success(plan: HousePlan, record: InstallRecord) -> None:
    """Try Mosquitto with its new files, if it is installed already and they are new to it; nothing is changed.

    Raises:
        SettingsError, Unavailable, OSError: it would not be as it must be.
    """
    mosquitto = program("mosquitto")
    if not (plan.local and mosquitto) or os.geteuid() or not any(step.needed() for step in broker(plan, record).serve):
        return
    own = main_process(MOSQUITTO_UNIT) if active(MOSQUITTO_UNIT) else 0
    if taken := _taken_ports(plan.expected_broker, own):
        raise Unavailable("; ".join(taken))
    plan.try_broker(mosquitto)
    if own and not (MOSQUITTO / "conf.d" / LISTENERS).exists():
        _announce_takeover(own)


def _taken_ports(expected: ExpectedBroker, own: int = 0) -> list[str]:
    """Return which of our ports another process has; `own` is Mosquitto's process."""
    found = {port: listener_of(port) for port in expected.ports}
    return [
        f"cannot use port {port}: {holder} has it. Stop that, or, if it is a broker, use it: "
        f"sudo penates install --broker localhost:{port}"
        for port, holder in found.items()
        if holder and not holder.endswith(f"(process {own})")
    ]


def clients() -> int:
    """Return how many clients are connected to Mosquitto on this machine."""
    with suppress(OSError):
        return connections(main_process(MOSQUITTO_UNIT)) if active(MOSQUITTO_UNIT) else 0
    return 0


def _announce_takeover(process: int) -> None:
    """Tell who has been using this Mosquitto what changes for them."""
    if connected := connections(process):
        counted = f"{connected} client{'s are' if connected > 1 else ' is'}"
        change = "from now on each needs a user and a password, and may send at most 100 kB at once"
        print(f"{counted} connected to Mosquitto; {change}: docs/BROKER.md, Users", file=sys.stderr)


def broker(plan: HousePlan, record: InstallRecord) -> BrokerSteps:
    """Return the steps that run Mosquitto with its new files."""
    now, wanted, until_then = _access(plan)
    going = _without_those_that_go(plan, sensors_that_go(now, wanted)) if until_then else []
    return BrokerSteps(_serve(plan, record, until_then), going)


def _serve(plan: HousePlan, record: InstallRecord, until_then: Sequence[Planned]) -> list[Step]:
    """Return the steps that run Mosquitto. New listeners need a restart; the rest is reloaded."""
    ours = writes(one for one in [*plan.planned, *until_then] if one.path.is_relative_to(MOSQUITTO))
    conf_d = [step for step in ours if step.planned.path.is_relative_to(MOSQUITTO / "conf.d")]
    planned = [step.planned.path for step in ours]
    gone = [Remove(file) for file in [MOSQUITTO / "conf.d" / BRIDGES] if file not in planned]
    restart = follows(*conf_d, *gone, undone=record.undone)()
    link = UNITS / "multi-user.target.wants" / MOSQUITTO_UNIT

    def remember() -> None:
        record.services.append(MOSQUITTO_UNIT)
        record.write()

    restart = restart or ("" if active(MOSQUITTO_UNIT) else "stopped")
    serve = partial(ServeStep, plan.expected_broker, [*map(FormerPath.of, [*planned, *(one.path for one in gone)])])
    return [
        *ours,
        *gone,
        CommandStep(["systemctl", "enable", MOSQUITTO_UNIT], lambda: "" if link.is_symlink() else "new", done=remember),
        serve("restart", restart),
        serve("reload", "" if restart else follows(*ours)()),
    ]


@dataclass(frozen=True)
class AwaitStep:
    """Waits until sensors that go have said that they have stopped: a reload only asks for it."""

    sensors: Collection[str]
    alive: Callable[[Collection[str]], Collection[str]] = field(repr=False)

    def __str__(self) -> str:
        """Return what is awaited."""
        return f"wait for the end of {', '.join(sorted(self.sensors))}"

    def needed(self) -> str:
        """Return why; empty if there is no such sensor."""
        return "they go" if self.sensors else ""

    def do(self) -> None:
        """Wait, but not for ever: one may be on a machine that is off."""
        deadline = time.monotonic() + PATIENCE_S
        with suppress(Unreachable):
            while self.alive(self.sensors) and time.monotonic() < deadline:
                time.sleep(PAUSE_S)


def _without_those_that_go(plan: HousePlan, sensors: Collection[str]) -> list[Step]:
    """Return the steps that end the access of what is no longer in the house."""
    ours = [one for one in plan.planned if one.path in (USERS, RULES)]
    serve = ServeStep(
        plan.expected_broker,
        [FormerPath.of(one.path) for one in ours],
        "reload",
        "what has ended loses its access",
    )
    awaited = [AwaitStep(sensors, partial(alive, plan.access))] if plan.access else []
    return [*awaited, *writes(ours), serve]


def _access(plan: HousePlan) -> tuple[AccessFiles, AccessFiles, list[Planned]]:
    """Return the broker's users and rules as they are, as they will be, and the files until then if something goes."""
    users, rules = ours = [one for one in plan.planned if one.path in (USERS, RULES)]
    now = AccessFiles(*(one.path.read_text() if one.path.exists() else "" for one in ours))
    wanted = AccessFiles(*((one.content or b"").decode() for one in ours))
    both = with_those_that_go(now, wanted)
    if both is None:
        return now, wanted, []
    until_then = [replace(users, content=both.users.encode()), replace(rules, content=both.rules.encode())]
    return now, wanted, until_then


def _broker_files() -> list[Remove]:
    return [Remove(file) for file in (*(MOSQUITTO / "conf.d" / name for name in CONF_D), MOSQUITTO / "penates")]


def _restart_without_ours(record: InstallRecord, ours: Sequence[Step]) -> Step:
    """Return the step that restarts a Mosquitto that was there before, and only if our files were in it.

    Others use it. So that a run was interrupted is no reason by itself: it may never have been ours.
    """
    why = follows(*ours)()
    record.restart_owed = bool(why) or record.restart_owed

    def settle() -> None:
        record.restart_owed = False
        record.write()

    owed = why or (record.restart_owed and program("mosquitto") and record.undone) or ""
    return CommandStep(["systemctl", "try-restart", MOSQUITTO_UNIT], lambda: owed, done=settle)


def close_broker(record: InstallRecord) -> list[Step]:
    """Return the steps that undo our broker here; a Mosquitto that was there before goes on without our files."""
    ours: list[Step] = [*_broker_files(), *writes(given_back(MOSQUITTO))]
    _, timer = CERTIFICATES
    units = [Remove(UNITS / name) for name in CERTIFICATES]
    enabled = "enabled" if CERTIFICATES_ENABLED.is_symlink() else ""
    started_by_us = PACKAGES["mosquitto"] in record.packages or MOSQUITTO_UNIT in record.services

    def forget() -> None:
        record.services = [one for one in record.services if one != MOSQUITTO_UNIT]  # who enables it now needs it
        record.write()

    why = follows(*ours) if started_by_us else str
    stop = CommandStep(["systemctl", "disable", "--now", MOSQUITTO_UNIT], why, done=forget)
    steps: list[Step] = [
        stop,
        CommandStep(["systemctl", "disable", "--now", timer], follows(*units, undone=enabled)),
        *ours,
        *units,
    ]
    return steps if started_by_us else [*steps, _restart_without_ours(record, ours)]


def remove_broker(record: InstallRecord, *, purge: bool, packages: bool = True) -> Iterator[Step]:
    """Yield the steps that leave Mosquitto as it was before the installation; one that we installed is removed.

    Without `packages` it only no longer runs.
    """
    ours: list[Step] = [*_broker_files(), *writes(given_back(MOSQUITTO))]
    restart = _restart_without_ours(record, ours)
    yield from ours
    installed = PACKAGES["mosquitto"] in record.packages
    if record.packages and packages:
        yield CommandStep(
            ["apt-get", "purge" if purge else "remove", "--yes", *record.packages], lambda: "installed with us"
        )
    if installed and packages:
        return
    if installed or MOSQUITTO_UNIT in record.services:
        because = restart.needed() or ("enabled by us" if MOSQUITTO_UNIT in record.services else "")
        yield CommandStep(["systemctl", "disable", "--now", MOSQUITTO_UNIT], lambda: because)
    else:
        yield restart
