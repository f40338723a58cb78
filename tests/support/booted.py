"""A real systemd that runs as the first process of a machine of its own, with these units alone; root can start it."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bootstrap.package_data import folder
from penates.installer.unit_files import HARDENING
from support.paths import ROOT
from support.world import PATIENCE_S, eventually

SYSTEMD = Path("/lib/systemd/systemd")
TARGET = "begin.target"
ENDS = [f"{name}.target" for name in ("sysinit", "basic", "reboot", "poweroff", "shutdown", "umount", "final")]
ENDS += ["systemd-reboot.service", "systemd-poweroff.service"]
# Nothing of this machine can be written there, and what is written there is gone with it. Our own files are there, even
# if they are below a folder that is another one there.
BOOT = """
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd /run/lock /run/dbus
cp -r "$1" /run/units
mkdir /run/checkout
mount --bind "$4" /run/checkout
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /var
mkdir -p /var/lib /var/tmp "$4"
mount --bind /run/checkout "$4"
mount -o remount,bind,ro "$4"
mount -o remount,bind,ro /
export container=test SYSTEMD_UNIT_PATH=/run/units
export SYSTEMD_GENERATOR_PATH=/nonexistent SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/nonexistent
exec "$2" --system --unit="$3" --show-status=no --log-target=console
"""
OWN = ["--fork", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--mount-proc", "--kill-child"]


# What lets those who are not root speak to systemd.
BUS = {
    "dbus.socket": "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=/run/dbus/system_bus_socket\n",
    "dbus.service": "[Unit]\nDefaultDependencies=no\nRequires=dbus.socket\n[Service]\nType=notify\nNotifyAccess=main\n"
    "ExecStart=/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation\n",
}


def sandboxed(unit: str) -> dict[str, str]:
    """Return the sandbox of a sensor for a unit, with a user that every machine has."""
    text = (folder("systemd") / HARDENING).read_text()
    assert "User=penates\nGroup=penates\n" in text
    return {f"{unit}.d/{HARDENING}": text.replace("=penates\nGroup=penates\n", "=daemon\nGroup=daemon\n")}


class BootedMachine:
    """What runs there."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process

    @property
    def first(self) -> int:
        """The process id of its systemd, as we see it; 0 if there is none."""
        try:
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        except FileNotFoundError:
            return 0
        return int(children[0]) if children else 0

    @property
    def has_booted(self) -> bool:
        return self.first > 0 and self.says("systemctl", "is-active", TARGET) == "active"

    def entered(self, *command: str) -> list[str]:
        """Return a command that runs there."""
        return ["nsenter", f"--target={self.first}", "--mount", "--pid", "--uts", "--ipc", *command]

    def end(self) -> int:
        """Wait until the machine ends by itself, and return how: by SIGHUP to start again, by SIGINT to stay off.

        So the kernel tells what the first process of such a machine has asked of it (reboot(2), pid_namespaces(7)).
        """
        return -self.process.wait(PATIENCE_S)

    def says(self, *command: str) -> str:
        """Return what a command prints there, whether it fails or not."""
        done = subprocess.run(self.entered(*command), capture_output=True, text=True, check=False)
        return done.stdout.strip()


@contextmanager
def booted(place: Path, units: Mapping[str, str], start: Sequence[str]) -> Iterator[BootedMachine]:
    """Boot a machine that has these units, by their names, and what systemd itself needs to end; it starts some."""
    able = os.geteuid() == 0 and SYSTEMD.exists() and shutil.which("unshare") and shutil.which("nsenter")
    assert able, "a systemd of our own needs root, systemd, unshare and nsenter: run scripts/test as root on Debian"
    units_of = place / "units"
    units_of.mkdir()
    (units_of / TARGET).write_text(f"[Unit]\nDefaultDependencies=no\nWants={' '.join(start)}\n")
    for name, text in units.items():
        (units_of / name).parent.mkdir(exist_ok=True)
        (units_of / name).write_text(text)
    for name in ENDS:
        (units_of / name).symlink_to(SYSTEMD.parent / "system" / name)
    command = ["unshare", *OWN, "sh", "-c", BOOT, "boot", str(units_of), str(SYSTEMD), TARGET, str(ROOT)]
    with (place / "console").open("wb") as console:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
    machine = BootedMachine(process)
    try:
        eventually(lambda: machine.has_booted, f"it has booted; {place}/console has what it says")
        yield machine
    finally:
        process.kill()
        process.wait()
