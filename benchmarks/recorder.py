"""From broker to store: the recorder with SQLite, the floor, and influxdb-client's batching WriteApi. A minute or two.

    .venv/bin/python benchmarks/recorder.py [READINGS]

Each subject's durable session is made first, then the broker is told so many readings of ten sensors, and then the
subject is started: what counts is the time from its start until the last is stored, its processor time and its peak
memory. The floor is paho, which drops what it hears. The WriteApi (its defaults: a thread, batches of 1000) is fed by
paho's own loop, builds a Point for each reading, and writes to a server that takes everything and stores nothing.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from world import Broker, Eyes, House, eventually  # noqa: E402 - it lies with the tests

READINGS = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
SENSORS = 10
PATIENCE_S = 300
LINES = ("max_inflight_messages 5000", "max_queued_messages 1000000")
TICK = os.sysconf("SC_CLK_TCK")

HEAR = """
import sys, json, threading
import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
heard, port, url = 0, int(sys.argv[1]), sys.argv[2]
def on_message(_client, _data, message):
    global heard
    take(message)
    heard += 1
    if heard == {readings}:
        done()
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "{name}", protocol=mqtt.MQTTv5)
session = Properties(PacketTypes.CONNECT)
session.SessionExpiryInterval = 3600
client.on_message = on_message
client.on_connect = lambda *_: client.subscribe("+/+/data/reading", 1)
{how}
client.connect("127.0.0.1", port, clean_start=False, properties=session)
client.loop_forever()
"""
DROP = """
take = lambda message: None
done = lambda: print("all", flush=True)
"""
WRITE = """
from influxdb_client import InfluxDBClient, Point
influx = InfluxDBClient(url, token="t", org="o")
api = influx.write_api()
def take(message):
    group, sensor, *_ = message.topic.split("/")
    reading = json.loads(message.payload)
    point = Point("reading").tag("group", group).tag("sensor", sensor).time(reading["time"])
    api.write("b", record=point.field("temperature", float(reading["temperature"])))
def done():
    api.close()
    print("all", flush=True)
"""


class Sink(BaseHTTPRequestHandler):
    """Takes everything."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def sink() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def reserve(port: int, name: str) -> None:
    """Make the session, so that the broker keeps for it what it will be told."""
    Eyes(port, name, filters="+/+/data/reading").close()


def publish(port: int) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.max_inflight_messages_set(1000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for seq in range(READINGS):
        time_ = f"2026-11-20T20:{seq // 60_000 % 60:02}:{seq // 1000 % 60:02}.{seq % 1000:03}000Z"
        text = f'{{"time":"{time_}","run":"r","seq":{seq},"temperature":{seq / 10}}}'
        sent = client.publish(f"cm/s{seq % SENSORS}/data/reading", text, qos=1)
        if seq % 2000 == 0:
            sent.wait_for_publish(60)
    sent.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def cost(pid: int) -> tuple[float, float]:
    """Seconds of processor so far, and the most memory ever, in MB."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    peak = Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]
    return (int(fields[11]) + int(fields[12])) / TICK, int(peak) / 1000


def measure(pid: int, finished: Callable[[], bool], began: float) -> tuple[float, float, float]:
    eventually(finished, "all is stored", PATIENCE_S)
    return (time.monotonic() - began, *cost(pid))


def script(port: int, name: str, how: str, url: str) -> tuple[float, float, float]:
    reserve(port, name)
    publish(port)
    code = HEAR.format(readings=READINGS, name=name, how=how)
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-c", code, str(port), url], stdout=subprocess.PIPE)
    try:
        return measure(process.pid, lambda: process.stdout.readline() == b"all\n", began)
    finally:
        process.kill()
        process.wait()


def recorder(port: int, folder: Path) -> tuple[float, float, float]:
    house = House(folder)
    house.write(port, log='level = "warning"')
    house.device("recorder", 'kind = "recorder"\nevery_s = 0.05\n')
    reserve(port, "cm/recorder/history")
    publish(port)
    eyes = Eyes(port, filters="cm/recorder/data/stored")
    began = time.monotonic()
    running = house.run("recorder")
    try:
        return measure(running.pid, lambda: bool(eyes.seen) and eyes.seen[-1].value >= READINGS, began)
    finally:
        eyes.close()
        house.close()


def main() -> None:
    print(f"{READINGS} readings        readings/s   to paho   CPU µs each   peak MB")
    floor = 0.0
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        url = stack.enter_context(sink())
        subjects: dict[str, Callable[[int], tuple[float, float, float]]] = {
            "paho, drops it": lambda port: script(port, "floor", DROP, url),
            "recorder, sqlite": lambda port: recorder(port, Path(name, "house")),
            "WriteApi": lambda port: script(port, "peer", WRITE, url),
        }
        for subject, run in subjects.items():
            broker = Broker(Path(name, subject), *LINES).start()
            try:
                seconds, processor, peak = run(broker.port)
            finally:
                broker.stop()
            rate = READINGS / seconds
            floor = floor or rate
            print(
                f"{subject:20} {rate:14.0f} {rate / floor:9.2f} {processor / READINGS * 1e6:13.1f} {peak:9.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
