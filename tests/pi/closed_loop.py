"""On the machine itself, as root: has sockets switched, and decodes what their lines did, by the kernel's own trace.

    cd tests; sudo PYTHONPATH=. /opt/penates/bin/python -m pi.closed_loop code GATEWAY SOCKET UNIT LINE COUNT [LOADS]
    … turns GATEWAY SOCKET UNIT LINE GATEWAY SOCKET UNIT LINE
    … play FILE PULSES

`code` switches a SOCKET of GATEWAY, a `kaku 12345678 UNIT`, COUNT times, while LOADS processes keep the processor busy.
The kernel notes each edge with its time, and rtl_433 decodes that. Prints the counts as a JSON object; what was on the
air at last is kept in /srv/closed_loop.ook. `turns` has two transmitters send at once, and prints how often one came
behind the other. `play` makes a simulated line hear pulses: FILE is by which it is pulled, PULSES is as rtl_433 has it.
"""

import json
import os
import re
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from queue import Queue
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from bootstrap.pins.pulse_child import in_real_time, send
from bootstrap.radio.socket_protocols import SocketCode
from support.heard_air import LEARNING, decoded, pulses, transcript

ID, GROUP = 12345678, 4  # the sockets' id, and the units of a group, which rtl_433 counts from the last
TRACE = Path("/sys/kernel/tracing")
EVENT = "events/gpio/gpio_value/enable"
SETTINGS = {"trace_clock": "mono", "buffer_size_kb": "8192", EVENT: "1"}
RECORDED = Path("/srv/closed_loop.ook")
GAP_US = 5000  # shortest gap between two repeats
PATIENCE_S = 120.0
BUSY = "while :; do :; done"
TIMES = 4  # that each of two sends
Edges = list[tuple[int, int]]


class LineTrace:
    """The edges of lines, as the kernel has made them."""

    def __init__(self, *lines: int) -> None:
        listed = Path("/sys/kernel/debug/gpio").read_text()
        found = {int(line): number for number, line in re.findall(r"gpio-(\d+) \(GPIO(\d+) *\|", listed)}
        assert found.keys() >= {*lines}, f"nobody has one of {lines}:\n{listed}"
        numbers = "|".join(found[line] for line in lines)
        self._edge = re.compile(rf"([\d.]+): gpio_value: ({numbers}) set ([01])")
        for name, value in SETTINGS.items():
            (TRACE / name).write_text(value)

    def clear(self) -> None:
        (TRACE / "trace").write_text("")

    def lines(self) -> list[str]:
        """Whose line was set to high, each time."""
        return [line for _when, line, level in self._edge.findall((TRACE / "trace").read_text()) if level == "1"]

    def edges(self) -> Edges:
        """When a level has changed, in nanoseconds, and to which; from the first rise to the last fall."""
        found: Edges = []
        for when, _line, level in self._edge.findall((TRACE / "trace").read_text()):
            if int(level) != (found[-1][1] if found else 0):
                found.append((round(float(when) * 1e9), int(level)))
        return found[: len(found) // 2 * 2]

    def close(self) -> None:
        (TRACE / EVENT).write_text("0")


class Transmitter:
    """A gateway that is told as its owner tells it."""

    def __init__(self, gateway: str, socket: str) -> None:
        self._socket = socket
        self._told: Queue[dict[str, Any]] = Queue()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.username_pw_set("admin", Path("/etc/penates/secrets/admin").read_text().strip())
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1")
        self._client.subscribe([(f"home/{gateway}/data/sent", 1), (f"home/{gateway}/data/reading", 1)])
        self._client.loop_start()
        self._sent: int = self._told.get(timeout=PATIENCE_S)["sent"]

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        value = json.loads(message.payload)
        if isinstance(value, dict):
            self._told.put(value)
        elif message.retain:
            self._told.put({"sent": value})

    def switch(self, word: str) -> None:
        self._client.publish(f"home/{self._socket}/action/set", word, 1)

    def has_sent(self, count: int = 1) -> dict[str, Any]:
        """Wait until it has sent so many more; returns what it says of the last one."""
        self._sent += count
        while (found := self._told.get(timeout=PATIENCE_S)).get("sent", 0) < self._sent:
            pass
        return found

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def frames(edges: Edges) -> list[list[int]]:
    """Return the durations of each repeat in microseconds, without the gaps between."""
    found: list[list[int]] = [[]]
    for (before, _), (after, _) in pairwise(edges):
        lasted = round((after - before) / 1000)
        if lasted > GAP_US:
            found.append([])
        else:
            found[-1].append(lasted)
    return found


def error_us(frame: list[int], unit: int, *, on: bool) -> int | None:
    """Return by how much the worst duration of a repeat was wrong; None if it was none."""
    wanted = SocketCode(f"kaku {ID} {unit}").frame(on=on).durations[:-1]
    return max(abs(a - b) for a, b in zip(frame, wanted, strict=True)) if len(frame) == len(wanted) else None


@dataclass
class Tally:
    """What was on the air, and what of it was understood."""

    unit: int
    count: int = 0
    understood: int = 0
    wrong: int = 0
    repeats: Counter[str] = field(default_factory=Counter)
    errors: list[int] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    timing: set[str] = field(default_factory=set)

    def add(self, edges: Edges, said: dict[str, Any], *, on: bool) -> None:
        """Count a transmission: its edges, and what the transmitter says of it."""
        air, each = pulses(edges), frames(edges)
        heard = [(one["id"], one["unit"], one["state"]) for one in decoded(air, LEARNING)]
        right = heard.count((ID, GROUP - 1 - (self.unit - 1) % GROUP, "ON" if on else "OFF"))
        self.count += 1
        self.understood += right > 0
        self.wrong += len(heard) - right
        self.repeats[f"{right} of {len(each)}"] += 1
        self.errors += [error for frame in each if (error := error_us(frame, self.unit, on=on)) is not None]
        self.told += [said["pulse_error"]] if "pulse_error" in said else []
        self.timing.add(said["timing"])
        transcript(air, RECORDED)

    @property
    def summary(self) -> dict[str, Any]:
        """The numbers; errors are those of the worst duration of each repeat, in microseconds."""
        return {
            **{name: getattr(self, name) for name in ("count", "understood", "wrong", "repeats")},
            "timing": sorted(self.timing),
            "error_us": statistics.median(self.errors) if self.errors else None,
            "worst_us": max(self.errors, default=None),
            "told_us": statistics.median(self.told) if self.told else None,
        }


def code(*words: str) -> str:
    """Return what was understood, as JSON."""
    gateway, socket = words[:2]
    unit, line, count, loads = map(int, [*words[2:], "0"][:4])
    tally = Tally(unit)
    with closing(LineTrace(line)) as trace, closing(Transmitter(gateway, socket)) as sender, ExitStack() as stack:
        for _ in range(loads):
            stack.callback(subprocess.Popen(["sh", "-c", BUSY]).kill)
        for number in range(count):
            on = number % 2 == 0
            trace.clear()
            sender.switch("on" if on else "off")
            said = sender.has_sent()
            tally.add(trace.edges(), said, on=on)
    return json.dumps(tally.summary)


def turns(*words: str) -> str:
    """Return how often another one sent than before."""
    with closing(LineTrace(int(words[3]), int(words[7]))) as trace, ExitStack() as stack:
        both = [stack.enter_context(closing(Transmitter(*words[at : at + 2]))) for at in (0, 4)]
        trace.clear()
        for number in range(TIMES):
            for one in both:
                one.switch("on" if number % 2 == 0 else "off")
        for one in both:
            one.has_sent(TIMES)
        order = trace.lines()
    assert len({*order}) == len(both), "only one has sent"
    return str(sum(before != after for before, after in pairwise(order)))


def play(file: str, transmission: str) -> str:
    """Pull a line up and down, as a receiver would."""
    lines = [line.split() for line in Path(transmission).read_text().splitlines() if not line.startswith(";")]
    durations = [int(one) for line in lines for one in line]
    descriptor = os.open(file, os.O_WRONLY)
    in_real_time()
    send(lambda level: os.pwrite(descriptor, b"pull-up" if level else b"pull-down", 0), durations)
    os.pwrite(descriptor, b"pull-down", 0)
    return f"{len(lines)} pulses"


if __name__ == "__main__":
    COMMANDS: dict[str, Callable[..., str]] = {"code": code, "turns": turns, "play": play}
    print(COMMANDS[sys.argv[1]](*sys.argv[2:]))
