"""A receiver on a pin: pulses of our own on a simulated line, which a real rtl_433 decodes."""

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

from support.transmitters import Pulses, alecto_temperature, nexus
from support.world import Broker, Eyes, Wires, eventually

ALECTO = '[sensors.alecto1]\nmodel = "AlectoV1"\nid = 44\nchannel = 1\n'
SHED = '[sensors.shed]\nmodel = "Nexus-TH"\nid = 181\nchannel = 2\n'
LINE = 27


def noise(seed: int, for_us: int) -> Pulses:
    """What a cheap receiver hears when nobody sends: pulses and gaps of no particular length, thousands a second."""
    chance, found, total = random.Random(seed), Pulses(), 0
    while total < for_us:
        found.append((5 + int(chance.expovariate(1 / 120)), 5 + int(chance.expovariate(1 / 120))))
        total += sum(found[-1])
    return found


def play(wires: Wires, *transmissions: Pulses) -> None:
    """Let the line have seen these pulses just now."""
    pulses = [pulse for one in transmissions for pulse in one]
    at_ns = time.monotonic_ns() - 1000 * sum(map(sum, pulses))
    line = wires.line(LINE)
    for on, off in pulses:
        line.drive(True, at_ns)
        at_ns += on * 1000
        line.drive(False, at_ns)
        at_ns += off * 1000


def counted(eyes: Eyes) -> dict[str, Any]:
    """The first heartbeat since two bursts, or nothing."""
    beats = [one.value for one in eyes.on("cm/stick/status/heartbeat")]
    return next((beat for beat in beats if beat.get("bursts", 0) >= 2), {})


def child_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def test_pulses_on_a_line_become_readings(wires: Wires, broker: Broker, eyes: Eyes) -> None:
    wires.house.write(broker.port, top="heartbeat_s = 0.5")
    wires.line(LINE).drive(False)
    running = wires.run("stick", f'kind = "radio"\ninput = "pin:GPIO{LINE}"\n{ALECTO}{SHED}')
    for sensor in ("stick", "alecto1", "shed"):
        eyes.wait_value(f"cm/{sensor}/status/state", "online")
    play(wires, nexus(181, 2, -12.3, 33))
    eyes.wait_value("cm/shed/data/temperature", -12.3)
    play(wires, noise(1, 100_000), alecto_temperature(44, -0.5, 81), noise(2, 100_000))
    eyes.wait_value("cm/alecto1/data/temperature", -0.5)
    beat = eyes.wait(lambda _: counted(eyes), "what was counted")
    assert beat["edges_lost"] == 0
    assert beat["edges"] > 1000

    since = len(eyes.seen)
    os.kill(child_of(running.pid), signal.SIGKILL)
    eyes.wait_value("cm/stick/status/state", "fault", since)

    def heard_again() -> bool:
        play(wires, nexus(181, 2, -12.5, 33))  # what comes before rtl_433 is there again is lost
        return any(one.value == -12.5 for one in eyes.on("cm/shed/data/temperature"))

    eventually(heard_again, "it is decoded again")
    eyes.wait_value("cm/stick/status/state", "online", since)
    assert running.stop() == 0
