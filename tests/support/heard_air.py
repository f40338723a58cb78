"""What is on the air of a transmitter on a simulated line: recorded with its times, and decoded by a real rtl_433."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from bootstrap.pins.simulated_lines import SimulatedLine

RTL_433 = shutil.which("rtl_433")
LAST_GAP_US = 20_000
# Each row of the encoder PT2262 as it is sent: the named decoders give one of several alike, or know no third level.
ROWS = "n=rows,m=OOK_PWM,s=350,l=1050,g=1400,r=12000,t=200"
LEARNING, WHEELS, SWITCHES = 51, 4, 24  # decoders: self-learning sockets, those with code wheels, those with switches


class RecordedAir:
    """A line whose edges are noted, from now on."""

    def __init__(self, line: SimulatedLine) -> None:
        line.trace.touch()
        self._line, self._read = line, 0

    def edges(self) -> list[tuple[int, int]]:
        """What was noted since the last call: when, in nanoseconds, and to which level."""
        lines = self._line.trace.read_text().splitlines()[self._read :]
        self._read += len(lines)
        return [(int(when), int(level)) for when, level in map(str.split, lines)]

    def pulses(self) -> list[tuple[int, int]]:
        return pulses(self.edges())


def pulses(edges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Each pulse and the gap after it, in microseconds."""
    assert [level for _when, level in edges] == [1, 0] * (len(edges) // 2)
    lasted = [round((after - before) / 1000) for (before, _), (after, _) in pairwise(edges)] + [LAST_GAP_US]
    return list(zip(lasted[::2], lasted[1::2], strict=True))


def decoded(air: Iterable[tuple[int, int]], *options: str | int) -> list[dict[str, Any]]:
    """What rtl_433 hears of pulses by a decoder, or by a description of one."""
    assert RTL_433, "rtl_433 is not installed; run scripts/test, which installs it"
    chosen = [word for one in options for word in (["-R", str(one)] if isinstance(one, int) else ["-X", one])]
    text = "".join(f"{pulse} {gap}\n" for pulse, gap in air) + ";end\n"
    command = [RTL_433, "-c", "/dev/null", *chosen, "-r", "ook:-", "-F", "json"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=120)
    return [json.loads(line) for line in done.stdout.splitlines()]


def rows(air: Iterable[tuple[int, int]]) -> list[str]:
    """Every row of 25 bits that is heard, as rtl_433 writes it."""
    return [row for heard in decoded(air, ROWS) if heard["model"] == "rows" for row in heard["codes"]]


def transcript(air: Iterable[tuple[int, int]], file: Path) -> None:
    """Write pulses as rtl_433 keeps them."""
    file.write_text("".join(f"{pulse} {gap}\n" for pulse, gap in air) + ";end\n")
