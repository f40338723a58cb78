"""A radio receiver on a pin that hears noise: CPU and wake-ups of its gateway and of rtl_433, by edges a second.

    .venv/bin/python benchmarks/pin_noise.py [SECONDS]

The edges come as the kernel writes them, through a pipe that holds about as many as the kernel does. In the noise a
station sends every 5 s; what arrives at the broker of that is counted, too.
"""

import os
import random
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.transmitters import nexus  # noqa: E402
from support.world import Broker, Eyes, House, Running  # noqa: E402

PIPE = "PENATES_BENCHMARK_EDGES"
EVENT = struct.Struct("=QIIII24x")  # struct gpio_v2_line_event
CHUNK_S = 0.01  # edges are written so often
SENT_EVERY_S = 5.0
SETTLE_S = 5.0
MEANS_US = (60, 120, 200, 600)  # of the durations in noise
STICK = 'kind = "radio"\ninput = "pin:GPIO27"\n[sensors.shed]\nmodel = "Nexus-TH"\nid = 181\nchannel = 2\n'


def gateway() -> None:
    """Run penates with a line whose edges come from a pipe."""
    from bootstrap.pins import edge_times  # noqa: PLC0415 - not needed to measure

    class Piped(edge_times.KernelEvents):
        keeps = True

        def __init__(self, _number: int) -> None:
            self._pipe = os.open(os.environ[PIPE], os.O_RDWR)
            super().__init__(self._pipe)

        def fileno(self) -> int:
            return self._pipe

        def close(self) -> None:
            os.close(self._pipe)

    edge_times.open_edges = Piped  # type: ignore[assignment]
    from penates.__main__ import main as penates  # noqa: PLC0415

    sys.exit(penates())


class Line:
    """A line that is never quiet; time on it runs as fast as ours."""

    def __init__(self, pipe: Path, mean_us: int) -> None:
        self._pipe, self._chance, self._mean_us = os.open(pipe, os.O_RDWR), random.Random(1), mean_us
        self._at_ns, self.count, self.dropped = time.monotonic_ns(), 0, 0

    def _durations(self, *, sent: bool) -> Iterator[int]:
        if sent:
            yield from (us for pulse in nexus(181, 2, 21.5) for us in pulse)
        for _ in range(2):
            yield 5 + int(self._chance.expovariate(1 / self._mean_us))

    def change(self, *, sent: bool) -> None:
        """Write what has happened until now, and perhaps a transmission."""
        events = bytearray()
        while self._at_ns < time.monotonic_ns():
            for us in self._durations(sent=sent):
                self.count += 1
                events += EVENT.pack(self._at_ns, 2 - self.count % 2, 27, self.count, self.count)
                self._at_ns += us * 1000
            sent = False
        os.write(self._pipe, events)

    def close(self) -> None:
        os.close(self._pipe)


def cpu_s(pid: int) -> float:
    """The processor time of a process, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def child_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def drive(line: Line, seconds: float) -> int:
    """Let time pass on the line; returns how often a station has sent."""
    end, sent, due = time.monotonic() + seconds, 0, time.monotonic()
    while (now := time.monotonic()) < end:
        line.change(sent=now >= due)
        if now >= due:
            sent, due = sent + 1, due + SENT_EVERY_S
        time.sleep(CHUNK_S)
    return sent


def measure(running: Running, eyes: Eyes, line: Line, seconds: float) -> str:
    drive(line, SETTLE_S)
    child = child_of(running.pid)
    before = (cpu_s(running.pid), cpu_s(child), running.wakeups(), line.count, len(eyes.on("cm/shed/data/reading")))
    sent = drive(line, seconds)
    time.sleep(1)
    after = (cpu_s(running.pid), cpu_s(child), running.wakeups(), line.count, len(eyes.on("cm/shed/data/reading")))
    own, rtl, wakes, edges, heard = (later - earlier for later, earlier in zip(after, before, strict=True))
    counts = eyes.on("cm/stick/status/heartbeat")[-1].value
    return (
        f"{edges / seconds:7.0f} edges/s: gateway {100 * own / seconds:5.2f} % CPU, {wakes / seconds:5.1f} wake-ups/s, "
        f"rtl_433 {100 * rtl / seconds:5.2f} % CPU, {heard} of {sent} heard, "
        f"{counts['bursts']} bursts, {counts['edges_lost']} edges lost"
    )


def main(words: list[str]) -> None:
    """Measure, and print one line for each rate."""
    seconds = float(words[0]) if words else 60.0
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        broker = Broker(folder / "broker").start()
        stack.callback(broker.stop)
        eyes = Eyes(broker.port)
        stack.callback(eyes.close)
        house = House(folder / "house")
        house.write(broker.port, top="heartbeat_s = 0.5", log='level = "info"')
        house.device("stick", STICK)
        for mean_us in MEANS_US:
            pipe = folder / f"edges{mean_us}"
            os.mkfifo(pipe)
            line = Line(pipe, mean_us)
            since = len(eyes.seen)
            running = house.run("stick", program=[__file__, "--gateway"], **{PIPE: str(pipe)})
            eyes.wait_value("cm/shed/status/state", "online", since)
            print(measure(running, eyes, line, seconds))
            running.stop()
            running.close()
            line.close()


if __name__ == "__main__":
    if "--gateway" in sys.argv:
        sys.argv.remove("--gateway")
        gateway()
    main(sys.argv[1:])
