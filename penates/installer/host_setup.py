"""What a machine must have before it can be a house: programs, a user, a name on the PATH."""

import grp
import os
import pwd
from collections.abc import Iterator, Sequence
from pathlib import Path

from penates.files.install_paths import COMMAND, ON_PATH, STATE, USER
from penates.files.planned_file import SECRET, Planned
from penates.installer.install_record import InstallRecord
from penates.installer.steps import CommandStep, LinkStep, Remove, Step, follows, program

PACKAGES = {"mosquitto": "mosquitto", "mosquitto_sub": "mosquitto-clients"}  # by what they bring
DEVICE_GROUPS = ("gpio", "i2c", "spi")
OURS = "# Made by `penates install`, so that mosquitto_sub may look."


def packages(record: InstallRecord, *, broker: bool) -> list[Step]:
    """Those that are missing."""
    missing = [PACKAGES[name] for name in PACKAGES if (broker or name != "mosquitto") and not program(name)]

    def remember() -> None:
        record.packages += missing
        record.write()

    why = " and ".join(missing) and "new"
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    return [CommandStep(["apt-get", "update"], lambda: why), CommandStep(install, lambda: why, done=remember)]


def user() -> list[Step]:
    """Who the sensors run as, with the groups that may use lines and buses; and who installs may look."""
    made = ["useradd", "--system", "--gid", USER, "--home-dir", str(STATE), "--no-create-home"]
    steps: list[Step] = [
        CommandStep(["groupadd", "--system", USER], lambda: "" if _group(USER) else "new"),
        CommandStep([*made, "--shell", "/usr/sbin/nologin", USER], lambda: "" if _there(USER) else "new"),
    ]
    joins = [(USER, group) for group in DEVICE_GROUPS if _group(group)]
    if person := invoker():
        joins.append((person.pw_name, USER))
    return [*steps, *(_join(name, group) for name, group in joins)]


def no_user() -> list[Step]:
    """Nobody left; the group goes with its user."""
    return [
        CommandStep(["userdel", USER], lambda: "there" if _ours(USER) else ""),
        CommandStep(
            ["groupdel", USER], lambda: "there" if _group(USER) and not (_there(USER) and not _ours(USER)) else ""
        ),
    ]


def _join(name: str, group: str) -> CommandStep:
    def because() -> str:
        known = _group(group)
        return "" if known and name in known.gr_mem else "new"

    return CommandStep(["usermod", "--append", "--groups", group, name], because)


def _group(name: str) -> grp.struct_group | None:
    try:
        return grp.getgrnam(name)
    except KeyError:
        return None


def _there(name: str) -> bool:
    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False


def _ours(name: str) -> bool:
    """Whether we have made this user: who lives elsewhere was there before."""
    return _there(name) and pwd.getpwnam(name).pw_dir == str(STATE)


def invoker() -> pwd.struct_passwd | None:
    """Who said `sudo`, or would have to; None is root."""
    name = os.environ.get("SUDO_USER")
    try:
        person = pwd.getpwnam(name) if name else pwd.getpwuid(os.getuid())
    except KeyError:
        return None
    return person if person.pw_uid else None


def on_the_path() -> list[Step]:
    """The command."""
    return [LinkStep(ON_PATH, COMMAND)]


def looking(record: InstallRecord, options: Sequence[str], password: str) -> Iterator[Planned]:
    """What lets `mosquitto_sub` of whoever installs look: the password never stands on a command line."""
    person = invoker() or pwd.getpwuid(os.getuid())
    file = Path(person.pw_dir, ".config", "mosquitto_sub")
    place = next((folder for folder in file.parents if folder.exists()), file)
    if place.stat().st_uid != person.pw_uid or (file.exists() and not _made(file)):
        return  # no home, or a file of their own
    owner, group = person.pw_name, grp.getgrgid(person.pw_gid).gr_name
    if not file.parent.exists():
        yield Planned(file.parent, None, 0o700, owner, group, personal=True)
    text = "\n".join([OURS, *options, f"-P {password}", ""])
    yield Planned(file, text.encode(), SECRET, owner, group, personal=True)
    record.files = sorted({*record.files, str(file)})


def _made(file: Path) -> bool:
    """Whether it is by us, and nobody has put one of their own in its place."""
    return file.is_file() and file.read_text(errors="replace").startswith(OURS)


def not_looking(record: InstallRecord) -> list[Step]:
    """Take it away again."""
    return [Remove(file) for file in map(Path, record.files) if _made(file)]


def after_all(steps: Sequence[Step], record: InstallRecord) -> Step:
    """Have systemd read its units anew, if one of these steps touches them."""
    return CommandStep(["systemctl", "daemon-reload"], follows(*steps, undone=record.undone))
