r"""Hurts outputs in every way in every state on a virtual Pi, and sees whether their lines do what docs/SAFETY.md says.

    tests/pi/safety units|supervisor --by 'vpi.sh runas pi' --cut 'vpi.sh cut' [--ways kill,freeze] [--record]

penates must be installed there, from this copy. All outputs are hurt at once, each in a process of its own; with
--kinds fewer. The lines are those of gpio-sim: one that nobody holds is where its resistor leads. Prints each cell that
is not as the table says; --record writes what was measured into docs/safety.json. Where other load slows an emulated
Pi, `-accel tcg,thread=single -icount shift=1` with one processor keeps its clock and its speed together. *watchdog*
wants `-global ICH9-LPC.noreboot=false`, without which QEMU's watchdog resets nothing.
"""

import argparse
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pi.machine import Pi, wait
from pi.safety_house import UPTIME, Levels, SafetyHouse, Trial, trials
from safety_table import OUTPUTS, SEEN, WAYS, Fate, Level, Way

SHORT_S, LONG_S = 60.0, 600.0  # of what is on for a time
PULSES_S = 8.0  # within which a line that pulses changes, even if the machine is slow
STEADY_S = 8.0  # for which a line is watched after it should be at rest
LATE_S = 3.0  # by which a timer may be late on a machine that is emulated
PATIENCE_S = 900.0  # an emulated machine may be slow, by its own clock or by ours
DISK = "/var/lib/filled"
GROUP = "/sys/fs/cgroup/system.slice"
FAULTY = "nonsense = 1"


@dataclass
class Cell:
    """What became of one output."""

    trial: Trial
    right: bool
    took_s: float
    found: str


def kill(house: SafetyHouse, signal: str, *, parent: bool = False) -> str:
    """Return the script that sends a signal to all sensors, and perhaps to their supervisor, which is first."""
    first = ["$(systemctl show --property=MainPID --value penates.service)"] if parent else []
    return f"kill -{signal} {' '.join([*first, *house.pids()])}"


def out_of_memory(house: SafetyHouse) -> str:
    """Return the script that leaves no memory: the kernel ends the sensors, before their supervisor."""
    if house.mode == "units":
        groups = f"{GROUP}/system-penates.slice/penates@$n.service/memory.max"
        return f"for n in {' '.join(house.names)}; do echo 1M > {groups}; done"
    first = "\n".join(f"echo 1000 > /proc/{pid}/oom_score_adj" for pid in house.pids())
    group = f"{GROUP}/penates.service/memory.max"
    return f"{first}\nfor mb in 60 45 35 30; do echo ${{mb}}M > {group}; done; echo 512M > {group}"


def edited(house: SafetyHouse, line: str, then: str) -> str:
    """Return the script that adds a line to each file, as its first setting, and does this then."""
    files = " ".join(f"/etc/penates/devices/{name}.toml" for name in house.names)
    return f"sed -i '1a {line}' {files}; {then}"


def reload(house: SafetyHouse) -> str:
    return f"systemctl reload {house.units} || true"


def parent_killed(_house: SafetyHouse) -> str:
    return "systemctl kill --kill-whom=main --signal=KILL penates.service"


STRIKES: dict[str, Callable[[SafetyHouse], str]] = {
    "stop": lambda house: f"systemctl stop penates.target {house.units}",
    "bug": lambda house: house.ask_all("bug"),
    "exit": lambda house: house.ask_all("exit"),
    "hang": lambda house: house.ask_all("hang"),
    "kill": partial(kill, signal="KILL"),
    "memory": out_of_memory,
    "freeze": partial(kill, signal="STOP"),
    "parent": parent_killed,
    "parent-freeze": partial(kill, signal="STOP", parent=True),
    "all": lambda _house: "systemctl kill --signal=KILL penates.service",
    "faulty": lambda house: edited(house, FAULTY, f"systemctl restart {house.units} || true"),
    "changed": lambda house: edited(house, "scratch = 1", reload(house)),
    "reload": reload,
    "refused": lambda house: edited(house, FAULTY, reload(house)),
    "broker": lambda _house: "systemctl stop mosquitto",
    "broker-back": lambda _house: "systemctl start mosquitto",
    "full": lambda _house: f"fallocate -l $(df --output=avail -B1 / | tail -1) {DISK}; df / | tail -1",
}
WAY = {way.key: way for way in WAYS}
BEFORE = {"broker-back": "systemctl stop mosquitto; sleep 2"}
AFTER = {"full": f"rm -f {DISK}"}
EDITS = ("faulty", "changed", "refused")
BOOTS = {"reboot": "systemctl reboot", "watchdog": "kill -SEGV 1"}


def restore(house: SafetyHouse) -> None:
    """Give all their own settings back."""
    house.write_files(house.short_s)
    house.root(reload(house))


def prepare(house: SafetyHouse, way: Way) -> float:
    """Bring all into their states that do not end; return after how many seconds the others are to end."""
    house.begin()
    house.wait_online()
    for_s = SHORT_S if way.fate is Fate.STAYS or way.key in ("freeze", "hang", "parent-freeze") else LONG_S
    house.command(for_s, [one for one in house.trials if not one.state.ends])
    moved = [one for one in house.trials if one.state.seen and not one.state.ends]
    for _ in range(3):
        if wait(lambda: not [one for one in house.unlike() if one in moved], 30) is not None:
            break
        house.command(for_s, moved)  # one that a broker lost while it went
    return for_s


def timed(house: SafetyHouse, way: Way, for_s: float) -> float:
    """Switch on what ends by itself, as the last thing before the strike; returns when that was."""
    ending = [one for one in house.trials if one.state.ends]
    began = house.command(for_s, ending)
    wait(lambda: not [one for one in house.unlike() if one in ending], 8)
    house.root(BEFORE.get(way.key, "true"))
    return began


def struck(house: SafetyHouse, way: Way) -> dict[str, float]:
    """Strike, and return when that began for each, in seconds since the machine started."""
    said = house.root(f"{UPTIME}\n{STRIKES[way.key](house)}", must=False).splitlines()
    began, *asked = [float(row) for row in said if row.replace(".", "", 1).isdecimal()]
    return dict.fromkeys(house.names, began) | dict(zip(house.names, asked, strict=False))


def was_there(one: Trial, levels: Levels, when: float) -> bool:
    """Return whether an output was in its state when it was hurt."""
    if one.state.level is Level.PULSES:
        return not one.state.seen or any(when - PULSES_S < at < when for at, _level in levels.changes)
    return levels.at(when) == ("1" if one.state.level is Level.HIGH else "0")


def judge_rest(one: Trial, levels: Levels, when: float, limit_s: float) -> Cell:
    """Return whether an output was at rest in time, and for good."""
    if not was_there(one, levels, when):
        return Cell(one, right=False, took_s=0.0, found="not tried: it was not in its state")
    after = levels.after(when)
    since = after.first(one.output.rest) if one.state.back else after.rest_since(one.output.rest)
    took = -1.0 if since is None else since - when
    return Cell(one, since is not None and took <= limit_s, took, f"at rest after {took:.1f} s of {limit_s:g}")


def judge_stay(one: Trial, levels: Levels, when: float, for_s: float) -> Cell:
    """Return whether an output stayed as it was, and ended when it should."""
    if not was_there(one, levels, when):
        return Cell(one, right=False, took_s=0.0, found="not tried: it was not in its state")
    after = levels.after(when)
    found = after.settled()
    if one.state.ends:
        since = after.rest_since(one.output.rest)
        late = -1.0 if since is None else since - levels.since(when) - for_s
        return Cell(one, since is not None and abs(late) <= LATE_S, max(late, 0.0), f"ended {late:.1f} s late")
    changed = len(after.changes) - 1
    steady = found is one.state.level and (found is Level.PULSES or not changed)
    return Cell(one, steady, 0.0, f"{found} after {changed} changes")


def run_way(house: SafetyHouse, way: Way) -> list[Cell]:
    """Hurt all in this way; return what became of each."""
    for_s = prepare(house, way)
    began = timed(house, way, for_s)
    when = struck(house, way)
    last = max(when.values())
    if way.fate is Fate.STAYS:
        wait(lambda: house.now() > max(began + for_s, last) + LATE_S + 2, PATIENCE_S)
        found = house.levels()
        house.root(AFTER.get(way.key, "true"))
        if way.key in EDITS:
            restore(house)
        left = [one for one in house.trials if one.state.seen]
        return [judge_stay(one, found[one.line], when[one.name], for_s) for one in left]
    wait(lambda: house.now() > last + way.limit_s + STEADY_S, PATIENCE_S)
    found = house.levels()
    if way.key in EDITS:
        restore(house)
    return [judge_rest(one, found[one.line], when[one.name], way.limit_s) for one in house.trials]


def judge_boot(one: Trial, levels: list[str]) -> Cell:
    """Return whether an output was at rest from the first look on."""
    rest = "1" if one.output.rest is Level.HIGH else "0"
    return Cell(one, levels[0] == rest if one.state.back else levels == [rest], 0.0, f"{levels}")


def run_boot(house: SafetyHouse, way: Way, cut: str) -> list[Cell]:
    """Have the machine go and come: each output is at rest from the first look on."""
    prepare(house, way)
    house.command(LONG_S, [one for one in house.trials if one.state.ends])
    boot = "cat /proc/sys/kernel/random/boot_id"
    before = house.pi.say(boot)
    house.root("sync")
    if way.key == "cut":
        subprocess.run(shlex.split(cut), check=True, capture_output=True)
    else:
        house.root(f"{BOOTS[way.key]}", must=False)
    wait(lambda: house.pi.say(boot, must=False) not in ("", before), PATIENCE_S)
    house.wait_online()
    found = house.levels()
    first = min(one.changes[0][0] for one in found.values())
    print(f"     {way.key}: the lines are watched from {first:.0f} s after the start on", flush=True)
    return [judge_boot(one, [level for _at, level in found[one.line].changes]) for one in house.trials]


def record(mode: str, way: Way, cells: list[Cell]) -> None:
    """Write down how many cells of each kind were right of how many, and the longest time."""
    found = json.loads(SEEN.read_text()) if SEEN.exists() else {}
    kinds = found.setdefault(mode, {}).setdefault(way.key, {})
    for kind in dict.fromkeys(cell.trial.output.kind for cell in cells):
        those = [cell for cell in cells if cell.trial.output.kind == kind]
        longest = max(cell.took_s for cell in those) if way.fate is Fate.RESTS else 0.0
        kinds[kind] = [sum(cell.right for cell in those), len(those), round(longest, 1)]
    SEEN.write_text(json.dumps(found, indent=1) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=("units", "supervisor"))
    parser.add_argument("--by", required=True, metavar="COMMAND", help="what runs its last argument on the Pi")
    parser.add_argument("--cut", metavar="COMMAND", help="pulls the machine's plug and puts it back, here")
    parser.add_argument("--ways", help="only these, in this order, such as kill,freeze")
    parser.add_argument("--kinds", help="only these, such as lock,cover")
    parser.add_argument("--furnished", action="store_true", help="it has the house already")
    parser.add_argument("--record", action="store_true", help="write what was measured into docs/safety.json")
    given = parser.parse_args()
    kinds = given.kinds.split(",") if given.kinds else None
    chosen = [one for one in OUTPUTS if kinds is None or one.kind in kinds]
    house = SafetyHouse(Pi(shlex.split(given.by), "", ""), given.mode, trials(chosen), SHORT_S)
    if not given.furnished:
        house.furnish()
    wrong = count = 0
    for way in WAYS if given.ways is None else [WAY[key] for key in given.ways.split(",")]:
        if way.only not in ("", given.mode) or (way.key == "cut" and not given.cut):
            continue
        began = time.monotonic()
        cells = run_boot(house, way, given.cut) if way.key in ("cut", *BOOTS) else run_way(house, way)
        bad = [cell for cell in cells if not cell.right]
        wrong, count = wrong + len(bad), count + len(cells)
        longest = max((cell.took_s for cell in cells), default=0.0)
        print(
            f"{'FAIL' if bad else 'ok  '} {way.key}: {len(cells) - len(bad)} of {len(cells)}, at most {longest:.1f} s"
        )
        for cell in bad:
            print(
                f"     {cell.trial.output.title}, {cell.trial.state.name} ({cell.trial.name}): {cell.found}", flush=True
            )
        print(f"     in {time.monotonic() - began:.0f} s", flush=True)
        if given.record:
            record(given.mode, way, cells)
    print(f"{count - wrong} of {count} cells are right")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
