"""The closed loop of a transmitter: what it sends on a simulated line, with its times, is decoded by a real rtl_433.

    .venv/bin/python benchmarks/sockets.py [TRANSMISSIONS] [CODE]

A socket is switched on and off in turn, by commands through a real broker. Counted are the transmissions that were
understood, their repeats, and what else was heard; the errors are those of the worst pulse of each transmission.
"""

import os
import statistics
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.heard_air import LEARNING, SWITCHES, RecordedAir, decoded  # noqa: E402 - they lie with the tests
from support.world import Broker, Eyes, House, Wires  # noqa: E402

PIN = 17
DECODERS = {"kaku": LEARNING, "elro": SWITCHES}
FILE = 'kind = "socket"\npin = {pin}\nregion = "other"\nairtime_percent = 100\n[sensors.lamp]\ncode = "{code}"\n'


def transmit(eyes: Eyes, air: RecordedAir, decoder: int, word: str) -> list[str]:
    """Have the socket switched; returns what was heard of each repeat."""
    since = len(eyes.seen)
    answer = eyes.ask("cm/lamp", "set", word)
    assert answer["result"] == "done", answer
    eyes.wait_value("cm/lamp/data/on", word == "on", since)
    return [str(one["state"]).lower() for one in decoded(air.pulses(), decoder)]


def main(words: list[str]) -> None:
    """Measure, and print one line for each number."""
    count = int(words[0]) if words else 100
    code = words[1] if words[1:] else "kaku 12345678 3"
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        broker = Broker(folder / "broker").start()
        stack.callback(broker.stop)
        house = House(folder / "house")
        stack.callback(house.close)
        house.write(broker.port)
        eyes = Eyes(broker.port)
        stack.callback(eyes.close)
        wires = Wires(house)
        wires.run("air", FILE.format(pin=PIN, code=code))
        eyes.wait_value("cm/lamp/status/state", "online")
        air = RecordedAir(wires.line(PIN))
        wanted = ["on" if number % 2 == 0 else "off" for number in range(count)]
        heard = [transmit(eyes, air, DECODERS[code.split()[0]], word) for word in wanted]
        errors = sorted(float(one.value) for one in eyes.on("cm/air/data/pulse_error"))
        kept = {one.value for one in eyes.on("cm/air/data/timing")}
    right = sum(word in said for word, said in zip(wanted, heard, strict=True))
    wrong = sum(one != word for word, said in zip(wanted, heard, strict=True) for one in said)
    print(f"{code}: {right} of {count} understood, {wrong} wrong codes heard, time kept by {kept}")
    print(f"repeats understood: {sorted(Counter(map(len, heard)).items())}")
    print(f"error of the worst pulse: median {statistics.median(errors):.0f} µs, largest {errors[-1]:.0f} µs")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main(sys.argv[1:])
