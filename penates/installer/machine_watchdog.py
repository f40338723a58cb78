"""The watchdog of the machine: systemd serves it, and if the kernel or systemd hangs, the hardware starts it anew."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from penates.files.planned_file import FOLDER_MODE, Planned
from penates.installer.steps import Remove, Step

FOLDER = Path("/etc/systemd/system.conf.d")
FILE = FOLDER / "penates.conf"
LIMIT_S = 15  # the most that a Pi's watchdog can do is 16
TEXT = f"# Made by `penates install --watchdog`.\n[Manager]\nRuntimeWatchdogSec={LIMIT_S}\n"
DEVICES = "dev/watchdog*"
STATES, ACTIVE = "sys/class/watchdog/*/state", "active"
OFFER = "sudo penates install --watchdog has its hardware restart it when it hangs"


def planned() -> list[Planned]:
    """Return the file by which systemd serves the watchdog, which it reads when it reloads its unit files."""
    return [Planned(FOLDER, None, FOLDER_MODE), Planned(FILE, TEXT.encode())]


def unwanted(wanted: Sequence[Planned] = ()) -> Iterator[Step]:
    """Yield the step that removes our file unless it is wanted, and its folder if nothing else is there."""
    if FILE not in {one.path for one in wanted}:
        others = {file.name for file in FOLDER.glob("*")} - {FILE.name}
        yield Remove(FILE if others or not FILE.exists() else FOLDER)


def has_watchdog(root: Path = Path("/")) -> bool:
    """Return whether this machine has a watchdog."""
    return any(root.glob(DEVICES))


def is_active(root: Path = Path("/")) -> bool:
    """Return whether a program serves a watchdog of this machine: systemd, or the Debian package `watchdog`."""
    return any(state.read_text(encoding="ascii").strip() == ACTIVE for state in root.glob(STATES))
