"""A gateway with a hundred sensors: memory of each, wake-ups while nothing happens, and how soon all are lost.

    .venv/bin/python benchmarks/gateway.py [SENSORS] [--tls]

A test gateway hears a value for each sensor once, so that every sensor has published; then nothing more. Memory is PSS:
that of a gateway with so many sensors less that of one with none, both after the same time.
"""

import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.radio import radio, say  # noqa: E402
from support.secrets_and_certificates import write_certificates  # noqa: E402
from support.world import Broker, Eyes, House, Running, free_port  # noqa: E402

SETTLE_S, IDLE_S = 12.0, 60.0  # a connection counts as steady after 10 s
LOOK_EVERY_S = 5  # of the test gateway, which wakes up for that
PATIENCE_S = 120.0


def pss_kb(pid: int) -> int:
    """The memory of a process, shared pages by share."""
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("Pss:"))


def names(count: int) -> list[str]:
    """The gateway and its sensors."""
    return ["radio", *(f"s{number}" for number in range(1, count + 1))]


def idle_wakeups(running: Running) -> int:
    """Return how often a process wakes up in `IDLE_S` seconds while it has nothing to do."""
    time.sleep(IDLE_S)  # in their first minute, the timers of its sensors are not yet due together
    before = running.wakeups()
    time.sleep(IDLE_S)
    return running.wakeups() - before


def wait_states(eyes: Eyes, sensors: list[str], state: str, since: int) -> float:
    """Until each has this state; returns when the last one had."""
    return max(eyes.wait_value(f"cm/{one}/status/state", state, since, PATIENCE_S).at for one in sensors)


def start(house: House, eyes: Eyes, count: int) -> tuple[Running, float]:
    """Start a gateway with so many sensors; returns it, and how long all of them took to be online."""
    house.device("radio", radio(count, f"look_every_s = {LOOK_EVERY_S}"))
    since, began = len(eyes.seen), time.monotonic()
    running = house.run("radio")
    took = wait_states(eyes, names(count), "online", since) - began
    for number in range(1, count + 1):
        say(house.folder, id=number, temperature=number % 30)
    for number in range(1, count + 1):
        eyes.wait_value(f"cm/s{number}/data/temperature", number % 30)
    return running, took


def a_world(stack: ExitStack, folder: Path, *lines: str, filters: str = "#") -> tuple[Broker, Eyes, House]:
    """Return a broker, one who sees what is on it, and a house that has no file yet; all end with the stack."""
    broker = Broker(folder / "broker", "max_inflight_messages 1000", "max_queued_messages 0", *lines).start()
    stack.callback(broker.stop)
    eyes = Eyes(broker.port, filters=filters)
    stack.callback(eyes.close)
    house = House(folder / "house")
    stack.callback(house.close)
    return broker, eyes, house


def settled_kb(running: Running) -> int:
    """The memory of a process once its connections count as steady."""
    time.sleep(SETTLE_S)
    return pss_kb(running.pid)


def main(words: list[str]) -> None:
    """Measure, and print one line for each number."""
    count = next((int(word) for word in words if word.isdecimal()), 100)
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder, secured = Path(place), ""
        lines: list[str] = []
        port = free_port()
        if "--tls" in words:
            write_certificates(folder, "localhost")
            lines = [f"listener {port} 127.0.0.1", f"certfile {folder}/ca.pem", f"keyfile {folder}/key.pem"]
            secured = f'ca_file = "{folder}/ca.pem"'
        broker, eyes, house = a_world(stack, folder, *lines)
        house.write(port if secured else broker.port, broker=secured, host='"localhost"', log='level = "warning"')
        alone, _ = start(house, eyes, 0)
        base = settled_kb(alone)
        alone.stop()
        (house.folder / "air").unlink(missing_ok=True)
        running, took = start(house, eyes, count)
        pss = settled_kb(running)
        wakeups = idle_wakeups(running)
        since, killed = len(eyes.seen), time.monotonic()
        running.send(signal.SIGKILL)
        lost = wait_states(eyes, names(count), "lost", since) - killed
        since, began = len(eyes.seen), time.monotonic()
        house.run("radio")
        back = wait_states(eyes, names(count), "online", since) - began
    print(f"{count} sensors{' by TLS' if secured else ''}: all online after {took:.1f} s, {base} kB without them")
    print(f"memory of each: {(pss - base) / count:.1f} kB")
    print(f"wake-ups a minute while idle: {wakeups * 60 / IDLE_S - 60 / LOOK_EVERY_S:.0f}")
    print(f"all lost after {lost:.2f} s, all back {back:.1f} s after the next start")


if __name__ == "__main__":
    main(sys.argv[1:])
