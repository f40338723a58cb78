"""What authors test their kinds with finds what is wrong with them, and leaves nothing behind."""

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gpiozero
import pytest
from gpiozero import DigitalInputDevice, DigitalOutputDevice

from bootstrap import (
    ChildProcess,
    Contact,
    Device,
    Edge,
    Heard,
    Measure,
    NoReading,
    Output,
    Program,
    Reading,
    Refused,
    Seconds,
    Target,
    TopicFilter,
    takes,
)
from bootstrap.pins.simulated_factory import SimulatedFactory
from bootstrap.pins.simulated_lines import LINES_VARIABLE, SimulatedLine
from penates.testing import Bench, check_kind

MINE = "tests.unit.test_testing"


@dataclass(kw_only=True)
class Bell(Contact):
    """A bell with a button.

    Wiring: the button to `pin` and GND, the bell's relay to `out`.
    """

    bounce_s: Seconds = 0.0
    out: Output  # BCM number of the bell's line
    rings_s: Seconds = 0.01  # seconds for which it rings

    rings = Measure(bool)
    volume = Measure("%", low=0, high=100)

    def setup(self) -> None:
        """Watch the button, own the bell."""
        super().setup()
        self.bell = self.own(DigitalOutputDevice(self.out))
        self.count = self.keep("count", 0)

    def shows(self, *, closed: bool) -> Reading:
        """Ring while the button is pressed, and for a moment after it."""
        if closed:
            self.count.value += 1
            self.after(self.rings_s, self.ring, name="end")
        return self.ring()

    def ring(self) -> Reading:
        """Let it ring, or not."""
        self.bell.value = self.waits_for("end")
        return {"rings": bool(self.bell.value)}

    @takes(low=0, high=100, unit="%", sets="volume")
    def act_volume(self, value: Any) -> Reading:
        """Set how loud it is; louder than 90 % it is not."""
        return {"volume": 101 if value > 90 else value}


@pytest.fixture
def bell() -> Bell:
    return Bell(pin=17, out=18)


def test_edges_timers_outputs_and_commands_work_as_in_a_house(bell: Bell) -> None:
    with Bench(bell) as bench:
        assert (bench.read(), bench.level(18)) == ({"rings": False}, 0)
        bench.drive(17, high=False)
        bench.until(lambda: bench.readings[1:] == [{"rings": True}, {"rings": False}])
        bench.drive(17, high=None)
        bench.until(lambda: len(bench.readings) == 4)
        bench.act("volume", 40)
        assert bench.readings[-1] == {"volume": 40}
        with pytest.raises(Refused, match="send a number from 0 to 100 %"):
            bench.act("volume", 101)


def test_lines_of_another_folder_are_other_lines(bell: Bell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LINES_VARIABLE, str(tmp_path))
    SimulatedLine(17).drive(level=False)
    factory = SimulatedFactory()
    assert DigitalInputDevice(17, pull_up=True, pin_factory=factory).is_active
    with Bench(bell) as bench:
        assert bench.read() == {"rings": False}
        factory.close()
        assert bench.read() == {"rings": False}


def test_what_it_keeps_is_there_the_next_time(tmp_path: Path) -> None:
    for count in (1, 2):
        with Bench(Bell(pin=17, out=18), tmp_path) as bench:
            bench.edges(17)
            assert bench.readings[0] == {"rings": True}
        assert (tmp_path / "outbox" / "bench.device" / "kept.json").read_text() == f'{{"count":{count}}}'


@dataclass(kw_only=True)
class Radio(Device):
    """Hears a program that prints levels. Wiring: none."""

    shell: Program = "sh"  # the shell that runs it
    program: str = "echo 5; echo x; echo 7; sleep 3600"  # what it runs in a shell

    level = Measure("V")

    def setup(self) -> None:
        """Listen, and ask for a number."""
        self.lines(ChildProcess([self.shell, "-c", self.program]), self.on_line)
        self.ask(lambda: 3, lambda found: {"level": found})

    def on_line(self, line: str) -> Reading:
        """Return what a line says, if it is a number."""
        if not line.isdecimal():
            raise NoReading
        return {"level": int(line)}


def test_lines_and_calls_work_as_in_a_house() -> None:
    with Bench(Radio()) as bench:
        bench.until(lambda: len(bench.readings) == 3)
        assert sorted(float(str(one["level"])) for one in bench.readings) == [3, 5, 7]
        assert bench.problems == {}


def test_what_would_be_a_fault_is_told() -> None:
    with Bench(Radio(program="exit 3")) as bench:
        bench.until(lambda: bench.problems)
        assert "3" in " ".join(bench.problems.values())


@dataclass(kw_only=True)
class Follower(Device):
    """Switches a fan by a temperature. Wiring: none."""

    follows: TopicFilter = "cm/cellar/data/temperature"
    switches: Target = "cm/fan/action/set"

    on = Measure(bool)

    def setup(self) -> None:
        """Follow the temperature."""
        self.heard = self.listen(self.follows, self.on_message, lambda silence: self.switch(on=not silence.why))

    def on_message(self, heard: Heard) -> Reading:
        """Switch by it."""
        return self.switch(on=heard.number > 25)

    def switch(self, *, on: bool) -> Reading:
        """Tell the fan."""
        self.tell(self.switches, "on" if on else "off", lambda outcome, _why: {"on": on and outcome == "sent"})
        return {"on": on}

    def read(self) -> Reading:
        """Return nothing."""
        raise NoReading

    def act_stray(self, value: Any) -> None:
        """Do what no setting declares."""
        if value == "listen":
            self.listen("cm/attic/data/x", lambda _: None)
        else:
            self.tell("cm/lamp/action/set", "on")


def test_what_it_hears_and_tells_is_as_in_a_house() -> None:
    device = Follower()
    with Bench(device) as bench:
        bench.hear("cm/cellar/data/temperature", 26.5)
        assert (device.heard.value, device.heard.problem) == (26.5, None)
        bench.silence("cm/cellar/data/temperature", "it is lost")
        assert device.heard.problem == "it is lost"
        assert bench.told == [("cm/fan/action/set", "on"), ("cm/fan/action/set", "off")]
        assert bench.readings == [{"on": True}, {"on": True}, {"on": False}, {"on": False}]
        with pytest.raises(AssertionError, match="the device does not listen to 'cm/attic/data/x'"):
            bench.hear("cm/attic/data/x", 1)
        for stray, why in (("listen", "TopicFilter declares 'cm/attic/data/x'"), ("tell", "Target declares 'cm/lamp")):
            with pytest.raises(AssertionError, match=why):
                bench.act("stray", stray)


def test_what_would_be_refused_fails_the_test(bell: Bell) -> None:
    with Bench(bell) as bench, pytest.raises(AssertionError, match=r"volume.: '101 % is not within 0 to 100'"):
        bench.act("volume", 95)


def test_what_does_not_come_fails_the_test_in_time(bell: Bell) -> None:
    with Bench(bell) as bench, pytest.raises(AssertionError, match=r"^not within 0.01 s; the readings so far: \[\]$"):
        bench.until(lambda: bench.readings, 0.01)


def test_a_bench_leaves_everything_as_it_was(bell: Bell) -> None:
    before = (dict(os.environ), gpiozero.Device.pin_factory, threading.active_count())
    with Bench(bell):
        assert os.environ["GPIOZERO_PIN_FACTORY"] == "simulated"
    with pytest.raises(ZeroDivisionError), Bench(Broken(every_s=0)):
        pass
    assert (dict(os.environ), gpiozero.Device.pin_factory, threading.active_count()) == before


@dataclass(kw_only=True)
class Broken(Device):
    """Wiring: none."""

    level = Measure("")

    def setup(self) -> None:
        self.ratio = 1 / self.every_s

    def read(self) -> Reading:
        return {"level": 1, "other": 2}

    def act_set(self, value: Any) -> None:
        self.level_now = value


@dataclass(kw_only=True)
class Edgy(Contact):
    """Counts what it cannot."""

    odd: int = 1

    level = Measure("1")

    def on_edge(self, edge: Edge) -> Reading:
        """Divide by what there is."""
        return {"level": 1 // edge.active}

    def read(self) -> Reading:
        """Nobody is there."""
        raise OSError("it does not answer")


@dataclass(kw_only=True)
class Deaf(Contact):
    """Its own setup forgets that of a contact. Wiring: a contact to `pin` and GND."""

    odd: int = 1  # nothing

    level = Measure("1")

    def setup(self) -> None:
        """Begin at nothing."""
        self.level_now = 0

    def read(self) -> Reading:
        """Report nothing."""
        return {"level": self.level_now}


def test_a_contact_that_is_not_watched_is_no_contact() -> None:
    with pytest.raises(AssertionError) as failed:
        check_kind(f"{MINE}.Deaf", pin=17)
    why = "AssertionError: it watches none of its lines; a setup of its own calls super().setup()"
    assert str(failed.value).splitlines() == [
        f"{MINE}.Deaf: {one}" for one in (f"it fails: {why}", f"it fails after a teardown: {why}")
    ]


def test_all_that_is_wrong_with_a_kind_is_said_at_once() -> None:
    undeclared = "TypeError: a reading has 'other', which is not a declared measure; declared: level"
    with pytest.raises(AssertionError) as failed:
        check_kind(f"{MINE}.Broken")
    assert str(failed.value).splitlines() == [
        f"{MINE}.Broken: {one}"
        for one in (
            "say in the docstring what it is",
            """give the measure 'level' its unit, such as "°C", or "1" for a count""",
            "say in the docstring of act_set what it does",
            f"it fails: {undeclared}",
            f"it fails after a teardown: {undeclared}",
        )
    ]


def test_edges_are_tried_and_a_device_that_is_absent_is_no_error() -> None:
    with pytest.raises(AssertionError) as failed:
        check_kind(f"{MINE}.Edgy", pin=17, bounce_s=0.0)
    assert str(failed.value).splitlines() == [
        f"{MINE}.Edgy: {one}"
        for one in (
            'say in the docstring how to wire it: "Wiring: …", or "Wiring: none."',
            "it fails: ZeroDivisionError: integer division or modulo by zero",
            "it fails after a teardown: ZeroDivisionError: integer division or modulo by zero",
        )
    ]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("door", r"^door: it cannot be made: .*'pin'; give check_kind what has no default, such as pin=17$"),
        ("dor", "no kind 'dor'; did you mean 'door'?"),
        (f"{MINE}.Nothing", "Nothing in tests.unit.test_testing is not there"),
    ],
)
def test_a_kind_that_cannot_be_made(kind: str, why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        check_kind(kind)
