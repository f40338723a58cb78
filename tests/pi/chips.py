r"""The kernel's drivers over simulated chips, read by the kinds that are for them: run on the virtual Pi, as root.

    sudo tests/pi/chips [PART or KIND …]

Each chip is put on a simulated I2C bus (the kernel's `i2c-stub`, with the parameters `byte_regs`, `absent`, `error` and
`fuse` that the virtual Pi's has beyond Debian's), its driver is told of it as an overlay would, and a process of
penates reads it and publishes to the machine's own broker. Prints a table of what was seen, and ends with 1 if a row
is not as promised. A part whose driver this kernel lacks is named and left out.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pi.chip_bus import STUB, Bus, bus_with
from pi.chip_cases import CASES, NEAR, Case, Held, Values
from pi.chip_sheets import CHIPS
from pi.machine import ROOT

PYTHON = ROOT / ".venv" / "bin" / "python"
GROUP = "chips"
NOT_COMPARED = ("time", "run", "seq", "clock", "energy")  # of a record; energy adds up while the test runs
PATIENCE_S = 60.0
FAULTS = {"error": "a bus that is stuck", "fuse": "a chip unplugged in a read"}  # by the parameters that they take
CACHED_S = 2.1  # a driver that keeps its last value keeps it for 2 s
AWAKE_S = 15.0  # in which a driver that tells its chip to measure at each read has done so
SHOWN = 160  # letters of what was seen
UNANSWERED = ("failing", "absent")


def forget() -> None:
    """Clear what the broker retains of an earlier run."""
    what = ["-t", f"{GROUP}/#", "--retained-only", "--remove-retained", "-W", "3"]
    subprocess.run(["mosquitto_sub", *what], capture_output=True, check=False)


@dataclass
class House:
    """A folder of settings, and all that is published."""

    folder: Path

    def __post_init__(self) -> None:
        (self.folder / "devices").mkdir()
        (self.folder / "house.toml").write_text(f'group = "{GROUP}"\nheartbeat_s = 60\n')
        forget()
        self.log = self.folder / "wire.log"
        self.eyes = subprocess.Popen(["mosquitto_sub", "-t", f"{GROUP}/#", "-F", "%t %p"], stdout=self.log.open("w"))

    def rows(self, sensor: str) -> list[tuple[str, str]]:
        """Return what a sensor has published, in order, as topics below it and payloads."""
        before = f"{GROUP}/{sensor}/"
        rows = (line.split(" ", 1) for line in self.log.read_text().splitlines() if line.startswith(before))
        return [(topic.removeprefix(before), payload) for topic, payload in rows]


@dataclass
class Sensor:
    """A sensor's process, and what it has published."""

    house: House
    name: str
    process: subprocess.Popen[bytes]
    since: int = 0  # rows that it had published when its chip last changed

    def mark(self) -> None:
        """Look at health from here on only."""
        self.since = len(self.house.rows(self.name))

    def last(self, topic: str) -> str:
        return next((payload for name, payload in reversed(self.house.rows(self.name)) if name == topic), "")

    def state(self) -> str:
        return self.last("status/state")

    def health(self) -> dict[str, dict[str, str]]:
        """Return what it has said of its measures since its chip changed."""
        rows = self.house.rows(self.name)[self.since :]
        said = [payload for topic, payload in rows if topic == "status/health"]
        found: dict[str, dict[str, str]] = json.loads(said[-1]) if said else {}
        return found

    def why(self) -> str:
        """Return the reasons that it gives for its fault."""
        return "; ".join({str(one["why"]) for one in self.health().values() if one["why"]})

    def publishes(self, values: Values, near: Values) -> bool:
        """Return whether these are its newest values, and the record of its history has them alone."""
        record = json.loads(self.last("data/reading") or "{}")
        measured = {name: value for name, value in record.items() if name not in NOT_COMPARED}
        shown = {name: float(self.last(f"data/{name}") or "nan") for name in values}
        return measured.keys() == values.keys() and all(
            abs(found[name] - value) <= near[name] for name, value in values.items() for found in (measured, shown)
        )

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop it between two reads, since what it is in the midst of reading must not change."""
        self.process.send_signal(signal.SIGSTOP)
        tasks = Path(f"/proc/{self.process.pid}/task")
        wait(lambda: all(stat.read_text().rpartition(")")[2].split()[0] == "T" for stat in tasks.glob("*/stat")))
        self.mark()
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


def wait(true: Callable[[], object], seconds: float = PATIENCE_S) -> bool:
    deadline = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return bool(found)


@dataclass
class Table:
    """What was seen, row for row."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def row(self, case: Case, what: str, *, right: bool, seen: str = "") -> None:
        print(f"{'ok  ' if right else 'FAIL'} {case.kind:12} {case.part:8} {what:32} {seen[:SHOWN]}", flush=True)
        self.counts[what.partition(":")[0]] += right
        if not right:
            self.wrong.append(f"{case.part}, {what}")


@dataclass
class Proof:
    """One case: a chip on its bus, and the sensor that reads it."""

    case: Case
    bus: Bus
    house: House
    table: Table

    @property
    def near(self) -> Values:
        return {**NEAR, **self.case.near}

    @property
    def name(self) -> str:
        return f"{self.case.kind}-{self.case.part}".lower()

    @contextmanager
    def sensor(self, name: str) -> Iterator[Sensor]:
        """Run a sensor's process."""
        lines = (
            f'kind = "{self.case.kind}"',
            self.case.found_by or self.bus.setting(),
            "every_s = 1.0",
            self.case.settings,
        )
        (self.house.folder / "devices" / f"{name}.toml").write_text("\n".join(lines) + "\n")
        command: list[str | Path] = [PYTHON, "-m", "penates", "run", name, "--config", self.house.folder]
        with (self.house.folder / f"{name}.log").open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.house.folder)
        try:
            yield Sensor(self.house, name, process)
        finally:
            process.terminate()
            process.wait(PATIENCE_S)

    def hold(self, sensor: Sensor, held: Held) -> bool:
        """Let the chip measure this, if its driver has told it to measure; return whether it has."""
        with sensor.frozen():
            if awake := self.bus.awake():
                self.bus.write(self.bus.chip.hold(*held.arguments))
        return awake

    def publishes_good(self, sensor: Sensor) -> bool:
        return sensor.state() == "online" and sensor.publishes(self.case.good.published, self.near)

    def shows(self, sensor: Sensor, what: str, held: Held) -> None:
        """See that what the chip holds is published, and the sensor well."""
        right = wait(lambda: sensor.state() == "online" and sensor.publishes(held.published, self.near))
        seen = " ".join(f"{name} {sensor.last(f'data/{name}')}" for name in held.published)
        self.table.row(self.case, what, right=right, seen=seen if right else f"{sensor.state()}: {seen} {sensor.why()}")

    def fails(self, sensor: Sensor, what: str, *measures: str) -> None:
        """See that the sensor says that these of its measures fail, or all that come from the chip, and why."""

        def ill() -> bool:
            health = sensor.health()
            named = measures or tuple(self.case.good.published)
            return bool(health) and all(health[name]["health"] in UNANSWERED and health[name]["why"] for name in named)

        right = wait(lambda: sensor.state() == "fault" and ill())
        self.table.row(self.case, what, right=right, seen=sensor.why() if right else f"{sensor.state()} {sensor.why()}")

    def values(self, sensor: Sensor) -> None:
        """The values that the data sheet allows are published; others are refused, and nothing else is."""
        self.shows(sensor, "good", self.case.good)
        for held in self.case.edges:
            self.hold(sensor, held)
            self.shows(sensor, f"edge: {held.arguments}", held)
        for held in self.case.refused:
            self.hold(sensor, held)
            self.fails(sensor, f"beyond: {held.arguments}", *(self.case.good.published.keys() - held.published.keys()))
        self.again(sensor, "in range again")

    def again(self, sensor: Sensor, what: str) -> None:
        self.hold(sensor, self.case.good)
        self.shows(sensor, what, self.case.good)

    def unplugged(self, sensor: Sensor) -> None:
        """Between two reads and in the midst of one."""
        sensor.mark()
        self.bus.plug(plugged=False)
        self.fails(sensor, "unplugged")
        self.plugged(sensor, "plugged in again")
        if self.bus.cuts and not self.case.one_transfer:
            with sensor.frozen():
                time.sleep(CACHED_S)
                self.bus.unplug_after(1)
            self.fails(sensor, "unplugged in a read")
            self.plugged(sensor, "plugged in again, too")

    def plugged(self, sensor: Sensor, what: str) -> None:
        """See what becomes of it with a chip that has just been switched on."""
        with sensor.frozen():
            self.bus.plug(plugged=True)
            self.bus.write(self.bus.chip.power_on)
        self.bound(sensor, what, well=wait(lambda: self.hold(sensor, self.case.good), AWAKE_S))

    def bound(self, sensor: Sensor, what: str, *, well: bool) -> None:
        """See that it is well, at the latest when its driver has begun again."""
        if well and self.case.may_sleep_for_ever:
            well = wait(lambda: self.publishes_good(sensor), AWAKE_S)
        if not well:
            sensor.mark()
            self.fails(sensor, f"{what}: driver lost")
            self.bus.bind_anew()
            wait(lambda: self.hold(sensor, self.case.good))
        self.shows(sensor, what, self.case.good)

    def stuck(self, sensor: Sensor) -> None:
        """A line of the bus is held low."""
        if not self.bus.sticks:
            return
        sensor.mark()
        self.bus.stick(stuck=True)
        self.fails(sensor, "bus stuck")
        self.bus.stick(stuck=False)
        self.bound(sensor, "bus free again", well=True)

    def damaged(self, sensor: Sensor) -> None:
        """A checksum is wrong."""
        if self.case.checked:
            with sensor.frozen():
                self.bus.damage(self.bus.chip.hold(*self.case.good.arguments))
            self.fails(sensor, "checksum wrong", *self.case.checked)
            self.again(sensor, "checksum right again")

    def absent(self) -> None:
        """It is not there when the machine starts."""
        self.bus.forget()
        self.bus.plug(plugged=False)
        self.bus.instantiate()
        with self.sensor(f"{self.name}-absent") as sensor:
            self.fails(sensor, "absent")
            published = [topic for topic, _ in self.house.rows(sensor.name) if topic.startswith("data/")]
            self.table.row(self.case, "absent: nothing published", right=not published, seen=" ".join(published))
            self.bus.plug(plugged=True)
            self.bus.write(self.bus.chip.power_on)
            self.bus.bind_anew()
            wait(lambda: self.hold(sensor, self.case.good))
            self.shows(sensor, "there at last", self.case.good)

    def nothing_invented(self, sensor: Sensor) -> None:
        """See that each number that was ever published is one that the chip held."""
        case = self.case
        held = (case.good, *case.edges, *case.refused)
        strange = [
            f"{name} {value}"
            for topic, payload in self.house.rows(sensor.name)
            if topic == "data/reading"
            for name, value in json.loads(payload).items()
            if name in case.good.published
            and not any(abs(value - one.published.get(name, float("inf"))) <= self.near[name] for one in held)
        ]
        self.table.row(case, "nothing invented", right=not strange, seen=" ".join(strange[:5]))

    def run(self) -> None:
        self.bus.instantiate()
        folder = self.bus.bound()
        self.table.row(self.case, "its driver binds", right=folder is not None, seen=folder.name if folder else "")
        if folder:
            self.bus.write(self.bus.chip.hold(*self.case.good.arguments))
            with self.sensor(self.name) as sensor:
                for part in (self.values, self.unplugged, self.stuck, self.damaged, self.nothing_invented):
                    part(sensor)
            self.absent()


def prove(case: Case, house: House, table: Table) -> None:
    chip = CHIPS[case.part]
    if subprocess.run(["modprobe", "--dry-run", "--quiet", chip.module], check=False).returncode:
        print(f"     {case.kind:12} {case.part:8} left out: this kernel lacks its driver, {chip.module}")
        return
    with bus_with(chip) as bus:
        Proof(case, bus, house, table).run()


def main() -> int:
    wanted = sys.argv[1:]
    if unknown := {*wanted} - {word for case in CASES for word in (case.part, case.kind)}:
        sys.exit(f"there is no case for {', '.join(sorted(unknown))}")
    if not (STUB / "byte_regs").exists():
        sys.exit("there is no simulated I2C bus here: this wants the virtual Pi's i2c-stub")
    for parameter, what in FAULTS.items():
        if not (STUB / parameter).exists():
            print(f"     left out: {what}; this i2c-stub has no parameter {parameter}")
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        try:
            for case in CASES:
                if not wanted or {case.part, case.kind} & {*wanted}:
                    prove(case, house, table)
        finally:
            house.eyes.terminate()
            forget()
    print(", ".join(f"{count} {what}" for what, count in table.counts.items()))
    print(f"{len(table.wrong)} rows wrong: {'; '.join(table.wrong)}" if table.wrong else "all rows right")
    return bool(table.wrong)


if __name__ == "__main__":
    sys.exit(main())
