"""From an edge on a line to a subscriber: penates beside a bare socket and mqtt-io, in one run, as ratios.

    .venv/bin/python benchmarks/latency.py [EDGES]

Each subject is told of an edge in the same way, by a datagram: the floor writes one prepared PUBLISH to a socket;
penates reads it as a simulated line; on gpiozero's mock pins, penates and mqtt-io are driven by a thread of their own.
"""

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from socket import AF_UNIX, SOCK_DGRAM, socket

from peers import peer_python, running

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.world import Broker, Eyes, House, Wires, eventually  # noqa: E402 - it lies with the tests

EDGES = int(sys.argv[1]) if len(sys.argv) > 1 else 300
PAUSE_S = 0.02

FLOOR = """
import socket, sys
wire = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
wire.sendall(bytes.fromhex("101000044d5154540402003c0004") + b"base"); wire.recv(4)
topic = b"floor/door"
told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); told.bind(sys.argv[2])
while True:
    word = told.recv(1)
    wire.sendall(bytes([0x30, 2 + len(topic) + 1, 0, len(topic)]) + topic + word)
"""
DRIVER = """
import os, socket, sys, threading
from gpiozero import Device
def drive(place):
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); told.bind(place)
    while True:
        word = told.recv(1)
        pin = Device.pin_factory.pin(17)
        pin.drive_high() if word == b"1" else pin.drive_low()
threading.Thread(target=drive, args=(sys.argv.pop(1),), daemon=True).start()
"""
PEER_CONFIG = """
mqtt: {{host: 127.0.0.1, port: {port}, topic_prefix: peer}}
gpio_modules: [{{name: pins, module: gpiozero}}]
digital_inputs: [{{name: door, module: pins, pin: 17, interrupt: both}}]
options: {{install_requirements: false}}
"""


def tell(place: Path) -> Callable[[bool], None]:
    """How a subject at this socket is told of a level."""
    teller = socket(AF_UNIX, SOCK_DGRAM)
    eventually(place.exists, f"{place} is there")
    return lambda level: teller.sendto(b"1" if level else b"0", str(place)) and None


def measure(eyes: Eyes, topic: str, drive: Callable[[bool], None]) -> list[float]:
    """Milliseconds of each edge."""
    arrived = threading.Event()
    times: list[float] = []
    last = eyes.listen(topic, lambda at: (times.append(at), arrived.set()))
    found = []
    for number in range(EDGES):
        arrived.clear()
        began = time.monotonic()
        drive(number % 2 == 1)
        if not arrived.wait(5):
            raise RuntimeError(f"no message on {topic} after edge {number}")
        found.append((times[-1] - began) * 1000)
        time.sleep(PAUSE_S)
    last()
    return found[5:]


def subjects(broker: Broker, eyes: Eyes, folder: Path, stack: ExitStack) -> Iterator[tuple[str, list[float]]]:
    place = folder / "floor"
    with running([sys.executable, "-c", FLOOR, str(broker.port), str(place)]):
        yield "bare socket, QoS 0", measure(eyes, "floor/door", tell(place))

    house = House(folder / "house")
    stack.callback(house.close)
    house.write(broker.port, log='level = "warning"')
    wires = Wires(house)
    text = 'kind = "door"\npin = 17\nbounce_s = 0\nevery_s = 3600\n'
    wires.run("door", text)
    eyes.wait_value("cm/door/status/state", "online")
    yield "penates, simulated line, QoS 1", measure(eyes, "cm/door/data/open", wires.line(17).drive)

    place = folder / "mock"
    program = folder / "driven.py"
    program.write_text(DRIVER + "from penates.__main__ import main\nsys.exit(main(sys.argv[1:]))\n")
    house.device("mock", text)
    env = house.env(GPIOZERO_PIN_FACTORY="mock")
    command = [sys.executable, str(program), str(place), "run", "mock", "--config", str(house.folder)]
    with running(command, **env):
        eyes.wait_value("cm/mock/status/state", "online")
        yield "penates, mock pin, QoS 1", measure(eyes, "cm/mock/data/open", tell(place))

    place = folder / "peer"
    (folder / "peer.yml").write_text(PEER_CONFIG.format(port=broker.port))
    program = folder / "peer.py"
    program.write_text(DRIVER + "from mqtt_io.__main__ import main\nmain()\n")
    command = [str(peer_python()), str(program), str(place), str(folder / "peer.yml")]
    with running(command, **env):
        eyes.wait(lambda seen: [one for one in seen if one.payload == b"running"], "mqtt-io runs", 30)
        yield "mqtt-io, mock pin, QoS 0", measure(eyes, "peer/input/door", tell(place))


def main() -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        broker = Broker(folder / "broker").start()
        stack.callback(broker.stop)
        eyes = Eyes(broker.port)
        stack.callback(eyes.close)
        print(f"{'edge to subscriber, ' + str(EDGES) + ' edges':34} median ms   p99 ms   median to floor")
        floor = None
        for subject, found in subjects(broker, eyes, folder, stack):
            median, p99 = statistics.median(found), statistics.quantiles(found, n=100)[98]
            floor = floor or median
            print(f"{subject:34} {median:9.2f} {p99:8.2f} {median / floor:12.1f}", flush=True)


if __name__ == "__main__":
    main()
