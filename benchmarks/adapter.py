"""An adapter with a hundred devices and more: memory of each, and wake-ups while idle, among many topics of others.

    .venv/bin/python benchmarks/adapter.py [DEVICES] [TOPICS] [--full]

Half of the devices are plugs at Z-Wave JS UI, half at Zigbee2MQTT; with --full, each has all measures of its profile.
The broker has TOPICS retained messages of others, 10 000 unless said otherwise. Memory is PSS, of an adapter with no
device, with so many, with twice and with four times as many: what each further device takes, from step to step.
"""

import json
import sys
import tempfile
import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from gateway import IDLE_S, PATIENCE_S, a_world, idle_wakeups, settled_kb, wait_states  # noqa: E402
from support.world import Eyes, House, Running  # noqa: E402

OTHERS = 10_000
STEPS = (1, 2, 4)
ONLY = 'only = ["on", "power", "energy"]'
CLASSES = (("switch_binary/endpoint_0/currentValue", True), ("meter/endpoint_0/value/66049", 5.5))
SAID = {"state": "ON", "power": 5.5, "energy": 3.27, "linkquality": 120, "update": {"state": "idle"}}


def sections(count: int, more: str) -> str:
    """The sections of so many devices."""
    zwave = (
        f'[sensors.s{one}]\nprofile = "zwave-js-ui"\naddress = "nodeID_{one}"\n{more}\n' for one in range(0, count, 2)
    )
    zigbee = (
        f'[sensors.s{one}]\nprofile = "zigbee2mqtt"\naddress = "plug {one}"\n{more}\n' for one in range(1, count, 2)
    )
    return "".join((*zwave, *zigbee))


def said(count: int) -> list[tuple[str, str]]:
    """What their programs have retained of so many devices."""
    now = round(time.time() * 1000)
    zwave = [
        (f"zwave/nodeID_{one}/{topic}", json.dumps({"time": now, "value": value}))
        for one in range(0, count, 2)
        for topic, value in (*CLASSES, ("status", True))
    ]
    return [*zwave, *((f"zigbee2mqtt/plug {one}", json.dumps(SAID)) for one in range(1, count, 2))]


def start(house: House, eyes: Eyes, count: int, more: str) -> tuple[Running, float]:
    """Start an adapter with so many devices; returns it, and how long all of them took to have a value."""
    house.device("adapter", f'kind = "adapter"\n{sections(count, more)}')
    since, began = len(eyes.seen), time.monotonic()
    running = house.run("adapter")
    wait_states(eyes, ["adapter", *(f"s{one}" for one in range(count))], "online", since)
    for one in range(count):
        eyes.wait_value(f"cm/s{one}/data/power", 5.5, since, PATIENCE_S)
    return running, time.monotonic() - began


def main(words: list[str]) -> None:
    """Measure, and print one line for each number."""
    numbers = [int(word) for word in words if word.isdecimal()]
    count, others = (*numbers, 100, OTHERS)[:2] if len(numbers) != 1 else (numbers[0], OTHERS)
    more = "" if "--full" in words else ONLY
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        broker, eyes, house = a_world(stack, Path(place), filters="cm/#")
        eyes.retain_all([(f"zigbee2mqtt/other {one}", json.dumps(SAID)) for one in range(others)])
        eyes.retain_all(said(count * STEPS[-1]))
        house.write(broker.port, log='level = "warning"')
        running, _ = start(house, eyes, 0, more)
        taken = [(0, settled_kb(running))]
        for step in STEPS:
            running.stop()
            running, took = start(house, eyes, count * step, more)
            taken.append((count * step, settled_kb(running)))
            print(f"{count * step} devices among {others} topics: each has its values after {took:.1f} s")
        wakeups = idle_wakeups(running)
    each = [f"{(after[1] - before[1]) / (after[0] - before[0]):.1f}" for before, after in pairwise(taken)]
    print(f"{taken[0][1]} kB without devices; each takes {', '.join(each)} kB, from step to step")
    print(f"wake-ups a minute while idle: {wakeups * 60 / IDLE_S:.0f}")


if __name__ == "__main__":
    main(sys.argv[1:])
