"""A hundred transmitters at one receiver: memory, processor and loss, beside rtl_433's own output to MQTT.

    .venv/bin/python benchmarks/radio.py [TRANSMITTERS] [ROUNDS]

Each transmitter is on the air once a round, one after the other, in real time, and received by rtl_433 as from a stick
elsewhere in the network. Both hear the same, with the same decoder. Memory is PSS; processor time is that of a core.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.air import receiver_pids  # noqa: E402
from support.rtl_tcp import RtlTcp  # noqa: E402
from support.transmitters import Pulses, nexus  # noqa: E402
from support.world import Broker, Eyes, House, eventually  # noqa: E402

ROWS = 4  # of the twelve that such a transmitter sends: a hundred must fit into half a minute
CHANNELS = 3
SETTLE_S = 3.0
TICK_HZ = os.sysconf("SC_CLK_TCK")
NEXUS = 19


def transmissions(count: int, around: int) -> list[Pulses]:
    """One of each transmitter; its temperature is that of the round, so that no two rounds are alike."""
    return [nexus(number // CHANNELS, number % CHANNELS + 1, around / 10, rows=ROWS) for number in range(count)]


def pss_mb(pid: int) -> float:
    """The memory of a process, shared pages by share."""
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("Pss:")) / 1000


def cpu_s(pid: int) -> float:
    """The processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK_HZ


def measure(name: str, pids: list[int], air: RtlTcp, rounds: list[list[Pulses]], heard: Callable[[], int]) -> None:
    """Transmit all rounds, and print what that took and how much arrived."""
    time.sleep(SETTLE_S)
    wanted, before = heard() + sum(map(len, rounds)), heard()
    began, used = time.monotonic(), [cpu_s(pid) for pid in pids]
    for one in rounds:
        air.send(*one)
    eventually(lambda: air.idle, "all was on the air", 600)
    time.sleep(SETTLE_S)
    took = time.monotonic() - began
    shares = [100 * (cpu_s(pid) - was) / took for pid, was in zip(pids, used, strict=True)]
    memory = [pss_mb(pid) for pid in pids]
    each = ", ".join(f"{mb:.1f} MB and {share:.1f} % of a core" for mb, share in zip(memory, shares, strict=True))
    print(f"{name}: {wanted - heard()} of {wanted - before} lost in {took:.0f} s; {each}")


def ours(house: House, broker: Broker, eyes: Eyes, air: RtlTcp, rounds: list[list[Pulses]]) -> None:
    """Measure penates: its process, and its rtl_433."""
    count = len(rounds[0])
    sections = "".join(
        f'\n[sensors.s{number}]\nmodel = "Nexus-TH"\nid = {number // CHANNELS}\nchannel = {number % CHANNELS + 1}\n'
        for number in range(count)
    )
    house.write(broker.port, log='level = "warning"')
    house.device("stick", f'kind = "radio"\ninput = "{air.input}"\n{sections}')
    running = house.run("stick")
    for number in range(count):
        eyes.wait_value(f"cm/s{number}/status/state", "online")
    air.send(*transmissions(count, 0))  # so that most have published, and only the decoder in use is on
    eventually(lambda: air.idle, "all was on the air", 600)
    pids = [running.pid, *receiver_pids(running)]
    measure("penates, and its rtl_433", pids, air, rounds, lambda: heard(eyes, "/data/temperature"))
    running.stop()


def theirs(broker: Broker, eyes: Eyes, air: RtlTcp, rounds: list[list[Pulses]]) -> None:
    """Measure rtl_433 that publishes by itself."""
    output = f"mqtt://127.0.0.1:{broker.port},devices=theirs[/model][/channel][/id],retain=1"
    command = ["rtl_433", "-c", "/dev/null", "-d", air.input, "-R", str(NEXUS), "-F", output, "-M", "level"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        measure("rtl_433 by itself", [process.pid], air, rounds, lambda: heard(eyes, "/temperature_C"))
        process.terminate()


def heard(eyes: Eyes, end: str) -> int:
    """How many temperatures have arrived."""
    return sum(one.topic.endswith(end) for one in eyes.seen[:])


def main(words: list[str]) -> None:
    """Measure both."""
    count, times = [*map(int, words), *(100, 3)[len(words) :]][:2]
    rounds = [transmissions(count, number) for number in range(1, times + 1)]
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        broker = Broker(Path(place) / "broker", "max_inflight_messages 1000", "max_queued_messages 0").start()
        stack.callback(broker.stop)
        eyes = Eyes(broker.port)
        stack.callback(eyes.close)
        house = House(Path(place) / "house")
        stack.callback(house.close)
        air = RtlTcp()
        stack.callback(air.close)
        theirs(broker, eyes, air, rounds)
        ours(house, broker, eyes, air, rounds)


if __name__ == "__main__":
    main(sys.argv[1:])
