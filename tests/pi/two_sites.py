"""Two machines with systemd, from a fresh system to the first value of the other site, by the commands in BRIDGE.md.

    tests/pi/two-sites --home 'ssh pi@home' --cabin 'ssh pi@cabin'

The cabin must reach home by a name or an address of home's certificate. Like `tests/pi/run` it installs this copy from
scratch, so it refuses a machine where penates is installed; at the end it takes everything off again.
"""

import argparse
import re
import shlex
import sys
import time
from functools import partial

from pi.house import section
from pi.machine import COPY, Pi, failures, verdict, wait

PAGE, HEADING = "docs/BRIDGE.md", "Setting it up"
SENSORS = 3  # at each site: the machine, its recorder, and the bridge
LIMIT_S = 60.0  # from the invitation to the first value
SENDS = re.compile(r"sudo penates bridge (?:invite|join)\b.*")


def install(name: str, pi: Pi) -> None:
    """As a stranger would."""
    if pi.say("ls -d /etc/penates /opt/penates", must=False):
        sys.exit(f"penates is installed at {name} already; this would take it off")
    pi.copy()
    begun = time.monotonic()
    pi.say(f"cd {COPY} && sudo scripts/install")
    print(f"     {time.monotonic() - begun:.0f} s: installed at {name}", flush=True)


def literal() -> list[str]:
    """Return the two commands of the page."""
    rows = re.findall(r"^    (.+)$", section(PAGE, HEADING), re.MULTILINE)
    return [row for row in rows if SENDS.fullmatch(row)][:2]


def link(home: Pi, cabin: Pi) -> None:
    """One command a side, and the file that is copied in between."""
    invite, join = literal()
    begun = time.monotonic()
    home.say(invite)
    invitation = home.say("sudo cat /etc/penates/sites/cabin.json")
    cabin.say(f"cat >cabin.json <<'E'\n{invitation}\nE")
    said = cabin.say(join)
    verdict("the link is up", "the link to home is up: " in said)
    verdict("a value of home is at the cabin", wait(lambda: cabin.topics("home/+/data/+", 2)) is not None)
    verdict("a value of the cabin is at home", wait(lambda: home.topics("cabin/+/data/+", 2)) is not None)
    took_s = time.monotonic() - begun
    print(f"     {took_s:.1f} s: {invite}; {join}", flush=True)
    verdict(f"that takes less than {LIMIT_S:.0f} s", took_s < LIMIT_S)


def bridges(home: Pi, cabin: Pi) -> None:
    """The daemons live in their sandbox: each sees of the secrets the one that it needs, and no other."""
    for pi, unit, seen in ((home, "cabin", ""), (cabin, "home", "site-home")):
        pid = pi.pid(unit)
        listed = pi.say(f"sudo nsenter -t {pid} -m ls /etc/penates/secrets", must=False)
        verdict(f"{unit} sees of the secrets {seen or 'nothing'}", listed, seen)
        user = pi.say(f"ps -o user= -p {pid}")
        verdict(f"{unit} does not run as root", user, "penates")
    state = wait(lambda: cabin.topics("cabin/home/status/state", 2).get("cabin/home/status/state") == "online")
    verdict("the cabin's bridge has got through to home's broker", state is not None)


def works(home: Pi, cabin: Pi) -> None:
    """What the page promises of a link that is up."""
    for pi, far in ((home, "cabin"), (cabin, "home")):
        verdict(f"the status, with {far} beyond", pi.succeeds("sudo penates bridge status"))
        verdict(f"all sensors of {far} are seen", wait(partial(all_seen, pi, far)) is not None)
        sensor = f"{far}/{(home if far == 'home' else cabin).say('hostname').lower()}"
        answer = pi.say(f"sudo penates send {sensor} read", must=False)
        verdict(f"a command to {sensor} is carried out", answer, f"{sensor} read: done")


def all_seen(pi: Pi, far: str) -> bool:
    return len(pi.topics(f"{far}/+/status/state", 2)) == SENSORS


def is_up(pi: Pi, own: str) -> bool:
    return pi.topics(f"{own}/data/state", 2).get(f"{own}/data/state") == "up"


def restarts(home: Pi, cabin: Pi) -> None:
    """Each bridge is killed, and nothing of the other site is lost by that."""
    for pi, unit, far in ((home, "cabin", "cabin"), (cabin, "home", "home")):
        before = pi.topics(f"{far}/+/status/state", 2)
        pi.say(f"sudo systemctl kill --kill-whom=main --signal=KILL penates@{unit}")
        back = wait(partial(is_up, pi, f"{'home' if unit == 'cabin' else 'cabin'}/{unit}"))
        verdict(f"{unit}, killed: the link is up again", back is not None)
        time.sleep(10)  # for what it would clear
        verdict(f"{unit}, killed: the far states are as before", pi.topics(f"{far}/+/status/state", 2), before)


def uninstall(pi: Pi) -> None:
    pi.say(f"sudo penates uninstall --purge && rm -rf {COPY} cabin.json")
    verdict("nothing of the link is left", pi.say("sudo ls -d /etc/penates /etc/mosquitto/penates", must=False), "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for site in ("home", "cabin"):
        parser.add_argument(f"--{site}", required=True, metavar="COMMAND", help="what runs its last argument there")
    given = parser.parse_args()
    home, cabin = (Pi(shlex.split(by), line="", level="") for by in (given.home, given.cabin))
    install("home", home)
    install("the cabin", cabin)
    for part in (link, bridges, works, restarts):
        print(f"-- {(part.__doc__ or '').strip()}")
        part(home, cabin)
    for pi in (cabin, home):
        uninstall(pi)
    print(f"{len(failures)} promises not kept" if failures else "all promises kept")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
