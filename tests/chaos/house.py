"""A house of eight sensors and a recorder behind a bad link, and what a bad hour does to it."""

import os
import random
import signal
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from chaos.judge import Findings, children, diary, judge, orphans, resources, rows
from chaos.link import Link, Mode
from support.world import Broker, House, Running, eventually, retained

SENSORS = [f"s{number}" for number in range(8)]
SQLITE = "history.sqlite"
EVERY_S = 0.1
WELL_S = 60.0  # promised: all is well again within that time
LONG_S = 4.0  # the longest of the faults that last


@dataclass
class Chaos:
    """What lives, what was done to it, and what it had before."""

    broker: Broker
    link: Link
    house: House
    dice: random.Random
    deaths: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    log: list[str] = field(default_factory=list)

    def furnish(self, protocol: str) -> None:
        """Write the settings of all."""
        secure = f'protocol = "{protocol}"\nca_file = "{self.house.folder}/ca.pem"'
        more = 'level = "info"\n[history]\nrecorder = true\nrate = 400'
        self.house.write(self.link.port, top="heartbeat_s = 1", broker=secure, host='"localhost"', log=more)
        for sensor in SENSORS:
            files = f'diary = "{self._diary(sensor)}"\nmood = "{self.house.folder}/mood"'
            self.house.device(sensor, f'kind = "support.truth.Counter"\nevery_s = {EVERY_S}\n{files}\n')
        self.house.device("recorder", f'kind = "recorder"\nstore = "sqlite"\nfile = "{self.database}"\nevery_s = 1\n')

    @property
    def database(self) -> Path:
        return self.house.folder / SQLITE

    def _diary(self, sensor: str) -> Path:
        return self.house.folder / f"{sensor}.diary"

    def begin(self) -> None:
        """Start all under one supervisor."""
        self.parent: Running = self.house.supervise()

    def pid(self, name: str) -> int:
        """The process of a sensor, once there is one."""
        found: int = eventually(lambda: children(self.parent.pid).get(name), f"{name} runs")
        return found

    def made(self, sensor: str) -> dict[int, float]:
        return diary(self._diary(sensor))

    def recover(self) -> float:
        """Until a reading of each sensor that is made from now on is recorded. Returns after how many seconds."""
        began = time.monotonic()
        before = {sensor: max(self.made(sensor), default=0) for sensor in SENSORS}
        for sensor in SENSORS:
            eventually(lambda: self._recorded(sensor) > before[sensor], self._story(sensor), WELL_S)  # noqa: B023
        return time.monotonic() - began

    def _recorded(self, sensor: str) -> int:
        return max((row.count for row in rows(self.database, f"cm/{sensor}", last=1)), default=0)

    def _story(self, sensor: str) -> str:
        tail = "\n".join(self.parent.lines[-40:])
        return f"{sensor} is recorded again after\n" + "\n".join(self.log[-10:]) + f"\n{tail}"

    def judge(self) -> dict[str, Findings]:
        """Let nothing be read any more, and compare all records with all diaries once nothing is waiting."""
        (self.house.folder / "mood").write_text("raises")
        time.sleep(5 * EVERY_S)
        for sensor in SENSORS:
            eventually(lambda: self._recorded(sensor) >= max(self.made(sensor)), self._story(sensor), WELL_S)  # noqa: B023
        return {
            sensor: judge(self.database, f"cm/{sensor}", self.made(sensor), self.deaths[sensor]) for sensor in SENSORS
        }

    def states(self) -> dict[str, object]:
        """What a newcomer is told of each."""
        told = retained(self.broker.port)
        return {topic.split("/")[1]: state for topic, state in told.items() if topic.endswith("/status/state")}

    def used(self) -> dict[str, tuple[int, int]]:
        """Memory and open files of each process."""
        return {name: resources(pid) for name, pid in children(self.parent.pid).items()}

    def end(self) -> list[str]:
        """Stop all in order. Returns what is left of it."""
        assert self.parent.stop() == 0, "\n".join(self.parent.lines[-40:])
        return orphans(self.house.folder)

    # Faults.

    def strike(self) -> None:
        """Do one thing, chosen by the dice, to its end."""
        name = self.dice.choice(sorted(FAULTS))
        self.log.append(f"{time.time():.3f} {name}")
        FAULTS[name](self)

    def last(self) -> None:
        """Let as much time pass as this fault lasts."""
        time.sleep(self.dice.uniform(0.2, LONG_S))

    def kill(self, name: str) -> None:
        """Kill one process, between its supervisor's looks at it."""
        os.kill(self.pid(name), signal.SIGKILL)
        self.deaths[name].append(time.time())

    def kill_all(self) -> None:
        """Kill the supervisor: its children end, and another begins."""
        self.parent.stop(signal.SIGKILL)
        eventually(lambda: not orphans(self.house.folder), "all have ended with their supervisor", WELL_S)
        self.begin()

    def freeze(self, name: str) -> None:
        """Stop a process for a while, which then goes on."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGSTOP)
        self.last()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def freeze_broker(self) -> None:
        self.broker.send(signal.SIGSTOP)
        self.last()
        self.broker.send(signal.SIGCONT)

    def restart_broker(self, number: int) -> None:
        self.broker.stop(number)
        self.last()
        self.broker.start()

    def spoil(self, mode: Mode) -> None:
        """Let the link be bad for a while."""
        self.link.be(mode)
        self.last()
        self.link.be(Mode.WELL)


FAULTS: dict[str, Callable[[Chaos], None]] = {
    "a sensor is killed": lambda chaos: chaos.kill(chaos.dice.choice(SENSORS)),
    "a sensor freezes": lambda chaos: chaos.freeze(chaos.dice.choice(SENSORS)),
    "the recorder is killed": lambda chaos: chaos.kill("recorder"),
    "the recorder freezes": lambda chaos: chaos.freeze("recorder"),
    "the supervisor is killed": Chaos.kill_all,
    "the broker is killed": lambda chaos: chaos.restart_broker(signal.SIGKILL),
    "the broker is restarted": lambda chaos: chaos.restart_broker(signal.SIGTERM),
    "the broker freezes": Chaos.freeze_broker,
    **{f"the link is {mode}": partial(Chaos.spoil, mode=mode) for mode in Mode if mode is not Mode.WELL},
}
