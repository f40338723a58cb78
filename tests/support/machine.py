"""A machine to install on: this one's own files under an overlay, so that nothing of it is touched.

Users, files and links are made by the real programs. Only systemd is not there: a stand-in notes what it is asked,
enables units by the real one, which can do that without running, and runs a real Mosquitto, which ends with the
command that was given on the machine. Each command has a network of its own.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.paths import COVERAGE
from support.world import pipe

CALLS = "var/systemctl/calls"
SYSTEMCTL = f"""#!/bin/sh
cd /var/systemctl
case $1 in
is-active) if [ -e "active/$2" ]; then echo active; else echo inactive; exit 3; fi; exit ;;
is-failed) if [ -e "failed/$2" ]; then echo failed; else echo inactive; exit 1; fi; exit ;;
show)
    case $* in *MainPID*--value*mosquitto*) cat mosquitto.pid 2>/dev/null; exit ;; esac
    shift; case $1 in --property) shift ;; esac; shift
    for unit; do
        if [ -e "active/$unit" ]; then echo ActiveState=active; else echo ActiveState=failed; fi
        printf '%s\\n' "Id=$unit" LoadState=loaded UnitFileState=enabled SubState=any
        printf '%s\\n' MainPID=7 NRestarts=2 StatusText=online ''
    done
    exit ;;
esac
echo "$*" >>/{CALLS}
verb=$1; shift
if [ "$1" = --now ]; then
    shift
    if [ "$verb" = disable ]; then for unit; do rm -f "active/$unit"; done; fi
fi
case $verb:$1 in
stop:*) for unit; do rm -f "active/$unit"; done ;;
restart:mosquitto.service | reload:mosquitto.service)
    if [ -e broken/mosquitto.service ]; then rm broken/mosquitto.service active/mosquitto.service; exit 1; fi
    [ ! -e mosquitto.pid ] || kill -KILL "$(cat mosquitto.pid)" 2>/dev/null
    while [ -e "/proc/$(cat mosquitto.pid 2>/dev/null || echo none)/exe" ]; do sleep 0.01; done
    rm -f mosquitto.pid active/mosquitto.service /var/log/mosquitto/mosquitto.log
    mkdir -p /run/mosquitto && chown mosquitto /run/mosquitto
    mosquitto -c /etc/mosquitto/mosquitto.conf >/dev/null 2>mosquitto.said &
    tries=0
    until grep -qs " running" /var/log/mosquitto/mosquitto.log mosquitto.said; do
        kill -0 $! 2>/dev/null && [ $((tries += 1)) -lt 500 ] || exit 1
        sleep 0.02
    done
    echo $! >mosquitto.pid
    touch active/mosquitto.service
    exit ;;
esac
case $verb in
reset-failed) rm "failed/$1" ;;
restart | start) for unit; do [ -e "broken/$unit" ] || touch "active/$unit"; done ;;
enable | disable) exec /usr/bin/systemctl --quiet "$verb" "$@" ;;
esac
"""
ENTER = """
set -e
if [ "$(ip -brief link show up)" = "" ]; then ip link set lo up; ip address add 192.168.7.7/24 dev lo; fi
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount --rbind /proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
if [ -n "$COVERAGE_PROCESS_CONFIG" ]; then mount --bind "$3" "$1/root$3"; fi
hostname "$2"
cd "$1/root"
shift 3
pid_file=var/systemctl/mosquitto.pid
end() { # Mosquitto, before anybody removes the files that it may write
    if read -r pid 2>/dev/null <$pid_file; then
        rm -f $pid_file run/mosquitto/mosquitto.pid
        kill -KILL "$pid" 2>/dev/null || true
        while [ -e "/proc/$pid/exe" ]; do sleep 0.01; done
    fi
}
trap end EXIT
chroot . "$@"
"""


END = "END OF A COMMAND\n"
EACH = f"""
while read -r line; do sh -c "$line" 2>&1; echo "$?"; echo '{END.strip()}'; done
"""
PUBLISH = """\
from pathlib import Path
from paho.mqtt.publish import single
password = Path("/etc/penates/secrets/admin").read_text().strip()
single("{sensor}/status/state", "online", 1, True, "127.0.0.1", auth=dict(username="admin", password=password))
"""


class Machine:
    """What is changed on it lies in `upper`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.networks = ["--net"]  # without it, that of the tests
        self.within: list[str] = []  # a command that enters a network which several machines have
        self.upper = folder / "upper"
        for part in ("upper", "work", "root"):
            (folder / part).mkdir(parents=True)
        self.write("/usr/local/sbin/systemctl", SYSTEMCTL)
        self.write("/etc/hosts", "127.0.0.1 localhost\n127.0.0.9 firstpi firstpi.local\n")  # no name server is asked
        self.put_programme()
        for part in ("active", "broken", "failed"):
            (self.upper / "var" / "systemctl" / part).mkdir(parents=True)
        self.run("useradd", "--create-home", "pat")

    def copy(self, folder: Path) -> "Machine":
        """Another one, as this is now."""
        subprocess.run(["cp", "-a", str(self.folder), str(folder)], check=True)
        other = object.__new__(Machine)
        other.folder, other.name, other.upper, other.networks = folder, self.name, folder / "upper", self.networks
        other.within = self.within
        return other

    def put_programme(self) -> None:
        """This one, as `scripts/install` would."""
        self.write("/opt/penates/bin/penates", f'#!/bin/sh\nexec {sys.executable} -m penates "$@"\n')

    def write(self, name: str, text: str) -> None:
        """A file, as if root had."""
        file = self.file(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command on it, as `sudo` of the user pat gives it."""
        return subprocess.run(
            self._entered(words), env=self._env(), capture_output=True, text=True, check=False, timeout=120
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A command on it that goes on until its standard input ends; what it says can be read."""
        ends = subprocess.PIPE
        return subprocess.Popen(self._entered(words), env=self._env(), stdin=ends, stdout=ends, text=True)

    def _env(self) -> dict[str, str]:
        return {**os.environ, "SUDO_USER": "pat", "HOME": "/root", "PATH": "/usr/local/sbin:/usr/sbin:/usr/bin"}

    def _entered(self, words: tuple[str, ...]) -> list[str]:
        apart = [*self.within, "unshare", "--mount", "--uts", *self.networks, "sh", "-c", ENTER, "enter"]
        return [*apart, str(self.folder), self.name, str(COVERAGE), *words]

    def penates(self, *words: str, code: int = 0) -> str:
        """All that a sub-command says."""
        done = self.run("/opt/penates/bin/penates", *words)
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        assert "Traceback" not in said
        return said

    def file(self, name: str) -> Path:
        """As it was changed on this machine."""
        return self.upper / name.removeprefix("/")

    def files(self) -> set[str]:
        """All that is there and was not before; an overlay marks what is gone by a device."""
        found = (path for path in self.upper.rglob("*") if not path.is_char_device())
        return {f"/{path.relative_to(self.upper)}" for path in found if not path.is_dir()}

    def calls(self) -> list[str]:
        """What systemctl was asked since the last time."""
        file = self.upper / CALLS
        found = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return found

    def close(self) -> None:
        """An overlay's own folder belongs to nobody."""
        shutil.rmtree(self.folder)


class Shell:
    """Commands on a machine, one after the other. What they start goes on until the end."""

    def __init__(self, machine: Machine) -> None:
        self._process = machine.start("sh", "-c", EACH)

    def ask(self, line: str) -> tuple[str, int]:
        """All that a command says, and its exit code."""
        into, out = pipe(self._process.stdin), pipe(self._process.stdout)
        print(line, file=into, flush=True)
        *said, code = iter(lambda: next(out), END)
        return "".join(said), int(code)

    def run(self, line: str, code: int = 0) -> str:
        """All that a command says that ends with this code."""
        said, found = self.ask(line)
        assert found == code, said
        return said

    def penates(self, words: str, code: int = 0) -> str:
        """All that a sub-command says."""
        said = self.run(f"/opt/penates/bin/penates {words}", code)
        assert "Traceback" not in said
        return said

    def serve(self, sensor: str) -> None:
        """Start Mosquitto, and say there, as a sensor would, that it is online."""
        self.run("systemctl restart mosquitto.service")
        self.say_online(sensor)

    def say_online(self, sensor: str) -> None:
        """Say to Mosquitto that a sensor is online."""
        program = ";".join(PUBLISH.format(sensor=sensor).splitlines())
        self.run(f"{sys.executable} -c {shlex.quote(program)}")

    def close(self) -> None:
        """End it, and Mosquitto with it."""
        self._process.communicate()


def can_be_made() -> None:
    """Skip where there is no right to make one; the tests that CI runs are not skipped."""
    if os.geteuid() and not os.environ.get("CI"):
        pytest.skip("TO INSTALL, EVEN UNDER AN OVERLAY, TAKES root: this was not tested")
