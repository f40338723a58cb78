r"""The kernel's drivers over simulated chips, read by the kinds that are for them: run on the virtual Pi, as root.

    sudo tests/pi/chips [PART …]

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
from pi.chip_registers import CHIPS
from pi.machine import ROOT

PYTHON = ROOT / ".venv" / "bin" / "python"
GROUP = "chips"
PATIENCE_S = 60.0
CACHED_S = 2.1  # a driver that keeps its last value keeps it for 2 s
UNANSWERED = ("failing", "absent")


@dataclass
class House:
    """A folder of settings, and all that is published."""

    folder: Path

    def __post_init__(self) -> None:
        (self.folder / "devices").mkdir()
        (self.folder / "house.toml").write_text(f'group = "{GROUP}"\nheartbeat_s = 60\n')
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

    def last(self, topic: str) -> str:
        return next((payload for name, payload in reversed(self.house.rows(self.name)) if name == topic), "")

    def state(self) -> str:
        return self.last("status/state")

    def health(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = json.loads(self.last("status/health") or "{}")
        return found

    def why(self) -> str:
        """Return the reasons that it gives for its fault."""
        return "; ".join({str(one["why"]) for one in self.health().values() if one["why"]})

    def publishes(self, values: Values, near: Values) -> bool:
        """Return whether these are its newest values, and the record of its history has them alone."""
        record = json.loads(self.last("data/reading") or "{}")
        measured = {name: value for name, value in record.items() if isinstance(value, float | int) and name != "seq"}
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
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)
