"""What a lock does to its lines, and says of itself, whatever its contacts, its door and its commands do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

from bootstrap.chatter import CHATTER
from bootstrap.device import Device
from bootstrap.errors import Refused
from bootstrap.pins.simulated_lines import SimulatedLine
from daemons.lock import DoorLock
from penates.testing import Bench, check_kind

STRIKE, THROWS, BOLT, DOOR = 17, 23, 22, 27
THROWN, WITHDRAWN, CLOSED, OPEN = (BOLT, False), (BOLT, True), (DOOR, False), (DOOR, True)
QUICK: dict[str, Any] = {"unlock_s": 0.6, "move_s": 0.3, "bounce_s": 0.005}


class Rig:
    """A lock on a bench, with a hand on its bolt and its door."""

    def __init__(self, folder: Path | None = None, *, thrown: bool = True, closed: bool = True, **more: Any) -> None:
        settings = {"pin": STRIKE, "bolt": BOLT, "door": DOOR, "fail": "secure", **QUICK, **more}
        driven = {BOLT: not thrown, DOOR: not closed}
        self.device = DoorLock(**settings)
        self.bench = Bench(self.device, folder, driven=driven)

    def __enter__(self) -> Self:
        self.bench.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.bench.__exit__(*error)

    def hand(self, what: tuple[int, bool]) -> None:
        """Move the bolt or the door, and wait until its contact has shown that."""
        pin, high = what
        contact: Any = self.device.contacts.bolt if pin == BOLT else self.device.contacts.door
        self.bench.drive(pin, high=high)
        self.bench.until(lambda: bool(contact.is_active) != high)

    @property
    def now(self) -> tuple[Any, Any]:
        reading = self.device.read()
        return reading["state"], reading["alert"]

    def until(self, state: str, alert: str = "none") -> None:
        """Wait for this, which is not before it has started."""
        self.bench.until(lambda: self.now == (state, alert) and not self.device.waits_for("start"))

    def wait(self, seconds: float) -> None:
        self.device.after(seconds, lambda: None, name="wait")
        self.bench.until(lambda: not self.device.waits_for("wait"))

    @property
    def states(self) -> set[Any]:
        return {one["state"] for one in self.bench.readings if "state" in one}

    @property
    def events(self) -> list[Any]:
        found: list[Any] = [one["event"] for one in self.bench.readings if "event" in one]
        return [(one["what"], one["by"], one["ended"]) for one in found]

    @property
    def lines(self) -> tuple[float | None, float | None]:
        return self.bench.level(STRIKE), self.bench.level(THROWS)


def test_the_kind_keeps_the_contract() -> None:
    check_kind("lock", pin=STRIKE, bolt=BOLT, fail="secure")


@pytest.mark.parametrize(
    ("settings", "locked", "unlocked"),
    [
        ({"fail": "secure"}, 0, 1),
        ({"fail": "safe"}, 1, 0),
        ({"fail": "secure", "active_high": False}, 1, 0),
        ({"fail": "safe", "active_high": False}, 0, 1),
    ],
)
def test_a_strike_is_unlocked_for_a_while(settings: dict[str, Any], locked: int, unlocked: int) -> None:
    with Rig(**settings) as rig:
        rig.until("locked")
        assert rig.bench.level(STRIKE) == locked
        rig.bench.act("set", {"state": "unlocked", "for_s": 0.8, "by": "Anna"})
        assert (rig.now, rig.bench.level(STRIKE)) == (("unlocking", "none"), unlocked)
        rig.hand(WITHDRAWN)
        assert rig.now == ("unlocked", "none")
        rig.bench.until(lambda: rig.bench.level(STRIKE) == locked)
        assert rig.now == ("locking", "none")
        rig.hand(THROWN)
        rig.until("locked")
        assert rig.events == [("unlock", "Anna", "unlocked"), ("relock", "the time that has passed", "locked")]
    assert "fail" in rig.device.settings()


@pytest.mark.parametrize(
    ("fail", "active_high"), [("secure", True), ("secure", False), ("safe", True), ("safe", False)]
)
def test_setup_alone_takes_the_power_from_each_line(fail: str, *, active_high: bool) -> None:
    with Rig(fail=fail, active_high=active_high) as rig:
        assert rig.bench.level(STRIKE) == (not active_high)
        assert rig.now == ("locked" if fail == "secure" else "unknown", "none")


def test_the_door_that_closes_locks_before_the_time_has_passed() -> None:
    with Rig(unlock_s=60) as rig:
        rig.until("locked")
        rig.bench.act("set", "unlock")
        for step in (WITHDRAWN, OPEN, CLOSED):
            rig.hand(step)
        assert rig.bench.level(STRIKE) == 1
        rig.bench.until(lambda: rig.bench.level(STRIKE) == 0)
        rig.hand(THROWN)
        rig.until("locked")
        assert rig.events[-1] == ("relock", "the closing of the door", "locked")


def test_who_says_for_how_long_may_close_the_door_meanwhile() -> None:
    with Rig() as rig:
        rig.until("locked")
        rig.bench.act("set", {"state": "unlock", "for_s": 2})
        for step in (WITHDRAWN, OPEN, CLOSED):
            rig.hand(step)
        rig.wait(1.3)
        assert rig.bench.level(STRIKE) == 1
        rig.bench.until(lambda: rig.bench.level(STRIKE) == 0)


def test_an_open_door_alerts_and_is_locked_once_it_closes() -> None:
    with Rig() as rig:
        rig.until("locked")
        rig.bench.act("set", "unlock")
        rig.hand(WITHDRAWN)
        rig.hand(OPEN)
        rig.until("unlocked", "door_open")
        assert rig.bench.level(STRIKE) == 1  # a bolt that is thrown now helps nobody
        rig.hand(CLOSED)
        rig.bench.until(lambda: rig.bench.level(STRIKE) == 0)
        rig.hand(THROWN)
        rig.until("locked")
        ends = ["unlocked", "the door is open", "locked"]
        assert [end for _what, _by, end in rig.events] == ends


def test_a_strike_whose_door_stands_open_has_power_no_longer_than_allowed() -> None:
    with Rig(most_s=1.5) as rig:
        rig.until("locked")
        rig.bench.act("set", "unlock")
        rig.hand(WITHDRAWN)
        rig.hand(OPEN)
        rig.until("unlocked", "door_open")
        rig.bench.until(lambda: rig.bench.level(STRIKE) == 0)
        assert rig.now == ("unlocked", "door_open")


def test_a_door_that_is_left_open_alerts_though_nobody_has_unlocked_it() -> None:
    with Rig() as rig:
        rig.until("locked")
        rig.hand(WITHDRAWN)
        assert rig.events == [("unlock", "somebody's hand", "unlocked")]
        rig.hand(OPEN)
        rig.until("unlocked", "door_open")
        rig.hand(CLOSED)
        rig.hand(THROWN)
        rig.until("locked")


@pytest.mark.parametrize("closed", [True, False])
def test_without_a_contact_the_door_counts_as_closed(*, closed: bool) -> None:
    with Rig(door=None, closed=closed) as rig:
        rig.until("locked")
        assert "open" not in rig.device.read()
        assert "open" not in rig.device.measures
        assert "open" in DoorLock.measures


def test_a_bolt_that_does_not_go_in_is_jammed_until_it_does() -> None:
    with Rig() as rig:
        rig.until("locked")
        rig.bench.act("set", "unlock")
        rig.hand(WITHDRAWN)
        rig.until("jammed", "jammed")
        rig.bench.act("set", "unlock")  # which is never blocked
        assert rig.bench.level(STRIKE) == 1
        rig.until("jammed", "jammed")
        rig.hand(THROWN)
        rig.until("locked")


def test_a_door_that_is_opened_from_inside_while_it_locks_is_not_jammed() -> None:
    with Rig() as rig:
        rig.until("locked")
        rig.bench.act("set", "unlock")
        rig.hand(WITHDRAWN)
        rig.bench.act("set", "lock")
        rig.hand(OPEN)
        rig.until("unlocked", "door_open")
        assert "jammed" not in rig.states
        rig.hand(CLOSED)
        rig.hand(THROWN)
        rig.until("locked")
        assert rig.events[-1] == ("lock", None, "locked")


# A contact that is broken.


def stuck(rig: Rig) -> None:
    """It shows a thrown bolt, whatever happens."""
    rig.bench.act("set", "unlock")
    rig.until("unknown", "contact")


def overtaken(rig: Rig) -> None:
    """It shows a thrown bolt, and is locked before anybody could notice."""
    rig.bench.act("set", "unlock")
    rig.bench.act("set", "lock")
    rig.until("unknown", "contact")


def chattering(rig: Rig) -> None:
    for _ in range(CHATTER):
        rig.hand(WITHDRAWN)
        rig.hand(THROWN)
    rig.until("unknown", "contact")


@pytest.mark.parametrize("breaks", [stuck, overtaken, chattering])
def test_a_broken_contact_is_never_taken_for_locked_and_blocks_nothing(
    breaks: Callable[[Rig], None], tmp_path: Path
) -> None:
    with Rig(tmp_path) as rig:
        rig.until("locked")
        breaks(rig)
        since = len(rig.bench.readings)
        rig.wait(1.0)
        rig.bench.act("set", "lock")
        rig.wait(1.0)
        rig.bench.act("set", "unlock")
        assert rig.bench.level(STRIKE) == 1
        rig.until("unknown", "contact")
        assert "locked" not in {one.get("state") for one in rig.bench.readings[since:]}
    with Rig(tmp_path) as rig:  # another process knows it, too
        rig.until("unknown", "contact")
        assert "locked" not in rig.states
        rig.bench.act("set", "unlock")
        rig.hand(WITHDRAWN)
        rig.bench.until(lambda: rig.bench.level(STRIKE) == 0)
        rig.hand(THROWN)
        rig.until("locked")  # it has followed


def test_a_thrown_bolt_in_an_open_door_is_a_contradiction() -> None:
    with Rig(closed=False) as rig:
        rig.until("unknown", "door_open")
        assert "locked" not in rig.states


def test_a_contact_that_opens_when_the_bolt_is_thrown() -> None:
    with Rig(thrown=False, bolt_when="open") as rig:
        rig.until("locked")


# A motor.

MOTOR: dict[str, Any] = {"lock_pin": THROWS, "move_s": 0.4}


def test_a_motor_locks_at_the_beginning_of_an_end_and_only_once() -> None:
    with Rig(**MOTOR) as rig:
        rig.until("locked")
        history = SimulatedLine(THROWS).history
        history.touch()
        rig.bench.act("set", "unlock")
        rig.device.stopping()
        thrown = [row.split()[1] for row in history.read_text().splitlines()]
        assert thrown == ["1", "0"]
        rig.device.teardown()
        assert len(history.read_text().splitlines()) == len(thrown)


def test_a_motor_runs_for_a_moment_and_never_both_ways() -> None:
    with Rig(**MOTOR) as rig:
        rig.wait(0.2)
        assert (rig.lines, rig.now) == ((0, 0), ("locking", "none"))
        rig.until("locked")
        assert rig.lines == (0, 0)  # nothing runs at a start that finds it locked
        rig.bench.act("set", "unlock")
        assert rig.lines == (1, 0)
        rig.hand(WITHDRAWN)
        assert (rig.lines, rig.now[0]) == ((1, 0), "unlocking")  # its way has only begun
        rig.until("unlocked")
        assert rig.lines == (0, 0)
        rig.bench.until(lambda: rig.lines == (0, 1))
        rig.hand(THROWN)
        assert (rig.lines, rig.now[0]) == ((0, 0), "locking")
        rig.until("locked")


def test_a_motor_that_is_told_otherwise_at_any_moment_never_has_both() -> None:
    with Rig(**MOTOR) as rig:
        drive: Any = rig.device.drive
        seen: list[tuple[bool, bool]] = []

        def note() -> None:
            seen.append((bool(drive._unlocking.value), bool(drive._locking.value)))  # noqa: SLF001

        for number in range(12):
            rig.bench.act("set", "unlock" if number % 2 else "lock")
            note()
            for _ in range(number):
                rig.wait(0.03)
                note()
        assert (True, True) not in seen
        assert {(True, False), (False, True), (False, False)} <= {*seen}
        rig.bench.until(lambda: rig.lines == (0, 0))


def test_a_motor_that_was_just_stopped_waits_before_it_runs_the_other_way() -> None:
    with Rig(**MOTOR) as rig:
        rig.until("locked")
        rig.bench.act("set", "unlock")
        rig.device.drive.stop()
        rig.device.drive.turn(unlock=False)
        assert rig.lines == (0, 0)
        rig.bench.until(lambda: rig.lines == (0, 1))


def test_a_motor_runs_for_its_whole_time_if_the_contact_shows_a_thrown_bolt_before_it_has_begun() -> None:
    with Rig(**{**MOTOR, "move_s": 1.5}) as rig:
        rig.until("locked")
        rig.bench.act("set", {"state": "unlock", "for_s": 60})
        rig.hand(WITHDRAWN)
        rig.until("unlocked")
        rig.hand(THROWN)  # by a hand, or by a fault
        rig.until("unknown")
        rig.bench.act("set", "lock")
        rig.bench.until(lambda: rig.lines == (0, 1))
        rig.wait(1.0)
        assert (rig.lines, rig.now[0]) == ((0, 1), "locking")
        rig.until("locked")
        assert rig.lines == (0, 0)


def test_a_motor_whose_process_ended_while_it_unlocked_is_not_taken_for_locked_before_it_has_run(
    tmp_path: Path,
) -> None:
    with Rig(tmp_path, **MOTOR) as rig:
        rig.until("locked")
        rig.bench.act("set", "unlock")  # and its contact is stuck, which nobody knows yet
    with Rig(tmp_path, **MOTOR) as rig:
        assert rig.now == ("unknown", "none")
        rig.bench.until(lambda: rig.lines == (0, 1))
        assert "locked" not in rig.states
        rig.until("locked")
        ran = ran_at_the_end(rig)
    assert not ran()


def test_a_motor_locks_at_a_start_and_at_the_end_but_no_open_door() -> None:
    with Rig(thrown=False, **MOTOR) as rig:
        rig.bench.until(lambda: rig.lines == (0, 1))
        rig.until("jammed", "jammed")
        assert rig.lines == (0, 0)
        ran = ran_at_the_end(rig)
    assert ran()
    with Rig(thrown=False, closed=False, **MOTOR) as rig:
        rig.until("unlocked", "door_open")
        assert rig.lines == (0, 0)
        ran = ran_at_the_end(rig)
    assert not ran()
    with Rig(**MOTOR) as rig:
        rig.until("locked")
        ran = ran_at_the_end(rig)
    assert not ran()


def ran_at_the_end(rig: Rig) -> Callable[[], bool]:
    """Return what tells whether the motor has locked from now on."""
    levels: list[float] = []
    pin: Any = rig.device.drive._locking.pin  # type: ignore[attr-defined]  # noqa: SLF001
    plain = pin._set_state  # noqa: SLF001

    def note(value: float) -> None:
        levels.append(value)
        plain(value)

    pin._set_state = note  # noqa: SLF001
    return lambda: any(levels) and not levels[-1]


def test_a_motor_stops_when_the_door_opens_before_the_bolt() -> None:
    with Rig(**{**MOTOR, "move_s": 3}) as rig:
        rig.until("locked")
        rig.bench.act("set", "unlock")
        rig.hand(WITHDRAWN)
        rig.bench.act("set", "lock")
        rig.bench.until(lambda: rig.lines == (0, 1))
        rig.hand(OPEN)
        assert (rig.lines, rig.now) == ((0, 0), ("unlocked", "door_open"))
        rig.hand(CLOSED)
        rig.bench.until(lambda: rig.lines == (0, 1))
        rig.hand(THROWN)
        rig.until("locked")


def test_a_motor_locks_after_a_hand_has_unlocked() -> None:
    with Rig(**MOTOR) as rig:
        rig.until("locked")
        rig.hand(WITHDRAWN)
        assert rig.now == ("unlocked", "none")
        rig.bench.until(lambda: rig.lines == (0, 1))
        rig.hand(THROWN)
        rig.until("locked")


def test_a_motor_leaves_alone_what_a_hand_has_unlocked_and_locked_again() -> None:
    with Rig(**MOTOR) as rig:
        rig.until("locked")
        rig.hand(WITHDRAWN)
        rig.hand(THROWN)
        rig.until("locked")
        ran = ran_at_the_end(rig)
        rig.wait(1.0)
        assert not ran()
        hand = "somebody's hand"
        assert rig.events == [("unlock", hand, "unlocked"), ("lock", hand, "locked")]


# Settings and commands.


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"lock_pin": THROWS, "fail": "safe"}, "a motor stays where it is without power"),
        ({"unlock_s": 400}, "'unlock_s' must be at most 'most_s', which is 300"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(more: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Rig(**more)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"state": "unlock", "for_s": 301}, "at most 300"),
        ({"state": "unlock", "for_s": 0}, "above 0"),
        ({"state": "unlock", "for_s": "10"}, "number of seconds"),
        ({"state": "unlock", "by": 7}, "'by' must be a text"),
        ({"state": "unlock", "by": "a\nb"}, "'by' must be a text"),
        ({"state": "unlock", "by": "a" * 61}, "at most 60"),
        ({"state": "lock", "for_s": 5}, "only `unlock` takes 'for_s'"),
        ({"state": "open"}, "send one of lock, unlock"),
        ("toggle", "send one of lock, unlock"),
        ({"by": "Anna"}, "'state' is missing"),
        (True, "send one of lock, unlock"),
    ],
)
def test_a_command_that_is_not_understood_unlocks_nothing(value: Any, why: str) -> None:
    with Rig() as rig:
        rig.until("locked")
        with pytest.raises(Refused, match=why):
            rig.bench.act("set", value)
        assert (rig.bench.level(STRIKE), rig.now) == (0, ("locked", "none"))
        assert "last" not in rig.device.read()


def test_what_was_under_way_ends_with_the_process(tmp_path: Path) -> None:
    with Rig(tmp_path) as rig:
        rig.until("locked")
        rig.bench.act("set", {"state": "unlock", "by": "Anna"})
        rig.bench.act("set", {"state": "unlock", "by": "Bert"})
        rig.bench.until(lambda: bool(rig.events))
        assert rig.events == [("unlock", "Anna", "something else was asked for")]
        assert rig.bench.level(STRIKE) == 1
    with Rig(tmp_path) as rig:
        last: Any = rig.device.read()["last"]
        assert (last["what"], last["by"], last["ended"]) == ("unlock", "Bert", "not known: the sensor was stopped")
        rig.until("locked")
        assert rig.bench.level(STRIKE) == 0
        assert rig.events == [("relock", "the start of the sensor", "locked")]


def test_what_another_kind_has_kept_is_nothing_that_was_done(tmp_path: Path) -> None:
    class Other(Device):
        """Wiring: none. A kind that the sensor had before."""

        def setup(self) -> None:
            self.keep("last", dict[str, Any]()).value = {"code": 4711}

    with Bench(Other(), tmp_path):
        pass
    with Rig(tmp_path) as rig:
        rig.until("locked")
        assert "last" not in rig.device.read()
