"""A house with an output for each state in docs/SAFETY.md, where penates is installed, and what its lines did."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from pi.machine import COPY, PATIENCE_S, Pi, wait
from safety_table import OUTPUTS, Level, Output, State

FIRST_LINE, LAST_LINE = 2, 27
GROUP = "home"  # of a new house
CONFIG, LOG = "/etc/safety.json", "/run/safety.log"
WATCH = f"""[Unit]
After=vpi-hardware.service
Before=multi-user.target penates.target
[Service]
ExecStart=/usr/bin/python3 /opt/line_watch.py {CONFIG}
StandardOutput=append:{LOG}
[Install]
WantedBy=sysinit.target
"""
LOGIN = '-u admin -P "$(cat /etc/penates/secrets/admin)"'
PUBLISH = f"mosquitto_pub -q 1 {LOGIN}"
UPTIME = "cut -d' ' -f1 /proc/uptime"  # prints the seconds since the machine started
SETTLED_S = 4.0  # for which a line must be as it is, to be called low or high
LATER_S = 60  # until when a command may be carried out


@dataclass
class Trial:
    """One output in one state, on a line of its own, and the file of its sensor."""

    output: Output
    state: State
    name: str
    line: int
    inputs: dict[str, int] = field(default_factory=dict)

    def file(self, for_s: float) -> str:
        """Return the text of its file."""
        pins = {self.output.pin: self.line, **self.inputs}
        rows = [f'kind = "hurt.{self.output.code.partition(".")[2]}"', *(f"{key} = {pin}" for key, pin in pins.items())]
        return "\n".join([*rows, self.output.settings.replace("FOR_S", f"{for_s:g}"), ""])

    def commands(self, for_s: float, before: str) -> list[str]:
        """Return the payloads that bring it into its state."""
        filled = self.state.payload.replace("FOR_S", f"{for_s:g}").replace("BEFORE", before)
        return filled.splitlines()


def trials(outputs: Sequence[Output] = OUTPUTS) -> list[Trial]:
    """Return a trial for each state of each output."""
    lines, found = count(FIRST_LINE), list[Trial]()
    for output in outputs:
        for state in output.states:
            line = next(lines)
            inputs = {name: next(lines) for name in output.inputs}
            found.append(Trial(output, state, f"o{line}", line, inputs))
    assert next(lines) <= LAST_LINE + 1, "the header has no more lines"
    return found


class Levels:
    """What a line did: each change, with its time since the machine started."""

    def __init__(self, changes: Sequence[tuple[float, str]], until: float) -> None:
        self.changes, self.until = list(changes), until

    def at(self, when: float) -> str:
        """Return the level at a time: 0 or 1, or empty before the first look."""
        return next((level for at, level in reversed(self.changes) if at <= when), "")

    def since(self, when: float) -> float:
        """Return since when it is as it is at a time."""
        return max((at for at, _level in self.changes if at <= when), default=when)

    def settled(self) -> Level:
        """Return what the line does at last."""
        if any(at > self.until - SETTLED_S for at, _level in self.changes):
            return Level.PULSES
        return Level.HIGH if self.at(self.until) == "1" else Level.LOW

    def rest_since(self, level: Level) -> float | None:
        """Return since when the line has been at this level for good; None if it is not."""
        wanted = "1" if level is Level.HIGH else "0"
        other = [at for at, found in self.changes if found != wanted]
        if not self.changes or self.changes[-1][1] != wanted:
            return None
        return next((at for at, _found in self.changes if not other or at > other[-1]), None)

    def first(self, level: Level) -> float | None:
        """Return since when it is at this level, or was for the first time."""
        return next((at for at, found in self.changes if found == ("1" if level is Level.HIGH else "0")), None)

    def after(self, when: float) -> "Levels":
        """Return what it did from a time on, beginning with what it was then."""
        return Levels([(when, self.at(when)), *((at, level) for at, level in self.changes if at > when)], self.until)


@dataclass
class SafetyHouse:
    """The house, under one of the two supervisors."""

    pi: Pi
    mode: str
    trials: list[Trial]
    short_s: float  # of what has its longest time in its file

    def root(self, script: str, *, must: bool = True) -> str:
        """Run a script as root, there."""
        return self.pi.say(f"sudo bash -c {shlex.quote(script)}", must=must)

    def put(self, path: str, text: str) -> None:
        self.root(f"cat > {path} <<'END_OF_IT'\n{text}\nEND_OF_IT")

    def furnish(self) -> None:
        """Write the files of all, put resistors on the lines, and start."""
        copy = f"/home/pi/{COPY}/tests/pi"
        self.root(f"cp {copy}/hurt_outputs.py /etc/penates/hurt.py; cp {copy}/line_watch.py /opt")
        self.root("rm -f /etc/penates/devices/*")
        self.write_files(self.short_s)
        levels = {one.line: int(one.output.rest is Level.HIGH) for one in self.trials}
        for one in self.trials:
            levels |= {line: one.output.inputs[name] for name, line in one.inputs.items()}
        self.put(CONFIG, json.dumps(levels))
        self.put("/etc/systemd/system/safety-watch.service", WATCH)
        self.root("systemctl daemon-reload; systemctl enable safety-watch; systemctl restart safety-watch")
        self.root(f"penates install {'--supervisor' if self.mode == 'supervisor' else '--no-supervisor'} --watchdog")

    def write_files(self, for_s: float) -> None:
        script = [f"cat > /etc/penates/devices/{one.name}.toml <<'END'\n{one.file(for_s)}END" for one in self.trials]
        self.root("\n".join(script))

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.trials]

    @property
    def units(self) -> str:
        """All units that run sensors."""
        return " ".join(f"penates@{name}" for name in self.names) if self.mode == "units" else "penates.service"

    def begin(self) -> None:
        """Start what does not run, with whole files."""
        self.write_files(self.short_s)
        self.root(
            f"systemctl start mosquitto; systemctl reset-failed; systemctl start penates.target {self.units}",
            must=False,
        )

    def online(self) -> int:
        hear = f"timeout 3 mosquitto_sub {LOGIN} -F %p -t '{GROUP}/+/status/state' --retained-only"
        said = self.root(hear, must=False).split()
        return said.count("online") + said.count("fault")  # a bolt that does not follow is a fault

    def wait_online(self) -> None:
        assert wait(lambda: self.online() >= len(self.names), 3 * PATIENCE_S) is not None, "all are online"

    def command(self, for_s: float, wanted: Sequence[Trial]) -> float:
        """Bring these into their states. Returns when that was commanded."""
        before = self.pi.say(f"date -u +%FT%TZ -d +{LATER_S}sec")  # by its own clock
        sent = [
            f"{PUBLISH} -t {GROUP}/{one.name}/action/{one.state.action} -l <<'END'\n" + "\n".join(commands) + "\nEND"
            for one in wanted
            if (commands := one.commands(for_s, before))
        ]
        return float(self.root("\n".join([UPTIME, *sent])).split()[0])

    def ask_all(self, action: str) -> str:
        """Return the script that asks all of them for something, and prints when it asks each."""
        return "\n".join(f"{UPTIME}; {PUBLISH} -t {GROUP}/{name}/action/{action} -m now" for name in self.names)

    def pids(self) -> list[str]:
        """The processes of all sensors."""
        if self.mode == "units":
            return self.root(f"systemctl show --property=MainPID --value {self.units}").split()
        return [
            str(row["pid"])
            for row in json.loads(self.root("penates status --json", must=False))["sensors"]
            if row["pid"]
        ]

    def now(self) -> float:
        return float(self.pi.say("cut -d' ' -f1 /proc/uptime"))

    def levels(self) -> Mapping[int, Levels]:
        """Return what each line did since the machine started."""
        *told, (now, _idle) = [row.split() for row in self.root(f"cat {LOG} /proc/uptime").splitlines()]
        rows, until = [row for row in told if len(row) == 3], float(now)
        changes: dict[int, list[tuple[float, str]]] = {}
        for at, line, level in rows:
            if line.isdecimal():
                changes.setdefault(int(line), []).append((float(at), level))
        return {line: Levels(found, until) for line, found in changes.items()}

    def unlike(self) -> Iterator[Trial]:
        """Yield those whose line is not as their state says."""
        found = self.levels()
        yield from (one for one in self.trials if found[one.line].settled() is not one.state.level)
