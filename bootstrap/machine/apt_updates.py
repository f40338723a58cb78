"""Which updates of Debian are waiting, by the lists that apt has, and without a right of our own."""

import errno
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path

from bootstrap.answers.program_run import ProgramRun
from bootstrap.device import Value
from bootstrap.sysfs import missing, present

LIMIT_S = 25.0
DAY_S = 86_400.0
UPDATE = re.compile(r"^Inst (?P<package>\S+) \[[^\]]*\] \((?P<origins>[^\[)]*)", re.MULTILINE)
SECURITY = re.compile(r"-security\b|Debian-Security", re.IGNORECASE)
RELEASE = re.compile(r"^(?:SHA256|MD5Sum):", re.MULTILINE)  # in a Release file, the end of what says whose it is
# What apt would do, in memory alone: it neither locks nor writes anything.
OPTIONS = ("Debug::NoLocking=true", "Dir::Cache::pkgcache=", "Dir::Cache::srcpkgcache=")
LISTS, INSTALLED, STARTED = "var/lib/apt/lists", "var/lib/dpkg/info", "proc/stat"
KERNELS = ("linux-image-*.list", "raspberrypi-kernel.list", "raspberrypi-bootloader.list", "raspi-firmware.list")
START = re.compile(r"^btime (\d+)$", re.MULTILINE)  # in seconds since 1970
REQUIRED = ("run/reboot-required", "var/run/reboot-required")


class AptUpdates:
    """Looks for updates."""

    def __init__(self, apt_get: str, root: Path) -> None:
        """Look below `root`, the root of the machine's file system."""
        self._root = root
        place = [] if root == Path("/") else [f"Dir={root}", f"Dir::State::status={root}/var/lib/dpkg/status"]
        options = [word for option in (*place, *OPTIONS) for word in ("-o", option)]
        self._run = ProgramRun([apt_get, *options, "--simulate", "--quiet", "dist-upgrade"], LIMIT_S)

    def reading(self) -> dict[str, Value | OSError | ValueError]:
        """Return how many updates are waiting, how old the lists are, and whether the machine must be restarted.

        Raises:
            OSError: apt cannot tell.
        """
        more = present(lists_age=lambda: self.lists_age_d, restart_required=lambda: self.restart_required)
        return {**self._waiting(), **more}

    def _waiting(self) -> Mapping[str, int]:
        """Return how many `updates` are waiting, and how many of them are for `security` where a source is for that."""
        self.lists_age_d  # noqa: B018 - without lists apt finds no update, which is none of its words
        text, _ = self._run.timed_output()
        found = [match["origins"] for match in UPDATE.finditer(text)]
        security = sum(bool(SECURITY.search(origins)) for origins in found)
        return {"updates": len(found), **({"security": security} if security or self._has_security else {})}

    @property
    def _has_security(self) -> bool:
        """Whether a list is of Debian's security team; Raspbian, for armhf, has none."""
        releases = [file for file in _files(self._root / LISTS) if file.name.endswith("Release")]
        return any(SECURITY.search(RELEASE.split(file.read_text(errors="replace"))[0]) for file in releases)

    @property
    def lists_age_d(self) -> float:
        """The days since apt has fetched its lists.

        Raises:
            OSError: it never has.
        """
        folder = self._root / LISTS
        if not any(file.name.endswith(("Release", "Packages")) for file in _files(folder)):
            raise OSError(f"apt has no lists in {folder}: run sudo apt-get update")
        newest = max(found.stat().st_mtime for found in (folder, folder / "partial") if found.exists())
        return round(max(0.0, time.time() - newest) / DAY_S, 2)

    @property
    def restart_required(self) -> bool:
        """Whether the machine must be restarted: a package says so, or a kernel was installed since the start."""
        if any((self._root / file).exists() for file in REQUIRED):
            return True
        started = START.search((self._root / STARTED).read_text(encoding="ascii"))
        if started is None:
            raise ValueError(f"{self._root / STARTED} does not tell when this machine was started")
        kernels = [file for pattern in KERNELS for file in (self._root / INSTALLED).glob(pattern)]
        return any(file.stat().st_mtime > int(started[1]) for file in kernels)

    def end(self) -> None:
        """Look no more."""
        self._run.end()


def _files(folder: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(folder)]
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, missing(folder)) from None
