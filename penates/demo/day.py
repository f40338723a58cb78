"""What happens in the demo's house, and what is said of it."""

import math
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from bootstrap.contract.topics import Topics
from penates.demo.house import BELL, BOLT, DOOR, HALL, LEAF, METER, STRIKE, DemoHouse
from penates.fleet.command_request import ask, command

DAY_S = 120.0  # of the cellar's temperature
ROUND_S = 40  # seconds after which the day begins anew
ANSWER_S = 2.0
UNPLUGGED = range(28, 34)
CAPTIONS: Mapping[int, str] = {
    3: "Somebody rings at the door.",
    4: "It is unlocked for them, by a command over MQTT.",
    5: "The front door opens.",
    6: "Somebody walks through the hall.",
    7: "The lamp is switched on.",
    9: "The front door closes.",
    12: "Somebody rings twice.",
    13: "Somebody walks through the hall.",
    26: "The lamp is switched off.",
    28: "The probe in the cellar loses its contact.",
    34: "The probe has contact again.",
}


class Day:
    """The events in the house, second by second, repeated until it is over."""

    def __init__(self, house: DemoHouse, over: threading.Event, pace: float, tell: Callable[[str], None]) -> None:
        """Have a second of the day take `pace` seconds. Call `tell` with what happens."""
        self._house, self._over, self._pace, self._tell = house, over, pace, tell
        self.second = 0  # that comes next
        self._events: dict[int, Callable[[], None]] = {
            3: lambda: self.ring(1),
            4: self.unlock,
            5: lambda: self.door(open_=True),
            6: lambda: self.move(still=False),
            7: lambda: self.lamp("on"),
            9: lambda: self.door(open_=False),
            8: lambda: self.move(still=True),
            12: lambda: self.ring(2),
            13: lambda: self.move(still=False),
            15: lambda: self.move(still=True),
            26: lambda: self.lamp("off"),
            28: lambda: self._house.heat(None),
        }

    def run(self) -> None:
        """Play the events until it is over."""
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due = time.monotonic() + self._pace
            self._play(self.second)
            self.second += 1

    def _play(self, second: int) -> None:
        now = second % ROUND_S
        if now not in UNPLUGGED:
            self._house.heat(14 + 3 * math.sin(2 * math.pi * second / DAY_S))
        if now in CAPTIONS:
            self._tell(CAPTIONS[now])
        self._events.get(now, lambda: None)()
        self.turn_bolt()
        self.pulse()

    def ring(self, times: int) -> None:
        """Press the bell, as somebody at the gate does."""
        for _ in range(times):
            for level in (False, True):
                self._house.line(BELL).drive(level)
                self._over.wait(0.1)

    def unlock(self) -> None:
        """Unlock the front door for some seconds, as a client of the broker does."""
        if "doorlock.toml" not in self._house.unused:
            self._command("doorlock", "unlock")

    def lamp(self, state: str) -> None:
        """Switch the lamp, as a wall switch does that is a client of the broker."""
        self._command("lamp", state)

    def _command(self, sensor: str, word: str) -> None:
        """Send a command, and say so if it is not answered."""
        answer = ask(self._house.access, Topics(self._house.group, sensor), "set", command(word, ANSWER_S), ANSWER_S)
        if isinstance(answer, str):
            self._tell(f"No answer from {sensor}.")

    def turn_bolt(self) -> None:
        """Have the bolt follow its strike; its contact is closed while it is thrown."""
        self._house.line(BOLT).drive(bool(self._house.line(STRIKE).level()))

    def pulse(self) -> None:
        """Have the meter count a watt hour."""
        for level in (False, True):
            self._house.line(METER).drive(level)
            self._over.wait(0.05)

    def door(self, *, open_: bool) -> None:
        """Move the magnet away from the contact, or near it; the lock has a contact of its own."""
        for number in (DOOR, LEAF):
            self._house.line(number).drive(open_)

    def move(self, *, still: bool) -> None:
        """Have somebody walk in the hall, or stand still."""
        self._house.line(HALL).drive(not still)


def begin_day(
    house: DemoHouse, stack: ExitStack, *, pace: float = 1.0, tell: Callable[[str], None] = lambda _words: None
) -> Day:
    """Let things happen in this house from now on, until `stack` is unwound. See `Day`."""
    over = threading.Event()
    day = Day(house, over, pace, tell)
    thread = threading.Thread(target=day.run)
    thread.start()
    stack.callback(thread.join)
    stack.callback(over.set)
    return day
