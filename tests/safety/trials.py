"""Trials of door locks: unlocked, hurt at a random moment, and locked within the time that the settings say."""

import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol
from uuid import uuid4

from safety.locks import MARGIN_S, UNLOCKED_S, WATCHDOG_S, Door, World, command, payload
from support.world import Broker, Eyes, eventually

LIMIT_S = UNLOCKED_S + WATCHDOG_S + MARGIN_S
STEADY_S = 1.5  # for which a lock that is locked is watched
START_S = 180.0


class Supervised(Protocol):
    """A house of locks under one of the two supervisors."""

    world: World
    broker: Broker
    fail: str

    def strike(self, door: Door, number: int) -> None:
        """Send a signal to the process of a lock, if it has one."""

    def cut(self) -> None:
        """Kill everything at once, as a power cut does, and start it again."""

    def begins(self) -> None:
        """Do what lets a process that ended start again soon."""


@dataclass
class Tally:
    """What became of the trials, and for each fault the longest time from the command to a lock that stays locked."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    never: Counter[str] = field(default_factory=Counter)
    longest: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def count(self) -> int:
        return sum(self.right.values()) + len(self.wrong)

    def summary(self) -> str:
        rows = [
            f"{fault}: {self.right[fault]} right, {self.never[fault]} of them never unlocked, "
            f"at most {self.longest[fault]:.1f} s of {LIMIT_S:g}"
            for fault in sorted(self.right)
        ]
        return "\n".join([*rows, f"{sum(self.right.values())} of {self.count} trials are right", *self.wrong])


class Trials:
    """Rounds of trials: one fault, and all locks of the house at once, each at a moment of its own."""

    def __init__(self, house: Supervised, dice: random.Random) -> None:
        self.house, self.dice, self.tally = house, dice, Tally()
        self.eyes = Eyes(house.broker.port)
        self._sent: dict[int, dict[str, object]] = {}
        self._at: dict[int, float] = {}
        self._from = 0.0

    def round(self, fault: str) -> None:
        """Unlock all, do this to them, and judge each."""
        self.recover()
        doors = self.house.world.doors
        for door in doors:
            self._unlock(door)
        FAULTS[fault](self)
        if self.house.fail == "safe":  # without power it is unlocked, so it is locked once its process runs again
            self.recover()
            self._from = time.monotonic()
        deadline = max(self._from, *self._at.values()) + LIMIT_S
        while time.monotonic() < deadline and any(door.is_unlocked for door in doors):
            time.sleep(0.01)
        time.sleep(STEADY_S)
        for door in doors:
            self._judge(fault, door)

    def _unlock(self, door: Door) -> None:
        self._sent[door.number] = command()
        self._at[door.number] = time.monotonic()
        self.eyes.publish(self._topic(door), payload(self._sent[door.number]))

    @staticmethod
    def _topic(door: Door) -> str:
        return f"cm/lock{door.number}/action/set"

    def _judge(self, fault: str, door: Door) -> None:
        began = self._at[door.number]
        since = door.locked_since(began)
        if since is None or since > max(self._from, began) + LIMIT_S:
            took = "it is not" if since is None else f"{since - began:.1f} s"
            self.tally.wrong.append(f"WRONG {fault}: lock{door.number}, locked for good: {took}")
            return
        self.tally.right[fault] += 1
        self.tally.never[fault] += not any(at >= began for at, _unlocked in door.unlocked)
        self.tally.longest[fault] = max(self.tally.longest[fault], since - began)

    def _moments(self) -> Iterator[Door]:
        """Yield each lock at a random moment while it is being unlocked, or is unlocked, or just was."""
        longest = 1.2 * UNLOCKED_S
        doors = self.house.world.doors
        for when, number in sorted(
            (self._at[door.number] + self.dice.uniform(0, longest), door.number) for door in doors
        ):
            time.sleep(max(0.0, when - time.monotonic()))
            yield doors[number]

    def recover(self) -> None:
        """Wait until each lock answers."""
        eventually(self.eyes.connected, "the trials are connected to the broker", START_S)
        self.house.begins()
        silent = {f"cm/lock{door.number}": uuid4().hex for door in self.house.world.doors}
        deadline = time.monotonic() + START_S
        while silent:
            assert time.monotonic() < deadline, f"not back: {[*silent]}"
            for sensor, identity in silent.items():
                self.eyes.flood(f"{sensor}/action/read", [payload({"value": "now", "id": identity})])
            time.sleep(0.5)
            for sensor, identity in [*silent.items()]:
                if any(one.value.get("id") == identity for one in self.eyes.on(f"{sensor}/status/action")):
                    del silent[sensor]

    def close(self) -> None:
        self.eyes.close()

    # Faults.

    def strike_each(self, number: int) -> None:
        """Send a signal to each lock's process, at its own moment."""
        for door in self._moments():
            self.house.strike(door, number)

    def some_moment(self) -> None:
        """Let some time pass, in which the locks are being unlocked, or are unlocked."""
        time.sleep(self.dice.uniform(0, 1.2 * UNLOCKED_S))

    def cut(self) -> None:
        self.some_moment()
        self.house.cut()
        self.recover()
        self._send_old()

    def broker_gone(self) -> None:
        self.some_moment()
        self.house.broker.stop(signal.SIGKILL)
        time.sleep(UNLOCKED_S + 1)
        self.house.broker.start()

    def broker_back(self) -> None:
        """Freeze the broker, which then has commands to deliver that are too late or were carried out before."""
        self.some_moment()
        self.house.broker.send(signal.SIGSTOP)
        late = [(self._topic(door), payload(command(ahead_s=0.5))) for door in self.house.world.doors]
        self._send(late + self._old())
        time.sleep(UNLOCKED_S + 0.5)
        self.house.broker.send(signal.SIGCONT)

    def _old(self) -> list[tuple[str, str]]:
        """Return commands that must not unlock: one that was carried out, one without an end, one that has expired."""
        found = []
        for door in self.house.world.doors:
            without = {key: value for key, value in command().items() if key != "before"}
            old = (self._sent[door.number], without, command(ahead_s=-1))
            found += [(self._topic(door), payload(one)) for one in old]
        return found

    def _send_old(self) -> None:
        self._send(self._old())

    def _send(self, messages: list[tuple[str, str]]) -> None:
        for topic, message in messages:
            self.eyes.flood(topic, [message])


FAULTS: dict[str, Callable[[Trials], None]] = {
    "SIGKILL": lambda trials: trials.strike_each(signal.SIGKILL),
    "SIGSTOP": lambda trials: trials.strike_each(signal.SIGSTOP),
    "power cut": Trials.cut,
    "broker gone": Trials.broker_gone,
    "broker back with old commands": Trials.broker_back,
}
