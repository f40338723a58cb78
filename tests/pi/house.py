r"""A whole house on a Pi with systemd and lines: installed, hurt in every way, cut off, and taken off again.

    tests/pi/run pi@raspberrypi.local
    tests/pi/run --by 'vpi.sh runas pi' --line 'sudo vpi gpio pull {pin} {level}' \
        --level 'sudo vpi gpio value {pin}' --cut 'vpi.sh cut'

It installs this copy from scratch by the commands in the README under *On a Pi*, so it refuses a machine where
penates is installed; at the end it takes everything off again, its settings too. The user needs `sudo` without a
password. Nothing need be wired: the pin of the door, GPIO 17, is pulled up and down from outside, which does no harm
unless something else drives it. Prints what it finds, and ends with 1 if a promise is not kept.
"""

import argparse
import functools
import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable

from pi import own_kinds
from pi.machine import COPY, PATIENCE_S, ROOT, Pi, failures, verdict, wait

INSTALL = "docs/INSTALL.md"

MORE = {"hall": "motion pin=23", "lamp": "lamp pin=27"}  # beside pi, recorder and frontdoor
OWN = "hurt"  # a device of our own, which hangs and eats as it is told
RECORDING = "/status/recording "


def section(page: str, heading: str) -> str:
    """Return a section of a page."""
    return (ROOT / page).read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]


def first_commands(page: str, heading: str) -> list[str]:
    """Return the first block of commands in a section of a page, without their comments."""
    rows = re.findall(r"(?:^    \S.*\n)+", section(page, heading), re.MULTILINE)[0].splitlines()
    return [row.split("  #")[0].strip() for row in rows]


def install(pi: Pi) -> None:
    """As a stranger would."""
    if pi.say("ls -d /etc/penates /opt/penates", must=False):
        sys.exit("penates is installed there already; this would take it off")
    pi.copy()
    before = pi.footprint()
    verdict("a dry run ends well", pi.succeeds(f"cd {COPY} && scripts/install --dry-run"))
    verdict("and changes nothing", pi.footprint(), before)
    *commands, look = first_commands("README.md", "On a Pi")
    for command in commands:
        begun = time.monotonic()
        pi.say(f"cd {COPY} && {command}")
        print(f"     {time.monotonic() - begun:.0f} s: {command}", flush=True)
    verdict("the README needs fewer than ten commands", len(commands) < 9)
    pi.drive(1)
    verdict("the door says that it is open", wait(lambda: "data/open true" in heard(pi, look), 30) is not None)
    for name, what in MORE.items():
        kind, setting = what.split()
        pi.say(f"sudo penates new {kind} {name} {setting}")
    pi.say(f"sudo cp {COPY}/tests/pi/mine.py /etc/penates/mine.py")
    pi.say(f"echo 'kind = \"mine.Hurt\"' | sudo tee /etc/penates/devices/{OWN}.toml")
    pi.names += [*MORE, OWN]
    pi.say("sudo penates install")


def heard(pi: Pi, look: str) -> str:
    return pi.say(f"timeout 3 {look}", must=False)


def found(pi: Pi) -> dict[str, list[str]]:
    """What `penates doctor` calls bad, by whom it is about; whether the clock is set is not our business here."""
    rows = json.loads(pi.say("sudo penates doctor --json", must=False))
    ill = [row for row in rows if row["verdict"] == "bad" and row["check"] != "clock"]
    return {about: [row["check"] for row in ill if row["about"] == about] for about in {row["about"] for row in ill}}


def doctor(pi: Pi) -> None:
    """The doctor finds nothing, until there is something."""
    verdict("all is well", found(pi), {})
    pi.say("sudo systemctl stop penates@hall")
    verdict("a sensor that was stopped is found, and it alone", found(pi), {"home/hall": ["unit", "state"]})
    pi.say("sudo systemctl start penates@hall")
    secret = "/etc/penates/secrets/hall"
    pi.say(f"sudo cp -p {secret} {secret}.kept && echo wrong | sudo tee {secret}")
    verdict("a wrong password is found", found(pi), {"home/hall": ["password"]})
    pi.say(f"sudo mv {secret}.kept {secret}")
    pi.say("sudo chmod g-rw /dev/gpiochip*")
    ill = {name: ["gpio"] for name in ("home/frontdoor", "home/hall", "home/lamp")}
    verdict("lines that may not be opened are found", found(pi), ill)
    pi.say("sudo chmod g+rw /dev/gpiochip*")
    wait(lambda: pi.online() == len(pi.names))


def door_is(pi: Pi, word: str) -> bool:
    return pi.topics("home/frontdoor/data/open").get("home/frontdoor/data/open") == word


def lines(pi: Pi) -> None:
    """A change at the line is a message."""
    for level, word in ((0, "false"), (1, "true"), (0, "false")):
        pi.drive(level)
        came = wait(functools.partial(door_is, pi, word), 20)
        verdict(f"the line at {level}: open is {word}", came is not None)


def rpigpio(pi: Pi) -> None:
    """Door and lamp by the interface of RPi.GPIO, and then by ours again."""
    pi.say("sudo /opt/penates/bin/pip install --quiet 'rpi-lgpio>=0.6'")
    units = "penates@frontdoor penates@lamp"
    folders = [f"/etc/systemd/system/penates@{name}.service.d" for name in ("frontdoor", "lamp")]
    setting = "[Service]\nEnvironment=GPIOZERO_PIN_FACTORY=rpigpio\n"
    for folder in folders:
        pi.say(f"sudo mkdir -p {folder} && printf '{setting}' | sudo tee {folder}/rpigpio.conf")
    pi.say(f"sudo systemctl daemon-reload && sudo systemctl restart {units}")
    verdict("all are online by RPi.GPIO", wait(lambda: pi.online() == len(pi.names)) is not None)
    lines(pi)
    verdict("the lamp is switched on", pi.succeeds("sudo penates send home/lamp set on"))
    verdict("and says so", wait(lambda: lamp_is(pi, "true"), 20) is not None)
    pi.say("sudo systemctl kill --kill-whom=main --signal=KILL penates@lamp", must=False)
    verdict("after SIGKILL it is off", wait(lambda: lamp_is(pi, "false")) is not None)
    for folder in folders:
        pi.say(f"sudo rm {folder}/rpigpio.conf && sudo rmdir --ignore-fail-on-non-empty {folder}")
    pi.say(f"sudo systemctl daemon-reload && sudo systemctl restart {units}")
    pi.say("sudo /opt/penates/bin/pip uninstall --quiet --yes rpi-lgpio lgpio")  # other code restarts all
    verdict("all are online by the kernel's lines", wait(lambda: pi.online() == len(pi.names)) is not None)


def lamp_is(pi: Pi, word: str) -> bool:
    return pi.topics("home/lamp/data/on").get("home/lamp/data/on") == word


def hurt(pi: Pi, name: str, how: str, command: str, limit_s: float = PATIENCE_S) -> None:
    """One of them is hurt: it comes back alone."""
    before = pi.pids()
    pi.say(command, must=False)
    came = wait(lambda: pi.pids()[name] not in ("0", before[name]), limit_s)
    well = wait(lambda: pi.online() == len(pi.names), limit_s)
    after = pi.pids()
    others = [other for other in pi.names if other != name and after[other] != before[other]]
    verdict(f"{name}, {how}: a new process after {came or -1:.0f} s", came is not None)
    verdict(f"{name}, {how}: all are online {well or -1:.0f} s later", well is not None)
    verdict(f"{name}, {how}: the others' processes are the same", others, [])


def damages(pi: Pi) -> None:
    """Every way."""
    kill = "sudo systemctl kill --kill-whom=main --signal={} penates@{}"
    hurt(pi, "frontdoor", "killed", kill.format("KILL", "frontdoor"))
    pi.say("sudo penates send home/lamp set on")
    hurt(pi, "lamp", "segmentation fault", kill.format("SEGV", "lamp"))
    verdict("the lamp is off after it", pi.topics("home/lamp/data/on").get("home/lamp/data/on"), "false")
    hurt(pi, "hall", "frozen", kill.format("STOP", "hall"))
    hurt(pi, OWN, "hung in its own code", f"sudo penates send home/{OWN} hang --wait 1")
    stacks = pi.say(f"sudo journalctl --unit=penates@{OWN} --lines=200 --output=cat")
    verdict("its stack is in the journal", "act_hang" in stacks)
    memory(pi)


def memory(pi: Pi) -> None:
    """What they take, and that none takes more than it may."""
    units = " ".join(f"penates@{name}.service" for name in pi.names)
    used = pi.say(f"systemctl show --property=MemoryCurrent --value {units}").split()
    if not used[0].isdecimal():
        print("     the kernel does not count memory here (cgroup_disable=memory): MemoryMax= has no effect")
        return
    shown = ", ".join(f"{name} {int(size) / 2**20:.1f}" for name, size in zip(pi.names, used, strict=True))
    print(f"     memory in MiB, of its whole control group: {shown}")
    hurt(pi, OWN, "eating 500 MB", f"sudo penates send home/{OWN} eat --wait 1")
    journal = pi.say(f"sudo journalctl --unit=penates@{OWN} --lines=200 --output=cat")
    verdict("the kernel ended it", "oom-kill" in journal)


def settings(pi: Pi) -> None:
    """One file is edited: it alone changes, and a faulty one changes nothing."""
    before = pi.pids()
    file = "/etc/penates/devices/hall.toml"
    pi.say(f"echo 'hold_s = 7' | sudo tee -a {file}; sudo sed -i 's/^# every_s = .*/every_s = 5.0/' {file}")
    verdict("reload of one", pi.succeeds("sudo systemctl reload penates@hall"))

    def period() -> float:
        about = json.loads(pi.topics("home/hall/status/about").get("home/hall/status/about", "{}"))
        return float(about["measures"]["motion"]["every_s"]) if about else 0.0

    verdict("it goes by its new period", wait(lambda: period() == 5.0, 20) is not None)
    verdict("no process has changed", pi.pids(), before)
    pi.say(f"sudo sed -i 's/^every_s = .*/every_s = \"often\"/' {file}")
    verdict("reload of a faulty file is refused", pi.succeeds("sudo systemctl reload penates@hall"), promised=False)
    said = pi.say("sudo journalctl --unit=penates@hall --lines=20 --output=cat")
    verdict("with file, line and reason", "devices/hall.toml:" in said and "'every_s' must be a number" in said)
    verdict("and it runs on", (pi.pids(), period()), (before, 5.0))
    pi.say(f"sudo sed -i 's/^every_s = .*/every_s = 5.0/' {file}")


def broker(pi: Pi) -> None:
    """They start without one, and find it when it comes."""
    pi.say("sudo systemctl stop mosquitto && sudo systemctl restart penates.target 'penates@*'")
    running = pi.say("systemctl is-active 'penates@*'", must=False).split()
    verdict("all units start without a broker", running, ["active"] * len(pi.names))
    pi.say("sudo systemctl start mosquitto")
    verdict("and are online once it is there", wait(lambda: pi.online() == len(pi.names)) is not None)


def commands(pi: Pi) -> None:
    """Run what the table in INSTALL.md lists, but for what has a part of its own."""
    told = re.findall(r"^\| `(.*?)` \|", section(INSTALL, "Operating it"), re.MULTILINE)
    invite = first_commands(INSTALL, "A second Pi")[0]
    examined = pi.say("sudo penates doctor", must=False)
    wrong = [row.split()[1] for row in examined.splitlines() if row.startswith("  BAD")]
    unset = pi.say("timedatectl show --property=NTPSynchronized --value") == "no"
    verdict("the doctor finds nothing wrong but what is: a clock that is not set", wrong, ["clock"] * unset)
    for command in [*(one for one in told if not re.search("install|doctor", one)), invite]:
        done = subprocess.run(
            [*pi.by, f"timeout 60 {command}"], stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        verdict(command, done.returncode, 124 if "watch" in command else 0)
    pi.say("sudo systemctl start penates.target")
    verdict("all are online again", wait(lambda: pi.online() == len(pi.names)) is not None)


def again(pi: Pi) -> None:
    """What is so already is left alone."""
    before = pi.pids()
    pi.say("sudo penates install")
    pi.say("sudo penates install")
    said = pi.say("sudo penates install --dry-run")
    verdict("installed again there is nothing to do", said, "0 steps to do; nothing was changed")
    changed = [name for name, pid in pi.pids().items() if pid != before[name]]
    verdict("and only what was edited was started anew", changed, ["hall"])


def guarded(pi: Pi) -> None:
    """The broker lets nobody in who is not known, and speaks only TLS to others."""
    ports = pi.say("ss -Hltn '( sport = :1883 or sport = :8883 )' | awk '{print $4}' | sort").splitlines()
    beyond = [port for port in ports if not port.startswith(("127.", "[::1]"))]
    verdict("from outside only the port with TLS is open", {port.rpartition(":")[2] for port in beyond}, {"8883"})
    stranger = "HOME=/nonexistent timeout 10 mosquitto_sub -t '#' -C 1 -E"
    for who, login in {
        "one without a name": "",
        "a wrong password": "-u eyes -P wrong",
        "an unknown user": "-u me -P me",
    }.items():
        refused = pi.say(f"{stranger} {login} 2>&1 || true", must=False)
        verdict(f"{who} is refused", "not authori" in refused.lower())
    plain = pi.say(f"{stranger} -u eyes -P x -p 8883 2>&1 && echo let in", must=False)
    verdict("nobody speaks without TLS to the other port", "let in" in plain, promised=False)
    mine = "$(sudo cat /etc/penates/secrets/hall)"
    heard = f"HOME=/nonexistent timeout 4 mosquitto_sub -v -t '#' -u hall -P {mine}"
    verdict(
        "a sensor hears nothing of others, but whether a recorder records",
        [row for row in pi.say(heard, must=False).splitlines() if "/hall/" not in row and RECORDING not in row],
        [],
    )
    said = "home/lamp/action/set"
    let_in = pi.succeeds(f"HOME=/nonexistent mosquitto_pub -t {said} -m on -u hall -P {mine}")
    verdict("it is let in", let_in)
    time.sleep(2)
    verdict("and cannot switch the lamp", pi.topics("home/lamp/data/on").get("home/lamp/data/on"), "false")


def supervised(pi: Pi) -> None:
    """One unit for all: smaller, and each of its processes comes back alone."""
    used = "systemctl show --property=MemoryCurrent --value {}"
    each = pi.say(used.format(" ".join(f"penates@{name}.service" for name in pi.names))).split()
    pi.say("sudo penates install --supervisor")
    verdict("all are online", wait(lambda: pi.online() == len(pi.names)) is not None)
    verdict("no other unit runs", pi.say("systemctl list-units --plain --no-legend 'penates@*'"), "")
    if each[0].isdecimal():
        together = int(pi.say(used.format("penates.service"))) / 2**20
        print(f"     memory in MiB: {together:.0f} instead of {sum(map(int, each)) / 2**20:.0f}")
    children = "sudo penates status --json"
    before = {row["name"]: row["pid"] for row in json.loads(pi.say(children, must=False))["sensors"]}
    pi.say(f"sudo kill -SEGV {before['hall']}")
    wait(lambda: pi.online() < len(pi.names), 10)
    verdict("one that crashes is online again", wait(lambda: pi.online() == len(pi.names)) is not None)
    after = {row["name"]: row["pid"] for row in json.loads(pi.say(children, must=False))["sensors"]}
    verdict("alone", [name for name in before if before[name] != after[name]], ["hall"])
    pi.say("sudo penates install --no-supervisor")
    verdict("and back to a unit for each", wait(lambda: pi.online() == len(pi.names)) is not None)


def gone_and_back(pi: Pi, how: str, do: Callable[[], object]) -> None:
    """The machine goes and comes; all are online again by a message of this boot."""
    boot = "cat /proc/sys/kernel/random/boot_id"
    before = pi.say(boot)
    do()
    back = wait(lambda: pi.say(boot, must=False) not in ("", before), 600)
    verdict(f"{how}: the machine is back", back is not None)
    well = wait(lambda: all(pid != "0" for pid in pi.pids().values()) and beats(pi) == len(pi.names), 300)
    verdict(f"{how}: all are online {well or -1:.0f} s later", well is not None)
    failed = pi.say("systemctl list-units --failed --plain --no-legend 'penates*'")
    verdict(f"{how}: no unit has failed", failed, "")


def beats(pi: Pi) -> int:
    """Sensors that are online and have said so since the machine started."""
    up = float(pi.say("cut -d' ' -f1 /proc/uptime"))
    found = [json.loads(beat) for beat in pi.topics("home/+/status/heartbeat").values()]
    return min(sum(bool(beat["uptime_s"] <= up and "run" in beat) for beat in found), pi.online())


def warnings(pi: Pi) -> int:
    """Of the kernel, since the machine started."""
    return int(pi.say("sudo dmesg | grep -c 'cut here' || true"))


def uninstall(pi: Pi, before: dict[str, list[str]]) -> None:
    """Nothing is left, at last not even the settings."""
    pi.say("sudo penates uninstall")
    kept = [file for file in pi.footprint()["files"] if file not in before["files"]]
    verdict("uninstalled, what is yours is kept", sorted(kept), ["/etc/penates", "/var/lib/penates"])
    pi.say(f"cd {COPY} && sudo scripts/install")
    verdict("installed again, all are online", wait(lambda: pi.online() == len(pi.names)) is not None)
    pi.say(f"sudo penates uninstall --purge && rm -rf {COPY}")
    after = pi.footprint()
    for what, found in before.items():
        verdict(f"uninstalled with --purge, {what} are as before", after[what], found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("host", nargs="?", metavar="HOST", help="as ssh knows it")
    parser.add_argument("--by", metavar="COMMAND", help="what runs its last argument on the Pi (default: ssh HOST)")
    parser.add_argument(
        "--line", default="sudo pinctrl set {pin} {pull}", metavar="COMMAND", help="pulls a line, there"
    )
    parser.add_argument(
        "--level", default="pinctrl lev {pin}", metavar="COMMAND", help="prints a line's level, 0 or 1, there"
    )
    parser.add_argument("--cut", metavar="COMMAND", help="pulls the machine's plug and puts it back, here")
    given = parser.parse_args()
    if not (given.host or given.by):
        parser.error("say HOST, or --by")
    pi = Pi(shlex.split(given.by) if given.by else ["ssh", given.host], given.line, given.level)
    before, warned = pi.footprint(), warnings(pi)
    install(pi)
    all_online = wait(lambda: pi.online() == len(pi.names))
    verdict(f"{len(pi.names)} sensors are online", all_online is not None)
    for part in (
        doctor,
        lines,
        rpigpio,
        damages,
        settings,
        broker,
        guarded,
        commands,
        again,
        supervised,
        own_kinds.check,
    ):
        print(f"-- {(part.__doc__ or '').strip()}")
        part(pi)
    verdict("the kernel has warned of nothing", warnings(pi) - warned, 0)
    if given.cut:
        gone_and_back(pi, "power cut", lambda: subprocess.run(shlex.split(given.cut), check=True))
    else:
        print("     no --cut: what a power cut does was not seen")
    gone_and_back(pi, "reboot", lambda: pi.say("sudo systemctl reboot", must=False))
    uninstall(pi, before)
    print(f"{len(failures)} promises not kept" if failures else "all promises kept")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
