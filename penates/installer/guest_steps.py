"""The steps that add our users and rules to a Mosquitto of others on this machine, and that remove them again."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from bootstrap.supervisor.control_socket import Unavailable
from penates.broker.local_mosquitto import faults_of, ours_in, with_ours, without_ours
from penates.broker.mosquitto_files import AccessFiles, sensors_that_go, with_those_that_go
from penates.files.install_paths import HOUSE
from penates.files.planned_file import Planned
from penates.fleet.already_running import alive
from penates.fleet.probe import Unreachable, reach
from penates.installer.broker_steps import MOSQUITTO_UNIT, PATIENCE_S, PAUSE_S, AwaitStep, BrokerSteps, FormerPath
from penates.installer.house_plan import HousePlan
from penates.installer.install_record import InstallRecord
from penates.installer.steps import CommandStep, Step, Write, follows, writes
from penates.installer.systemd_steps import active, systemctl


@dataclass(frozen=True)
class AskToReadStep:
    """Has a Mosquitto of others read its files again, and checks that it lets in our users; else puts all back.

    Attributes:
        plan: the house.
        users: our users there.
        former: its files as they were before.
        because: why it must be done; empty if it need not be.
    """

    plan: HousePlan = field(repr=False)
    users: Sequence[str]
    former: Sequence[FormerPath] = field(repr=False)
    because: str

    def __str__(self) -> str:
        """Return it as a shell command."""
        return f"systemctl reload {MOSQUITTO_UNIT}"

    def needed(self) -> str:
        """Return why it must be done."""
        return self.because

    def do(self) -> None:
        """Reload it, and connect as each of our users. Nobody who is connected is disconnected.

        Raises:
            Unavailable: it does not let one of them in; its files were put back.
        """
        try:
            CommandStep(["systemctl", "reload", MOSQUITTO_UNIT], str).do()
            why = self._refused()
        except Unavailable as error:
            why = str(error)
        if why:
            for one in self.former:
                one.restore()
            systemctl("reload", MOSQUITTO_UNIT)
            raise Unavailable(f"{why}\nthe files of Mosquitto are as they were before, and it has read them again")

    def _refused(self) -> str:
        """Return which user it does not let in, once it has had time to read its files."""
        deadline = time.monotonic() + PATIENCE_S
        why = ""
        for user in self.users:
            while why := self._why_not(user):
                if time.monotonic() >= deadline:
                    return why
                time.sleep(PAUSE_S)
        return why

    def _why_not(self, user: str) -> str:
        access = self.plan.access_as(user)
        try:
            if access:
                reach(access, PATIENCE_S).close()
        except Unreachable as error:
            return f"Mosquitto does not let in our user {user}: {error}"
        return ""


def guest(plan: HousePlan, record: InstallRecord) -> BrokerSteps:
    """Return the steps that add our part to its files; what goes stays in it until its sensors have ended."""
    files = [one for one in plan.planned if not one.path.is_relative_to(HOUSE)]
    now, wanted = _parts([FormerPath.of(one.path).planned for one in files]), _parts(files)
    until_then = [*files]
    if both := with_those_that_go(now, wanted):
        parts: Mapping[bool, str] = {True: both.users, False: both.rules}
        until_then = [_with_part(one, parts[one is files[0]]) for one in files]
    serving = _serve(plan, record, until_then)
    if not both:
        return BrokerSteps(serving, [])
    going = sensors_that_go(now, wanted)
    awaited = [AwaitStep(going, partial(alive, plan.access))] if plan.access else []
    former = [FormerPath.of(one.path) for one in files]
    ended = AskToReadStep(plan, _users(files), former, "what has ended loses its access")
    return BrokerSteps(serving, [*awaited, *writes(files), ended])


def _serve(plan: HousePlan, record: InstallRecord, files: Sequence[Planned]) -> list[Step]:
    steps: list[Step] = [*writes(files)]
    former = [FormerPath.of(one.path) for one in files]
    why = follows(*steps, undone=record.undone)()
    record.shared_files = sorted({*record.shared_files, *(str(one.path) for one in files)})  # also those of before
    return [*steps, AskToReadStep(plan, _users(files), former, why)]


def _users(files: Sequence[Planned]) -> list[str]:
    text = ours_in((files[0].content or b"").decode(errors="surrogateescape")) if files else ""
    return [line.partition(":")[0] for line in text.splitlines()]


def _parts(files: Sequence[Planned | None]) -> AccessFiles:
    """Return our part of the password file and of the access rules."""
    texts = [ours_in(((one and one.content) or b"").decode(errors="surrogateescape")) for one in files]
    return AccessFiles(*[*texts, "", ""][:2])


def _with_part(planned: Planned, part: str) -> Planned:
    text = (planned.content or b"").decode(errors="surrogateescape")
    return replace(planned, content=with_ours(text, part).encode(errors="surrogateescape"))


def _without_part(planned: Planned) -> Planned:
    text = (planned.content or b"").decode(errors="surrogateescape")
    with faults_of(planned.path, text):
        return replace(planned, content=without_ours(text).encode(errors="surrogateescape"))


def leave(record: InstallRecord) -> Iterator[Step]:
    """Yield the steps that remove our part from the files of a Mosquitto of others."""
    found = [FormerPath.of(Path(name)).planned for name in record.shared_files if Path(name).exists()]
    steps = [Write(_without_part(one)) for one in found if one]
    yield from steps
    undone = record.undone if record.shared_files else ""
    why = follows(*steps, undone=undone) if active(MOSQUITTO_UNIT) else str
    yield CommandStep(["systemctl", "reload", MOSQUITTO_UNIT], why, must=False)
