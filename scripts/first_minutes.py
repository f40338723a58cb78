"""From a fresh Debian to the first reading of a door, beside brokers that others use: see `scripts/first_minutes`."""

import argparse
import hashlib
import os
import secrets
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from penates.broker.mosquitto_files import hashed

ROOT = Path(__file__).resolve().parents[1]
HERE, THERE = "10.77.26.1", "10.77.26.2"
PACKAGES = "systemd,systemd-sysv,dbus,python3-venv,ca-certificates,sudo,procps,iproute2"
PATIENCE_S, LIMIT_S, MOST_COMMANDS = 300.0, 120.0, 3
EACH_S = 0.1
DOOR = "home/frontdoor/data/reading"
SIMULATED = "[Service]\nEnvironment=GPIOZERO_PIN_FACTORY=simulated\n"  # a container has no lines of its own
OPEN = "listener 1883\nallow_anonymous true\n"
USERS = "listener 1883\nallow_anonymous false\npassword_file /etc/mosquitto/theirs\n"
ADDON = """\
persistence true
persistence_location {folder}/
user root
max_queued_messages 8192
allow_anonymous false
password_file {folder}/pw
listener 1883 {address}
"""  # the add-on's own settings, but for its plugin: it asks Home Assistant for users, and has no rules
NAMES = ("none", "open", "users", "addon")


def run(*words: str, **more: object) -> str:
    """Run a command, and return what it printed; if it fails, that is the end."""
    done = subprocess.run(words, check=False, capture_output=True, text=True, **more)  # type: ignore[call-overload]
    if done.returncode:
        sys.exit(f"{shlex.join(words)} failed:\n{done.stdout}{done.stderr}")
    return str(done.stdout)


@dataclass
class Container:
    """A machine of its own, with systemd as its first process."""

    folder: Path
    leader: int = 0

    @property
    def root(self) -> Path:
        """Its files."""
        return self.folder / "root"

    def shell(self, line: str) -> str:
        """Run a line as its root, and return what it printed."""
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C"}
        return run("nsenter", f"--target={self.leader}", "--all", "sh", "-c", line, env=env)

    def start(self, line: str) -> "subprocess.Popen[str]":
        """Start a line as its root."""
        enter = ["nsenter", f"--target={self.leader}", "--all", "sh", "-c", f"HOME=/root {line}"]
        return subprocess.Popen(enter, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def write(self, name: str, text: str) -> None:
        """Write one of its files."""
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@contextmanager
def mounted(base: Path, folder: Path) -> Iterator[Container]:
    """Provide a machine's files: those of `base`, and what changes of them in `folder`."""
    for part in ("upper", "work", "root"):
        (folder / part).mkdir(parents=True)
    options = f"lowerdir={base},upperdir={folder}/upper,workdir={folder}/work"
    run("mount", "-t", "overlay", "overlay", "-o", options, str(folder / "root"))
    try:
        yield Container(folder)
    finally:
        run("umount", str(folder / "root"))


@contextmanager
def booted(machine: Container, name: str, binds: list[str]) -> Iterator[Container]:
    """Boot it, in a network that reaches the package servers through ours."""
    machine.write("etc/hostname", f"{name}\n")
    machine.write("etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {name}\n")
    command = ["systemd-nspawn", "--quiet", "--boot", f"--directory={machine.root}", f"--machine={name}"]
    command += ["--register=no", "--keep-unit", "--network-veth", "--resolv-conf=copy-host"]
    command += [f"--bind-ro={one}" for one in binds]
    with (machine.folder / "console").open("wb") as console:
        nspawn = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
    try:
        wait(lambda: _is_up(machine, nspawn.pid), "its systemd is up")
        run("ip", "address", "add", f"{HERE}/24", "dev", f"ve-{name}")
        run("ip", "link", "set", f"ve-{name}", "up")
        machine.shell(f"ip address add {THERE}/24 dev host0; ip link set host0 up; ip route add default via {HERE}")
        yield machine
    finally:
        nspawn.terminate()  # an orderly shutdown
        nspawn.wait(PATIENCE_S)


def _leader(nspawn: int) -> int:
    children = Path(f"/proc/{nspawn}/task/{nspawn}/children").read_text().split()
    return int(children[-1]) if children else 0


def _is_up(machine: Container, nspawn: int) -> bool:
    machine.leader = _leader(nspawn)  # its first child is not its last
    enter = ["nsenter", f"--target={machine.leader}", "--all", "systemctl", "is-system-running"]
    return subprocess.run(enter, check=False, capture_output=True, text=True).stdout.strip() in ("running", "degraded")


def wait(met: Callable[[], object], what: str) -> None:
    """Wait until `met()`."""
    deadline = time.monotonic() + PATIENCE_S
    while not met():
        if time.monotonic() > deadline:
            sys.exit(f"waited {PATIENCE_S:g} s in vain until {what}")
        time.sleep(0.1)


@contextmanager
def network() -> Iterator[None]:
    """Let the machines reach the package servers, as a router would."""
    rule = ["-t", "nat", "POSTROUTING", "-s", f"{HERE}/24", "-j", "MASQUERADE"]
    forward = Path("/proc/sys/net/ipv4/ip_forward")
    before = forward.read_text()
    forward.write_text("1")
    run("iptables", *rule[:2], "-A", *rule[2:])
    try:
        yield
    finally:
        run("iptables", *rule[:2], "-D", *rule[2:])
        forward.write_text(before)


@dataclass
class Others:
    """Somebody else's client, which publishes all the while and receives what it published.

    Attributes:
        sent: how many messages it has published.
        got: the numbers that came back, in order.
        breaks: how often its connection broke.
        longest_s: the longest time between two messages that came back.
    """

    host: str
    user: str | None = None
    password: str | None = None
    sent: int = 0
    got: list[int] = field(default_factory=list)
    breaks: int = 0
    longest_s: float = 0.0
    _last: float = 0.0

    def __post_init__(self) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, "theirs")
        if self.user:
            self._client.username_pw_set(self.user, self.password)
        self._client.on_message = self._on_message
        self._client.on_disconnect = self._on_disconnect
        self._client.connect(self.host)
        self._client.subscribe("tele/theirs/#", 1)
        self._client.loop_start()

    def _on_message(self, _client: object, _data: object, message: object) -> None:
        now = time.monotonic()
        self.longest_s = max(self.longest_s, now - self._last if self._last else 0.0)
        self._last = now
        self.got.append(int(message.payload))  # type: ignore[attr-defined]

    def _on_disconnect(self, *_: object) -> None:
        self.breaks += 1

    def tick(self) -> None:
        """Publish the next number."""
        self._client.publish("tele/theirs/number", str(self.sent), 1)
        self.sent += 1

    def close(self) -> None:
        """Wait for the last number, and say what became of all."""
        wait(lambda: len(self.got) >= self.sent or self.breaks, "their last message came back")
        breaks, self.breaks = self.breaks, 0
        self._client.disconnect()
        self._client.loop_stop()
        self.breaks = breaks

    @property
    def verdict(self) -> str:
        """What they noticed."""
        if self.got == [*range(self.sent)] and not self.breaks:
            return f"{self.sent} of {self.sent} in order, longest gap {self.longest_s:.1f} s, 0 reconnects"
        return f"WRONG: {len(self.got)} of {self.sent}, {self.breaks} reconnects"


def hashes(*folders: Path) -> dict[str, str]:
    """Return a hash of each file that others have there, with its owner and mode."""
    found = {}
    for file in sorted(one for folder in folders for one in folder.rglob("*") if one.is_file()):
        status = file.stat()
        text = f"{status.st_uid}:{status.st_gid} {status.st_mode:o} {hashlib.sha256(file.read_bytes()).hexdigest()}"
        found[str(file)] = text
    return found


def timed(machine: Container, line: str, others: Others | None, log: Path) -> None:
    """Run one command of the reader's, while others go on."""
    with log.open("a") as out:
        print(f"# {line}", file=out, flush=True)
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C"}
        enter = ["nsenter", f"--target={machine.leader}", "--all", "sh", "-c", f"cd /root/penates; {line}"]
        command = subprocess.Popen(enter, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        while command.poll() is None:
            if others:
                others.tick()
            time.sleep(EACH_S)
    if command.returncode:
        sys.exit(f"{line} failed:\n{log.read_text()}")


def first_reading(machine: Container, others: Others | None) -> str:
    """Return the first reading of the door that says it was opened, as the reader would see it."""
    looking = machine.start(f"exec mosquitto_sub -v -t {DOOR}")
    os.set_blocking(looking.stdout.fileno(), False)  # type: ignore[union-attr]
    level, said, deadline = 0, "", time.monotonic() + PATIENCE_S
    try:
        while '"open":' not in said:
            machine.shell(f"GPIOZERO_PIN_FACTORY=simulated penates gpio 17 {level}")
            level = 1 - level
            for _ in range(5):
                if others:
                    others.tick()
                time.sleep(EACH_S)
            said += looking.stdout.read() or ""  # type: ignore[union-attr]
            if time.monotonic() > deadline:
                sys.exit("the door's reading did not come")
    finally:
        looking.kill()
        looking.wait()
    return said.splitlines()[0]


@dataclass
class Case:
    """One kind of machine to begin with: what the reader types, and whose files must stay as they are."""

    name: str
    options: str = ""
    theirs: list[Path] = field(default_factory=list)
    others: Others | None = None


def prepared(name: str, machine: Container, stack: ExitStack) -> Case:
    """Make what was there before."""
    if name in ("open", "users"):
        machine.shell("apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq mosquitto >/dev/null")
        machine.write("etc/mosquitto/conf.d/theirs.conf", OPEN if name == "open" else USERS)
        password = secrets.token_hex()
        machine.write("etc/mosquitto/theirs", f"tasmota:{hashed(password)}\n")
        machine.shell("chown mosquitto /etc/mosquitto/theirs; systemctl restart mosquitto")
        theirs = [machine.root / "etc/mosquitto"]
        others = Others(THERE) if name == "open" else Others(THERE, "tasmota", password)
        return Case(name, "", theirs, others)
    if name == "addon":
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        known = {user: secrets.token_hex() for user in ("homeassistant", "addons", "penates")}
        (folder / "pw").write_text("".join(f"{user}:{hashed(word)}\n" for user, word in known.items()))
        (folder / "mosquitto.conf").write_text(ADDON.format(folder=folder, address=HERE))
        broker = subprocess.Popen(["mosquitto", "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)
        stack.callback(broker.wait)
        stack.callback(broker.terminate)
        time.sleep(1)
        machine.write("root/password", f"{known['penates']}\n")
        options = f"--broker {HERE} --username penates --password-file /root/password"
        return Case(name, options, [folder], Others(HERE, "addons", known["addons"]))
    return Case(name)


def typed(machine: Container, case: Case, log: Path) -> tuple[list[str], str, float]:
    """Type the commands; return them, the first reading, and the seconds until it was there."""
    commands = [f"scripts/install {case.options}".strip(), "penates new door frontdoor pin=17", "penates install"]
    began = time.monotonic()
    for line in commands:
        timed(machine, line, case.others, log)
    reading = first_reading(machine, case.others)
    took_s = time.monotonic() - began
    if case.others:
        case.others.close()
    return commands, reading, took_s


def tried(name: str, machine: Container, log: Path) -> tuple[str, bool]:
    """Install on it; return a row of the table, and whether all is as it must be."""
    machine.write("etc/systemd/system/penates@.service.d/simulated.conf", SIMULATED)
    with ExitStack() as stack:
        case = prepared(name, machine, stack)
        before = hashes(*case.theirs)
        texts = {file: Path(file).read_bytes() for file in before}
        commands, reading, took_s = typed(machine, case, log)
        after = hashes(*case.theirs)
        changed = [file for file in before if after.get(file) != before[file] and not file.endswith("mosquitto.db")]
        kept = all(Path(file).read_bytes().startswith(texts[file]) for file in changed)  # ours stands behind theirs
        noticed = case.others.verdict if case.others else "-"
    with log.open("a") as out:
        print(f"# {reading}\n# {noticed}\n# changed: {changed}", file=out)
    same = "-" if not before else f"{len(before) - len(changed)} of {len(before)}"
    if changed:
        same += ", the other begins as before" if kept else f", WRONG: {', '.join(changed)}"
    row = f"| {name} | {len(commands)} | {took_s:.0f} s | {noticed} | {same} |"
    return row, took_s <= LIMIT_S and len(commands) <= MOST_COMMANDS and "WRONG" not in row


def main() -> int:
    """Try each case; print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", action="append", choices=NAMES, help="default: all")
    parser.add_argument("--suite", default="bookworm", help="of Debian")
    parser.add_argument("--keep", type=Path, help="a folder for the fresh machine, to use it again, and for logs")
    parser.add_argument("--bind", action="append", default=[], help="a file of this machine that the others have, too")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        base = folder / given.suite
        if not base.exists():
            sources = [str(one) for one in Path("/etc/apt/sources.list.d").glob("debian*.sources")]
            run("mmdebstrap", "--variant=apt", f"--include={PACKAGES}", given.suite, str(base), *sources[:1])
        stack.enter_context(network())
        rows = [_row(name, base, folder, given.bind) for name in given.case or NAMES]
    print("| broker | commands | to the first reading | their client | their files as they were |")
    print("| --- | --- | --- | --- | --- |")
    print("\n".join(row for row, _ in rows))
    return 0 if all(right for _, right in rows) else 1


def _row(name: str, base: Path, folder: Path, binds: list[str]) -> tuple[str, bool]:
    with tempfile.TemporaryDirectory(dir=folder) as place, mounted(base, Path(place)) as machine:
        copy = machine.root / "root" / "penates"
        copy.mkdir(parents=True)
        archive = subprocess.run(["git", "-C", str(ROOT), "archive", "HEAD"], check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", str(copy)], input=archive, check=True)
        with booted(machine, "penatespi", binds):
            return tried(name, machine, folder / f"{name}.log")


if __name__ == "__main__":
    sys.exit(main())
