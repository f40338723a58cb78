"""From a publisher to the callback of a device that listens, over a broker: milliseconds.

    .venv/bin/python benchmarks/following.py [MESSAGES]

Publisher, broker and device are three processes on one machine, which share the monotonic clock.
"""

import socket
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from bootstrap.contract.heard import Heard  # noqa: E402 - as the line after it
from bootstrap.device import Device, Measure, Reading  # noqa: E402 - it lies beside this folder
from bootstrap.needs import TopicFilter  # noqa: E402 - it lies beside this folder
from support.paths import TESTS  # noqa: E402 - it lies with the tests
from support.world import Broker, Eyes, House, eventually  # noqa: E402 - it lies with the tests

MESSAGES = int(sys.argv[1]) if __name__ == "__main__" and len(sys.argv) > 1 else 500
PAUSE_S = 0.02
TOPIC = "cm/cellar/data/temperature"


@dataclass(kw_only=True)
class Stopwatch(Device):
    """Wiring: none. It writes down how long ago what it hears was published."""

    follows: TopicFilter
    diary: Path = Path("diary")
    every_s: float = 3600.0

    heard = Measure("1")

    def setup(self) -> None:
        self.open = self.diary.open("a", buffering=1)
        self.listen(self.follows, self.on_heard)

    def on_heard(self, heard: Heard) -> None:
        print(time.monotonic() - heard.number, file=self.open)

    def read(self) -> Reading:
        return {"heard": 0}

    def teardown(self) -> None:
        self.open.close()


def publisher(port: int) -> socket.socket:
    """A bare connection by MQTT 3.1.1, which waits for nothing."""
    wire = socket.create_connection(("127.0.0.1", port))
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wire.sendall(bytes.fromhex("101000044d5154540402003c0004") + b"base")
    wire.recv(4)
    return wire


def publication(payload: str) -> bytes:
    """A PUBLISH at QoS 0."""
    body = len(TOPIC).to_bytes(2, "big") + f"{TOPIC}{payload}".encode()
    return bytes([0x30, len(body)]) + body


def measure(folder: Path) -> tuple[list[float], list[float]]:
    """Milliseconds of each message: to the device, and to paho's thread in the publisher's own process."""
    broker, house, diary = Broker(folder / "broker").start(), House(folder / "house"), folder / "diary"
    eyes = Eyes(broker.port)
    try:
        house.write(broker.port, log='level = "warning"')
        house.device("fan", f'kind = "following.Stopwatch"\nfollows = "{TOPIC}"\ndiary = "{diary}"\n')
        house.run("fan", program=None, PYTHONPATH=f"{ROOT}:{TESTS}:{ROOT / 'benchmarks'}")
        eyes.wait_value("cm/fan/status/state", "online")
        eventually(lambda: f"{TOPIC} (QoS 1)" in broker.log(), "it listens")
        with publisher(broker.port) as wire:
            for _ in range(MESSAGES):
                wire.sendall(publication(repr(time.monotonic())))
                time.sleep(PAUSE_S)
        eventually(lambda: len(diary.read_text().splitlines()) >= MESSAGES, "all arrive")
        found = [float(line) * 1000 for line in diary.read_text().splitlines()]
        beside = [(one.at - float(one.value)) * 1000 for one in eyes.on(TOPIC)]
        return found[5:], beside[5:]
    finally:
        eyes.close()
        house.close()
        broker.stop()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        found = measure(Path(name))
    print(f"publisher to callback, {MESSAGES} messages: median ms   p99 ms")
    for subject, times in zip(("a device that listens", "paho's own thread"), found, strict=True):
        print(f"{subject:37} {statistics.median(times):9.2f} {statistics.quantiles(times, n=100)[98]:8.2f}")


if __name__ == "__main__":
    main()
