"""The demo from its start to the account at its end, on a terminal or as lines."""

import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

from penates.console.keyboard import keys, pressed
from penates.console.output import is_dumb, shown, to_a_reader
from penates.demo.day import Day
from penates.demo.house import RECORDER, DemoHouse
from penates.demo.screen import Caption, Scene, screen
from penates.demo.tally import Account, Tally
from penates.fleet.fleet_view import Change
from penates.fleet.live_fleet import LiveFleet

if TYPE_CHECKING:
    from penates.demo.animation import Animation

STEP_S = 0.5  # between two looks at everything
PATIENCE_S = 30.0  # for the recorder to store what is left
KILLED_S, BACK_S = 10, 18  # seconds of the first day, between which there is no broker
KILLED = "The broker is killed (SIGKILL). Each sensor reads on, and keeps it all."
BACK = "The broker is back, and has forgotten everything; {kept} readings wait."
CAUGHT_UP = "All {kept} are recorded, in order and with their own times."
INDENT = " " * 7


class Show:
    """A house whose sensors run, what happens in it, and what is shown of that."""

    def __init__(self, house: DemoHouse, fleet: LiveFleet, animation: "Animation | None" = None) -> None:
        """Show this house, as this view of its broker has it, also in a picture."""
        self._house, self._fleet, self.animation = house, fleet, animation
        self._tally = Tally(house.log, house.state / "history.sqlite", f"{house.group}/{RECORDER}")
        self._scene = Scene(fleet.view, self._tally.made)
        self._began = time.monotonic()
        self._plan: list[tuple[int, Callable[[], None]]] = []
        self._day: Day | None = None
        self._printed = 0  # captions
        self._due, self._waited = Counter[str](), 0  # what was made by the end of the outage; how much of it was kept
        self.outages: list[tuple[float, float]] = []  # from when to when, in seconds since 1970

    @property
    def captions(self) -> list[Caption]:
        """What has happened so far."""
        return self._scene.captions

    def plan_outage(self, day: Day) -> None:
        """Have the broker be killed and started again on the first day."""
        self._day, self._plan = day, [(KILLED_S, self._kill_broker), (BACK_S, self._restart_broker)]

    def tell(self, words: str, *, strong: bool = False) -> None:
        """Show a caption from now on."""
        self._scene.captions.append(Caption(time.monotonic() - self._began, words, strong))

    def _kill_broker(self) -> None:
        self._house.broker.kill()
        self._scene.dead = True
        self.outages.append((time.time(), math.inf))
        self.tell(KILLED, strong=True)

    def _restart_broker(self) -> None:
        self._house.broker.start()
        self._scene.dead = False
        self.outages.append((self.outages.pop()[0], time.time()))
        self._tally.update()
        self._due, self._waited = self._tally.made.copy(), self._tally.kept
        self.tell(BACK.format(kept=self._waited), strong=True)

    # What is shown.

    def run(self, deadline: float) -> None:
        """Show it until this moment (monotonic) and the end of the outage, or until the key q."""
        if not sys.stdout.isatty() or is_dumb():
            with to_a_reader():
                for changes in self._steps(deadline, None):
                    self._print(changes)
            return
        console = Console()
        with keys() as keyboard, Live(console=console, auto_refresh=False, transient=True) as live:
            for _ in self._steps(deadline, keyboard):
                live.update(screen(self._scene, (console.width, console.height)), refresh=True)

    def _steps(self, deadline: float, keyboard: int | None) -> Iterator[list[Change]]:
        """Yield what has changed in each step."""
        others = () if keyboard is None else (keyboard,)
        while time.monotonic() < deadline or self._plan:
            due, changes = time.monotonic() + STEP_S, list[Change]()
            while (left_s := due - time.monotonic()) > 0:
                changes += self._fleet.changes(left_s, *others)
                if keyboard is not None and pressed(keyboard) == "q":
                    return
            self._update()
            yield changes

    def _update(self) -> None:
        self._tally.update()
        scene = self._scene
        scene.recorded, scene.second = self._tally.recorded, time.monotonic() - self._began
        if self._plan and self._day and self._day.second > self._plan[0][0]:
            self._plan.pop(0)[1]()
        if self._due and not self._due - scene.recorded and not self._tally.account().disordered:
            self._due.clear()
            self.tell(CAUGHT_UP.format(kept=self._waited), strong=True)
        scene.apart = self._fleet.down is not None
        if self.animation:
            self.animation.add(scene)

    def _print(self, changes: list[Change]) -> None:
        captions = self._scene.captions[self._printed :]
        self._printed += len(captions)
        for line in (*captions, *(f"{INDENT}{one.topic} {shown(one.payload)}" for one in changes)):
            print(line, flush=True)

    # The end.

    def finish(self) -> Account:
        """Have the broker run, stop what reads, wait until all is recorded, and return what has become of it."""
        if self._scene.dead:
            self._restart_broker()
        self._settle(more=bool(self.outages))
        self._house.ask("stop", self._house.sensors)
        self._settle()
        return self._tally.account()

    def _settle(self, *, more: bool = False) -> None:
        """Wait until all that was read so far is recorded, but not for ever; with `more`, a newer reading, too.

        What was read just now may not be logged yet: without a newer one, its sensor may be stopped before there is a
        recorder again.
        """
        self._tally.update()
        due, deadline = self._tally.made.copy(), time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            self._tally.update()
            newer = any(self._tally.recorded[sensor] > count for sensor, count in due.items())
            if not due - self._tally.recorded and (newer or not more):
                return
            time.sleep(0.1)
