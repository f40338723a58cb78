"""From broker to store: the recorder, the floor, and influxdb-client's batching WriteApi. Two or three minutes.

    .venv/bin/python benchmarks/recorder.py [READINGS]

Each subject's durable session is made first, then the broker is told so many readings of ten sensors, and then the
subject is started: what counts is the time from its start until the last is stored, its processor time and its peak
memory (VmHWM, which counts shared libraries whole). The floor is paho, which drops what it hears. The WriteApi (its
defaults: a thread, batches of 1000) is fed by paho's own loop and builds a Point for each reading; it and the store
`influxdb` write to the same VictoriaMetrics, `influxdb1` to InfluxDB 1.6, and what is in there is counted afterwards.
Broker, subject and database share the machine's processors.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.stores import Influx, Victoria  # noqa: E402 - they lie with the tests
from support.world import Broker, Eyes, House, eventually, pipe  # noqa: E402

READINGS = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
SENSORS = 10
PATIENCE_S = 300
SECRET = 32 * "0"  # in the name of the recorder's session
LINES = ("max_inflight_messages 5000", "max_queued_messages 1000000")
TICK = os.sysconf("SC_CLK_TCK")

HEAR = """
import sys, json
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


Cost = tuple[float, float, float]  # seconds, seconds of processor, MiB at most


def reserve(port: int, name: str) -> None:
    """Make the session, so that the broker keeps for it what it will be told."""
    Eyes(port, name, filters="cm/+/data/reading").close()


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
    """Seconds of processor so far, and the most memory ever, in MiB."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    peak_kib = Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]
    return (int(fields[11]) + int(fields[12])) / TICK, int(peak_kib) / 1024


def measure(pid: int, finished: Callable[[], bool], began: float) -> Cost:
    eventually(finished, "all is stored", PATIENCE_S)
    return (time.monotonic() - began, *cost(pid))


def script(port: int, how: str, url: str = "") -> Cost:
    reserve(port, "peer")
    publish(port)
    code = HEAR.format(readings=READINGS, name="peer", how=how)
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-c", code, str(port), url], stdout=subprocess.PIPE)
    try:
        return measure(process.pid, lambda: pipe(process.stdout).readline() == b"all\n", began)
    finally:
        process.kill()
        process.wait()


def recorder(port: int, folder: Path, *store: str) -> Cost:
    """It belongs to another group than the readings, so that it does not count its own."""
    house = House(folder / "house")
    house.write(port, log='level = "warning"')
    house.device(
        "recorder", "\n".join(['kind = "recorder"', 'group = "own"', 'groups = ["cm"]', "every_s = 0.1", *store])
    )
    file = house.folder / "state" / "outbox" / "own.recorder" / "session.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"secret": SECRET, "earlier_ended": True}))
    reserve(port, f"own/recorder/history-{SECRET}")
    publish(port)
    eyes = Eyes(port, filters="own/recorder/data/recorded")
    began = time.monotonic()
    running = house.run("recorder")
    try:
        return measure(running.pid, lambda: bool(eyes.seen) and eyes.seen[-1].value >= READINGS, began)
    finally:
        eyes.close()
        house.close()


def floor(port: int, _folder: Path) -> tuple[Cost, int]:
    return script(port, DROP), READINGS


def embedded(port: int, folder: Path) -> tuple[Cost, int]:
    found = recorder(port, folder)
    with closing(sqlite3.connect(folder / "house" / "state" / "history.sqlite")) as database:
        return found, database.execute("SELECT count(*) FROM reading").fetchone()[0]


def influxdb1(port: int, folder: Path) -> tuple[Cost, int]:
    database = Influx(folder / "influx").start()
    try:
        found = recorder(port, folder, 'store = "influxdb1"', f'url = "{database.url}"')
        return found, database.query("SELECT count(temperature) FROM reading")[0]["values"][0][1]
    finally:
        database.stop(signal.SIGKILL)


def victoria(folder: Path, run: Callable[[str], Cost]) -> tuple[Cost, int]:
    database = Victoria(folder / "victoria").start()
    try:
        return run(database.url), len(database.stored())
    finally:
        database.stop(signal.SIGKILL)


def influxdb(port: int, folder: Path) -> tuple[Cost, int]:
    return victoria(folder, lambda url: recorder(port, folder, 'store = "influxdb"', f'url = "{url}"'))


def write_api(port: int, folder: Path) -> tuple[Cost, int]:
    return victoria(folder, lambda url: script(port, WRITE, url))


SUBJECTS = {
    "paho, drops it": floor,
    "recorder, sqlite": embedded,
    "recorder, influxdb1": influxdb1,
    "recorder, influxdb": influxdb,
    "WriteApi": write_api,
}


def main() -> None:
    print(f"{READINGS} readings        readings/s   to paho   CPU µs each   peak MiB   stored")
    lowest = 0.0
    with tempfile.TemporaryDirectory() as name:
        for subject, run in SUBJECTS.items():
            broker = Broker(Path(name, subject, "broker"), *LINES).start()
            try:
                (seconds, processor, peak), stored = run(broker.port, Path(name, subject))
            finally:
                broker.stop()
            rate = READINGS / seconds
            lowest = lowest or rate
            each = processor / READINGS * 1e6
            print(f"{subject:20} {rate:14.0f} {rate / lowest:9.2f} {each:13.1f} {peak:10.1f} {stored:8}", flush=True)


if __name__ == "__main__":
    main()
