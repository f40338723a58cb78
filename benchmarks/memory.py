"""Memory of twenty thermometers: forked from one supervisor, against each on its own. Needs mosquitto; half a minute.

    .venv/bin/python benchmarks/memory.py

PSS (proportional set size: shared pages divided by those who share them), summed over all processes, the supervisor's
too, by the number of thermometers. In MiB.
"""

import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PENATES = [sys.executable, "-m", "penates"]
COUNT = 20
REST_S = 10.0


def pss_kib(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss: +(\d+)", rollup, re.MULTILINE)
    assert found
    return int(found[1])


def house(folder: Path) -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    (folder / "devices").mkdir(parents=True)
    (folder / "house.toml").write_text(f'group = "b"\nstate = "state"\n[broker]\nhost = "127.0.0.1"\nport = {port}\n')
    (folder / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    for number in range(COUNT):
        probe_folder = folder / "bus" / f"28-{number}"
        probe_folder.mkdir(parents=True)
        (probe_folder / "temperature").write_text("21500\n")
        settings = f'kind = "thermometer"\nserial = "28-{number}"\nbus = "bus"\nevery_s = 1\n'
        (folder / "devices" / f"t{number}.toml").write_text(settings)
    return port


def measure_all(pids: list[int]) -> float:
    """By the number of thermometers, once all have settled."""
    time.sleep(REST_S)
    return sum(map(pss_kib, pids)) / 1024 / COUNT


def started(config: list[str]) -> float:
    """By `penates start`."""
    answer = subprocess.run([*PENATES, "start", "--json", *config], stdout=subprocess.PIPE, check=True)
    children = [row["pid"] for row in json.loads(answer.stdout)["sensors"]]
    parent = int(Path(f"/proc/{children[0]}/stat").read_text().rpartition(")")[2].split()[1])
    try:
        return measure_all([parent, *children])
    finally:
        subprocess.run([*PENATES, "stop", *config], stdout=subprocess.DEVNULL, check=True)


def alone(config: list[str]) -> float:
    """Each by `penates run`."""
    commands = [[*PENATES, "run", f"t{number}", *config] for number in range(COUNT)]
    processes = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for command in commands]
    try:
        return measure_all([process.pid for process in processes])
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "house"
        house(folder)
        broker = subprocess.Popen(["mosquitto", "-c", folder / "mosquitto.conf"], stderr=subprocess.DEVNULL)
        try:
            config = ["--config", str(folder)]
            forked, single = started(config), alone(config)
        finally:
            broker.terminate()
            broker.wait()
    print(f"forked from one supervisor  {forked:5.2f} MiB a thermometer, supervisor included")
    print(f"each on its own             {single:5.2f} MiB")
    print(f"ratio                       {single / forked:5.2f}")


if __name__ == "__main__":
    main()
