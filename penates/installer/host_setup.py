"""What a machine needs before it can run a house: packages, the sensors' user, the command on the PATH."""

import grp
import os
import pwd
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bootstrap.needs import ChildProgram
from penates.files.install_paths import COMMAND, LOOKERS, ON_PATH, PACKAGED, STATE, USER
from penates.files.planned_file import SECRET, Planned
from penates.installer.install_record import InstallRecord
from penates.installer.steps import CommandStep, LinkStep, Remove, Step, follows, program, writes

PACKAGES = {"mosquitto": "mosquitto", "mosquitto_sub": "mosquitto-clients"}  # by the program each provides
DEVICE_GROUPS = ("gpio", "i2c", "spi")
ECHO, ECHO_RANGE = Path("/etc/sysctl.d/60-penates-ping.conf"), "proc/sys/net/ipv4/ping_group_range"
SYSTEM_GROUPS = (100, 999)  # the first and the last number that the group of a service may have
MARK = "# Made by `penates install`"  # how a file of ours is recognised


def packages(record: InstallRecord, programs: Iterable[ChildProgram] = (), *, broker: bool) -> list[Step]:
    """Return the steps that install the missing packages: our own, and those of the programs that devices run."""
    ours = [ChildProgram(*one) for one in PACKAGES.items() if broker or one[0] != "mosquitto"]
    wanted = [*ours, *(one for one in programs if one.package)]
    missing = [*dict.fromkeys(one.package for one in wanted if not program(one.name))]

    def remember() -> None:
        record.packages += missing
        record.write()

    why = " and ".join(missing) and "new"
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    return [CommandStep(["apt-get", "update"], lambda: why), CommandStep(install, lambda: why, done=remember)]


def user(groups: Iterable[str] = ()) -> list[Step]:
    """Return the steps that create the sensors' user and add it to the groups for GPIO and buses, and to `groups`.

    The person who installs joins the sensors' group, which may read their state, and the group of those who may look.
    """
    made = ["useradd", "--system", "--gid", USER, "--home-dir", str(STATE), "--no-create-home"]
    steps: list[Step] = [
        *(_new_group(name) for name in (USER, LOOKERS)),
        CommandStep([*made, "--shell", "/usr/sbin/nologin", USER], lambda: "" if _exists(USER) else "new"),
    ]
    joins = [(USER, group) for group in sorted({*DEVICE_GROUPS, *groups}) if _group(group)]
    if person := invoker():
        joins += [(person.pw_name, USER), (person.pw_name, LOOKERS)]
    return [*steps, *(_join(name, group) for name, group in joins)]


def echo(*, needed: bool) -> Iterator[Step]:
    """Yield the steps that let everybody ask hosts by ICMP, as newer systems do by themselves; or undo that."""
    if not needed:
        yield Remove(ECHO)
    elif ECHO.exists() or not all(may_echo([group]) for group in SYSTEM_GROUPS):
        yield from (write := writes([Planned(ECHO, f"{MARK}.\nnet.ipv4.ping_group_range = 0 2147483647\n".encode())]))
        yield CommandStep(["systemctl", "restart", "systemd-sysctl.service"], follows(*write))


def may_echo(groups: Iterable[int], root: Path = Path("/")) -> bool:
    """Return whether the kernel lets one of these groups ask hosts by ICMP; True where it does not tell."""
    try:
        low, high = map(int, (root / ECHO_RANGE).read_text(encoding="ascii").split())
    except FileNotFoundError:
        return True
    return any(low <= group <= high for group in groups)


def remove_user() -> list[Step]:
    """Return the steps that delete the sensors' user, and its group unless a user of that name remains."""
    return [
        CommandStep(["groupdel", LOOKERS], lambda: "there" if _group(LOOKERS) else ""),
        CommandStep(["userdel", USER], lambda: "there" if _created_by_us(USER) else ""),
        CommandStep(
            ["groupdel", USER],
            lambda: "there" if _group(USER) and not (_exists(USER) and not _created_by_us(USER)) else "",
            moot=lambda: not _group(USER),  # `userdel` deletes it, too, if nobody else is in it
        ),
    ]


def _new_group(name: str) -> CommandStep:
    return CommandStep(["groupadd", "--system", name], lambda: "" if _group(name) else "new")


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


def _exists(name: str) -> bool:
    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False


def _created_by_us(name: str) -> bool:
    """Return whether `penates install` created this user: one with another home directory was there before."""
    return _exists(name) and pwd.getpwnam(name).pw_dir == str(STATE)


def invoker() -> pwd.struct_passwd | None:
    """Return the person who ran `sudo`, or runs this without it; None is root."""
    name = os.environ.get("SUDO_USER")
    try:
        person = pwd.getpwnam(name) if name else pwd.getpwuid(os.getuid())
    except KeyError:
        return None
    return person if person.pw_uid else None


def command_link() -> list[Step]:
    """Return the step that puts the command on the PATH, where the Debian package has one of its own."""
    return [Remove(ON_PATH)] if PACKAGED.exists() else [LinkStep(ON_PATH, COMMAND)]


def mosquitto_sub_options(record: InstallRecord, options: Sequence[str]) -> Iterator[Planned]:
    """Yield the options file of `mosquitto_sub` for the person who installs: no password is on a command line then."""
    person = invoker() or pwd.getpwuid(os.getuid())
    file = Path(person.pw_dir, ".config", "mosquitto_sub")
    existing = next((folder for folder in file.parents if folder.exists()), file)
    if existing.stat().st_uid != person.pw_uid or (file.exists() and not _written_by_us(file)):
        return  # no home directory, or a file of their own
    owner, group = person.pw_name, grp.getgrgid(person.pw_gid).gr_name
    if not file.parent.exists():
        yield Planned(file.parent, None, 0o700, owner, group, personal=True)
    text = "\n".join([f"{MARK} for mosquitto_sub.", *options, ""])
    yield Planned(file, text.encode(), SECRET, owner, group, personal=True)
    record.files = sorted({*record.files, str(file)})


def _written_by_us(file: Path) -> bool:
    """Return whether `penates install` wrote this file, and nobody has replaced it with one of their own."""
    return file.is_file() and file.read_text(errors="replace").startswith(MARK)


def remove_mosquitto_sub_options(record: InstallRecord) -> list[Step]:
    """Return the steps that remove the options files of `mosquitto_sub` that we wrote."""
    return [Remove(file) for file in map(Path, record.files) if _written_by_us(file)]


def daemon_reload(steps: Sequence[Step], record: InstallRecord) -> Step:
    """Return the step that has systemd reload its unit files, needed if one of these steps changes them."""
    return CommandStep(["systemctl", "daemon-reload"], follows(*steps, undone=record.undone))
