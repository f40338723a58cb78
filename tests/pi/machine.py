"""The machine on which the house is tried, and what was promised of it."""

import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
COPY = "penates-under-test"
PATIENCE_S = 120.0
KEPT = True
PIN = 17  # of the door

failures: list[str] = []


def verdict(what: str, found: object, promised: object = KEPT) -> None:
    """One promise."""
    kept = found == promised
    print(f"{'ok  ' if kept else 'FAIL'} {what}{'' if kept else f': {found}, not {promised}'}", flush=True)
    if not kept:
        failures.append(what)


def wait(true: Callable[[], object], limit_s: float = PATIENCE_S) -> float | None:
    """Seconds until it was; None if it never was."""
    begun = time.monotonic()
    while not true():
        if time.monotonic() - begun > limit_s:
            return None
        time.sleep(0.5)
    return time.monotonic() - begun


@dataclass
class Pi:
    """A machine, reached by a command that runs its last argument there."""

    by: list[str]
    line: str  # the command that pulls a line
    level: str  # the command that prints a line's level
    names: list[str] = field(default_factory=lambda: ["pi", "recorder", "frontdoor"])

    def say(self, command: str, *, must: bool = True, stdin: int | None = subprocess.DEVNULL) -> str:
        """Run it there; what it says."""
        done = subprocess.run([*self.by, command], stdin=stdin, capture_output=True, text=True, check=False)
        if must and done.returncode:
            sys.exit(f"FAIL {command}\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def succeeds(self, command: str) -> bool:
        """Whether it ends well."""
        return (
            subprocess.run([*self.by, command], stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode
            == 0
        )

    def copy(self) -> None:
        """This copy, without what git ignores."""
        names = ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "-z"]
        listed = subprocess.run(names, capture_output=True, check=True).stdout
        pack = ["tar", "-C", str(ROOT), "--null", "-T", "-", "--ignore-failed-read", "-cf", "-"]
        packed = subprocess.run(pack, input=listed, capture_output=True, check=True).stdout
        unpack = f"rm -rf {COPY} && mkdir {COPY} && tar -C {COPY} --no-same-owner -xf -"
        subprocess.run([*self.by, unpack], input=packed, check=True)

    def topics(self, filters: str, limit_s: int = 3) -> dict[str, str]:
        """What is retained."""
        said = self.say(f"timeout {limit_s} mosquitto_sub -v -t {shlex.quote(filters)} --retained-only", must=False)
        return dict(row.split(" ", 1) for row in said.splitlines() if " " in row)

    def states(self) -> dict[str, str]:
        """Of each sensor, by its id."""
        return {topic.split("/")[1]: state for topic, state in self.topics("home/+/status/state").items()}

    def online(self) -> int:
        """How many."""
        return list(self.states().values()).count("online")

    def pids(self) -> dict[str, str]:
        """Of each unit's process."""
        units = " ".join(f"penates@{name}.service" for name in self.names)
        rows = self.say(f"systemctl show --property=MainPID --value {units}").split()
        return dict(zip(self.names, rows, strict=True))

    def pid(self, unit: str) -> str:
        """Of a unit's process; 0 if there is none."""
        return self.say(f"systemctl show --property=MainPID --value penates@{unit}.service")

    def drive(self, level: int) -> None:
        """The door's line, from outside."""
        self.say(self.line.format(pin=PIN, level=level, pull="pu" if level else "pd"))

    def footprint(self) -> dict[str, list[str]]:
        """What an installation could leave behind."""
        return {
            "ports": self.say("ss -Hltn | awk '{print $4}' | sort -u").splitlines(),
            "users": self.say("cut -d: -f1 /etc/passwd; cut -d: -f1 /etc/group | sed s/^/group:/").splitlines(),
            "units": self.say("ls -R /etc/systemd/system").splitlines(),
            "processes": self.say("ps -eo args | grep -c '[/]penates ' || true").splitlines(),
            "files": self.say("sudo find /etc /opt /usr/local /var/lib /run -name '*penates*'").splitlines(),
        }
