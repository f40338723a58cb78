"""Covers on driven lines: what each command and each contact does in each state, and what never happens."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bootstrap.chatter import CHATTER
from bootstrap.config.toml_file import Wrong
from bootstrap.errors import Refused
from daemons.cover import Cover
from penates.testing import Bench
from support.relays import RelayHistory

OPENS, CLOSES, BUTTON = 17, 27, 22
AT_CLOSED, AT_OPEN, BEAM, LOCAL, LIGHT = 5, 6, 13, 19, 26
DEAD_S, LONG = 0.05, 600.0
RELAYS: dict[str, Any] = {"opens": OPENS, "closes": CLOSES, "dead_s": DEAD_S, "bounce_s": 0.0, "leave_s": LONG}
ENDS: dict[str, Any] = {"closed_contact": AT_CLOSED, "open_contact": AT_OPEN}
SEEN: dict[str, Any] = {**ENDS, "obstruction": BEAM, "local": LOCAL}
UNSEEN: dict[str, Any] = {**SEEN, "remote_close": True, "warning": LIGHT, "warn_s": 5.0, "stops_itself": True}
QUICK = {"warn_s": 0.1}  # set afterwards: its owner cannot


class Door:
    """A cover, and whoever moves its contacts."""

    def __init__(self, bench: Bench, cover: Cover, history: RelayHistory) -> None:
        self.bench, self.cover, self.history = bench, cover, history

    def drive(self, line: int, *, closed: bool) -> None:
        """Close a contact, or open it, and let that be noticed."""
        before = self.bench.level(line)
        count = len(self.bench.readings)
        self.bench.drive(line, high=not closed)
        if before != (not closed):
            self.bench.until(lambda: len(self.bench.readings) > count)

    def push(self) -> None:
        """Push the button beside it, and let go."""
        count = len(self.bench.readings)
        self.bench.drive(LOCAL, high=False)
        self.bench.until(lambda: len(self.bench.readings) > count)
        self.bench.drive(LOCAL, high=True)

    @property
    def relays(self) -> tuple[bool, bool]:
        return bool(self.bench.level(OPENS)), bool(self.bench.level(CLOSES))

    @property
    def state(self) -> str:
        return str(self.bench.read()["state"])

    def await_state(self, state: str) -> None:
        self.bench.until(lambda: self.state == state)

    def settle(self) -> None:
        """Let a dead time pass, and a warning."""
        self.bench.until(lambda: not self.cover.waits_for("begin"))


@contextmanager
def door(folder: Path | None = None, *, closed: bool = True, beam: bool = True, **settings: Any) -> Iterator[Door]:
    """Provide a door that is closed, or between its ends; its light barrier sees nothing. Never are both relays on."""
    cover = Cover(**{"type": "sectional", **RELAYS, **settings})
    if cover.remote_close:
        cover.warn_s = QUICK["warn_s"]
    driven = {AT_CLOSED: not closed, AT_OPEN: True, BEAM: not beam, LOCAL: True}
    with Bench(cover, folder, driven=driven) as bench:
        history = RelayHistory([OPENS, CLOSES], on=cover.active_high, resting=True)
        yield Door(bench, cover, history)
        history.check(DEAD_S)


# How a door comes to each state.


def opening(it: Door) -> None:
    it.bench.act("set", "open")
    it.await_state("opening")
    it.drive(AT_CLOSED, closed=False)


def open_(it: Door) -> None:
    opening(it)
    it.drive(AT_OPEN, closed=True)


def closing(it: Door) -> None:
    open_(it)
    it.bench.act("set", "close")
    it.await_state("closing")
    it.drive(AT_OPEN, closed=False)


def between(it: Door) -> None:
    opening(it)
    it.bench.act("set", "stop")


def about_to_close(it: Door) -> None:
    """It warns, and the other way's dead time has not passed."""
    open_(it)
    it.bench.act("set", "close")


def contradicted(it: Door) -> None:
    it.drive(AT_OPEN, closed=True)


STATES: dict[str, Callable[[Door], object]] = {
    "closed": lambda _it: None,
    "opening": opening,
    "open": open_,
    "closing": closing,
    "stopped": between,
    "warned": about_to_close,
    "contradicted": contradicted,
}
EVENTS: dict[str, Callable[[Door], object]] = {
    "open": lambda it: it.bench.act("set", "open"),
    "close": lambda it: it.bench.act("set", "close"),
    "stop": lambda it: it.bench.act("set", "stop"),
    "push": Door.push,
    "at closed": lambda it: it.drive(AT_CLOSED, closed=True),
    "left closed": lambda it: it.drive(AT_CLOSED, closed=False),
    "at open": lambda it: it.drive(AT_OPEN, closed=True),
    "left open": lambda it: it.drive(AT_OPEN, closed=False),
    "obstructed": lambda it: it.drive(BEAM, closed=False),
}
R = "refused"
# What each event makes of each state, once dead time and warning have passed; `refused` leaves it as it is.
TABLE = {
    #                open       close      stop       push       at closed  left closed at open    left open  obstructed
    "closed":       ("opening", "closed",  "closed",  "opening", "closed",  "stopped", "unknown", "closed",  "closed"),
    "opening":      ("opening", "closing", "stopped", "stopped", "unknown", "opening", "open",    "opening", "opening"),
    "open":         ("open",    "closing", "open",    "closing", "unknown", "open",    "open",    "stopped", "open"),
    "closing":      ("opening", "closing", "stopped", "stopped", "closed",  "closing", "unknown", "closing", "stopped"),
    "stopped":      ("opening", "closing", "stopped", "closing", "closed",  "stopped", "open",    "stopped", "stopped"),
    "warned":       ("open",    "closing", "open",    "open",    "unknown", "closing", "closing", "closing", "open"),
    "contradicted": (R,         R,         "unknown", "unknown", "unknown", "open",    "unknown", "closed",  "unknown"),
}  # fmt: skip
CASES = [(state, event) for state in TABLE for event in EVENTS]


@pytest.mark.parametrize(("state", "event"), CASES)
def test_what_each_event_makes_of_each_state(state: str, event: str) -> None:
    wanted = dict(zip(EVENTS, TABLE[state], strict=True))[event]
    with door(**UNSEEN) as it:
        STATES[state](it)
        if wanted == R:
            before = it.state
            with pytest.raises(Refused):
                EVENTS[event](it)
            wanted = before
        else:
            EVENTS[event](it)
        it.settle()
        assert it.state == wanted
        assert it.relays == (wanted == "opening", wanted == "closing")


# Relays.


def test_a_turn_waits_for_the_dead_time_and_so_does_the_first_move_after_a_start() -> None:
    with door(**ENDS, type="shutter") as it:
        assert it.relays == (False, False)
        opening(it)
        for word, then in (("close", "closing"), ("open", "opening"), ("stop", "stopped"), ("open", "opening")):
            it.bench.act("set", word)
            assert True not in it.relays or it.state == then
            it.settle()
            assert it.state == then
        assert it.history.switched_on == [OPENS, CLOSES, OPENS, OPENS]


@pytest.mark.parametrize("active_high", [True, False])
def test_relays_rest_at_the_end_and_in_between(active_high: bool) -> None:
    with door(type="shutter", active_high=active_high) as it:
        rest = float(not active_high)
        assert (it.bench.level(OPENS), it.bench.level(CLOSES)) == (rest, rest)
        it.bench.act("set", "open")
        it.settle()
        assert (it.bench.level(OPENS), it.bench.level(CLOSES)) == (1 - rest, rest)
        it.bench.act("set", "stop")
        assert (it.bench.level(OPENS), it.bench.level(CLOSES)) == (rest, rest)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_told_and_happens_never_both_relays_are_on(seed: int) -> None:
    chance = random.Random(seed)
    with door(type="shutter", **SEEN, opening_s=1.0, longest_s=3.0) as it:
        for _ in range(60):
            event = chance.choice([*EVENTS, "clear", "position", "time"])
            try:
                if event == "position":
                    it.bench.act("set", chance.randrange(101))
                elif event == "clear":
                    it.drive(BEAM, closed=True)
                elif event == "time":
                    it.settle()
                else:
                    EVENTS[event](it)
            except Refused:
                continue
            assert it.relays != (True, True)
            assert True not in it.relays or it.state in ("opening", "closing")


# Times.


def test_a_motor_is_driven_for_so_long_and_then_its_contact_is_a_fault() -> None:
    with door(**ENDS, longest_s=0.3) as it:
        it.bench.act("set", "open")
        it.await_state("opening")
        it.drive(AT_CLOSED, closed=False)
        it.await_state("unknown")
        assert it.relays == (False, False)
        assert it.cover.ends.problem == "the contact of the open end did not close within 0.3 s"
        it.drive(AT_OPEN, closed=True)
        assert (it.state, str(it.cover.ends.problem)) == ("open", "None")


def test_commands_that_come_again_and_again_give_a_motor_no_more_time() -> None:
    with door(**ENDS, longest_s=0.5) as it:
        it.bench.act("set", "open")
        it.await_state("opening")
        it.drive(AT_CLOSED, closed=False)
        times = iter(range(20))

        def off_while_it_is_told_again() -> bool:
            if next(times, None) is not None:
                it.bench.act("set", "open")
            it.cover.after(0.01, lambda: None)  # so that the next turn comes soon
            return it.relays == (False, False)

        it.bench.until(off_while_it_is_told_again)
        levels = [(at, on) for at, line, on in it.history.levels() if line == OPENS]
        (began, _), (ended, _) = levels[-2:]
        assert ended - began >= 0.5e9


def test_a_contact_that_stays_closed_is_stuck_and_a_fault() -> None:
    with door(**ENDS, leave_s=0.2) as it:
        it.bench.act("set", "open")
        it.await_state("unknown")
        assert it.relays == (False, False)
        why = it.cover.ends.problem
        assert why is not None
        assert why.startswith("the contact of the closed end was still closed after 0.2 s of opening: it is stuck, or")
        it.drive(AT_CLOSED, closed=False)
        assert (it.state, str(it.cover.ends.problem)) == ("stopped", "None")


def test_relays_that_are_exchanged_are_noticed() -> None:
    with door(closed=False, **ENDS) as it:
        it.bench.act("set", "open")
        it.await_state("opening")
        it.drive(AT_CLOSED, closed=True)
        assert (it.state, it.relays) == ("unknown", (False, False))
        assert it.cover.ends.problem == (
            "the contact of the closed end closed while it was opening: perhaps the relays are exchanged"
        )


# Positions.


def test_nobody_knows_the_position_before_it_was_at_an_end() -> None:
    with door(closed=False, type="shutter", opening_s=1.0, closing_s=0.5) as it:
        assert (it.state, "position" in it.bench.read()) == ("unknown", False)
        with pytest.raises(Refused, match="nobody knows its position yet"):
            it.bench.act("set", 50)
        it.bench.act("set", "close")
        it.await_state("closing")
        assert "position" not in it.bench.read()
        it.await_state("closed")
        assert it.bench.read()["position"] == 0
        it.bench.act("set", 50)
        it.await_state("opening")
        it.await_state("stopped")
        assert it.bench.read()["position"] == 50
        assert it.bench.readings[-2]["position"] == pytest.approx(50, abs=1)


def test_a_way_takes_the_time_that_it_takes() -> None:
    with door(type="shutter", **ENDS, opening_s=1.0, closing_s=0.5) as it:
        assert it.bench.read()["position"] == 0
        it.bench.act("set", 40)
        it.await_state("opening")
        it.drive(AT_CLOSED, closed=False)
        it.await_state("stopped")
        it.bench.act("set", 20)
        it.await_state("closing")
        it.await_state("stopped")
        levels = it.history.levels()
        spans = {line: max(at for at, one, _ in levels if one == line) for line in (OPENS, CLOSES)}
        began = {line: min(at for at, one, on in levels if one == line and on) for line in (OPENS, CLOSES)}
        assert spans[OPENS] - began[OPENS] >= 0.4e9
        assert spans[CLOSES] - began[CLOSES] >= 0.1e9 * 0.99
        assert it.bench.read()["position"] == 20


def test_a_contact_knows_better_than_the_time() -> None:
    with door(type="shutter", **ENDS, opening_s=1.0) as it:
        it.bench.act("set", 10)
        it.await_state("opening")
        it.await_state("closed")
        assert it.bench.read()["position"] == 0


def test_a_cover_that_somebody_moves_by_hand_has_no_position() -> None:
    with door(type="shutter", **ENDS, opening_s=1.0) as it:
        it.drive(AT_CLOSED, closed=False)
        assert (it.state, "position" in it.bench.read()) == ("stopped", False)
        assert it.cover.excuses("position")
        it.drive(AT_OPEN, closed=True)
        assert (it.state, it.bench.read()["position"]) == ("open", 100)


# Who may close it.


def test_a_door_is_not_closed_by_a_command_unless_its_owner_has_said_so() -> None:
    with door(**SEEN, opening_s=1.0) as it:
        assert it.cover.commands["set"].words == ("open", "stop")
        open_(it)
        for value in ("close", 0, 50, "press"):
            with pytest.raises(Refused):
                it.bench.act("set", value)
        assert it.relays == (False, False)


MISSING = {
    "type": "sectional",
    "closed_contact": "'closed_contact'",
    "warning": "'warning', the line of light and sound",
    "warn_s": "'warn_s' of at least 5",
    "stops_itself": "'stops_itself'",
}


@pytest.mark.parametrize("less", [[name] for name in MISSING] + [[*MISSING]])
def test_what_a_remote_close_lacks_is_told_at_once(less: list[str]) -> None:
    without = {"type": "gate", "closed_contact": None, "warning": None, "warn_s": 4.9, "stops_itself": False}
    settings = {"type": "sectional", **RELAYS, **UNSEEN, **{name: without[name] for name in less}}
    with pytest.raises(Wrong) as error:
        Cover(**settings)
    assert [*error.value.reasons] == ["remote_close"]
    told = error.value.reasons["remote_close"]
    assert [name for name in MISSING if MISSING[name] in told] == less


def test_light_and_sound_warn_before_it_closes_and_until_it_is_closed() -> None:
    with door(**UNSEEN) as it:
        open_(it)
        it.history.levels()
        it.bench.act("set", "close")
        assert (it.bench.level(LIGHT), it.relays, it.bench.read()["warning_on"]) == (1, (False, False), True)
        it.await_state("closing")
        assert it.bench.level(LIGHT) == 1
        it.drive(AT_OPEN, closed=False)
        it.drive(AT_CLOSED, closed=True)
        assert (it.state, it.bench.level(LIGHT)) == ("closed", 0)


def test_after_an_obstruction_somebody_has_to_close_it() -> None:
    with door(**UNSEEN) as it:
        closing(it)
        it.drive(BEAM, closed=False)
        assert (it.state, it.relays, it.bench.level(LIGHT)) == ("stopped", (False, False), 0)
        assert (it.bench.read()["obstructed"], it.bench.read()["needs_person"]) == (True, True)
        with pytest.raises(Refused, match="it is obstructed"):
            it.bench.act("set", "close")
        it.push()  # opens it, for the button does the other way than last
        it.await_state("opening")
        it.drive(BEAM, closed=True)
        it.drive(AT_OPEN, closed=True)
        with pytest.raises(Refused, match="somebody who sees it must close it once"):
            it.bench.act("set", "close")
        it.push()
        it.await_state("closing")
        it.drive(AT_OPEN, closed=False)
        it.drive(AT_CLOSED, closed=True)
        assert (it.state, it.bench.read()["needs_person"]) == ("closed", False)
        closing(it)


def test_a_closing_that_does_not_end_needs_somebody() -> None:
    with door(**UNSEEN, longest_s=0.3) as it:
        it.cover.longest_s = 60.0
        open_(it)
        it.cover.longest_s = 0.3
        it.bench.act("set", "close")
        it.await_state("closing")
        it.await_state("unknown")
        assert it.bench.read()["needs_person"] is True


def test_that_somebody_is_needed_survives_a_restart_and_so_does_a_closing_that_was_cut(tmp_path: Path) -> None:
    with door(tmp_path, **UNSEEN) as it:
        closing(it)
    with door(tmp_path, closed=False, **UNSEEN) as it:
        assert it.bench.read()["needs_person"] is True
        with pytest.raises(Refused, match="somebody who sees it must close it once"):
            it.bench.act("set", "close")
    with door(tmp_path, closed=False, **UNSEEN) as it:
        assert it.bench.read()["needs_person"] is True
        it.drive(AT_CLOSED, closed=True)  # by hand
        assert it.bench.read()["needs_person"] is False
    with door(tmp_path, closed=False, **UNSEEN) as it:
        assert it.bench.read()["needs_person"] is False


def test_somebody_beside_it_closes_it_without_a_warning_and_not_onto_something() -> None:
    with door(**SEEN) as it:
        open_(it)
        it.drive(BEAM, closed=False)
        it.push()
        assert (it.state, it.relays) == ("open", (False, False))
        it.drive(BEAM, closed=True)
        it.push()
        it.await_state("closing")
        it.drive(BEAM, closed=False)
        assert (it.state, it.relays) == ("open", (False, False))


@pytest.mark.parametrize(("settings", "once"), [(UNSEEN, ("open", "close")), ({"type": "shutter"}, ())])
def test_what_lets_in_or_may_hurt_is_carried_out_once(settings: dict[str, Any], once: tuple[str, ...]) -> None:
    taken = Cover(**{"type": "sectional", **RELAYS, **settings, "opening_s": 1.0}).commands["set"]
    assert (taken.words, taken.once, taken.high) == (("open", "close", "stop"), once, 100)
    assert not taken.only_once("stop")
    assert taken.only_once(50) == bool(once)


def test_it_is_to_home_assistant_what_its_owner_says() -> None:
    for kind, shown in (("sectional", "garage"), ("gate", "gate"), ("shutter", "shutter"), ("awning", "awning")):
        assert Cover(**{**RELAYS, "type": kind}).shown_as["state"] == shown


def test_a_shutter_is_closed_by_a_command_and_opens_again_after_an_obstruction() -> None:
    with door(type="shutter", **SEEN) as it:
        closing(it)
        it.drive(BEAM, closed=False)
        assert it.state == "stopped"
        with pytest.raises(Refused, match="it is obstructed"):
            it.bench.act("set", "close")
        it.drive(BEAM, closed=True)
        it.bench.act("set", "close")
        it.await_state("closing")


@pytest.mark.parametrize("obstructed_when", ["open", "closed"])
def test_an_obstruction_counts_at_once_however_short_it_is(obstructed_when: str) -> None:
    free, blocked = obstructed_when == "open", obstructed_when != "open"  # whether its contact is closed
    with door(**{**UNSEEN, "obstructed_when": obstructed_when}, beam=free) as it:
        closing(it)
        it.cover.bounce_s = LONG  # from now on it is never free long enough
        count = len(it.bench.readings)
        for closed in (blocked, free, blocked, free):
            it.bench.drive(BEAM, high=not closed)
        it.bench.until(lambda: it.cover.waits_for("free"))
        assert (it.state, it.relays, it.bench.read()["needs_person"]) == ("stopped", (False, False), True)
        with pytest.raises(Refused, match="it is obstructed"):
            it.bench.act("set", "close")
        told = [one["obstructed"] for one in it.bench.readings[count:]]
        assert told[0] is True
        assert False not in told
        it.cover.bounce_s = 0.05
        it.bench.drive(BEAM, high=not blocked)
        it.bench.drive(BEAM, high=not free)
        it.bench.until(lambda: it.bench.readings[-1]["obstructed"] is False)


def test_nothing_moves_onto_an_end_where_somebody_has_brought_it_meanwhile() -> None:
    with door(**UNSEEN) as it:
        about_to_close(it)
        it.drive(AT_OPEN, closed=False)
        it.drive(AT_CLOSED, closed=True)
        it.settle()
        assert (it.state, it.relays, it.bench.level(LIGHT)) == ("closed", (False, False), 0)
        assert it.history.switched_on == [OPENS]


def test_a_door_of_which_nothing_is_kept_needs_somebody_unless_it_is_closed(tmp_path: Path) -> None:
    with door(tmp_path, closed=False, **UNSEEN) as it:
        assert it.bench.read()["needs_person"] is True
    with door(tmp_path, **UNSEEN) as it:
        assert it.bench.read()["needs_person"] is False
    (kept,) = tmp_path.rglob("kept.json")
    kept.write_text("{")
    with door(tmp_path, closed=False, **UNSEEN) as it:
        assert it.bench.read()["needs_person"] is True


def test_a_door_that_needs_somebody_still_does_after_its_owner_has_tried_another_setting(tmp_path: Path) -> None:
    with door(tmp_path, **UNSEEN) as it:
        closing(it)
    with door(tmp_path, closed=False, **SEEN) as it:
        assert it.state == "stopped"
    with door(tmp_path, closed=False, **UNSEEN) as it:
        assert it.bench.read()["needs_person"] is True


# An opener with one button.


@contextmanager
def opener(**settings: Any) -> Iterator[Door]:
    with door(opens=None, closes=None, button=BUTTON, pulse_s=0.05, **{**SEEN, **settings}) as it:
        yield it


def released(it: Door) -> None:
    it.bench.until(lambda: it.bench.level(BUTTON) == 0)


def test_a_push_opens_what_is_closed_and_nothing_else() -> None:
    with opener() as it:
        taken = it.cover.commands["set"]
        assert ([*taken.words], taken.control, {*it.cover.measures}) == (["press"], "cover", {"state", "obstructed"})
        it.bench.act("set", "press")
        assert it.bench.level(BUTTON) == 1
        with pytest.raises(Refused, match="it was pressed a moment ago"):
            it.bench.act("set", "press")
        released(it)
        with pytest.raises(Refused, match="it was pressed a moment ago"):
            it.bench.act("set", "press")
        for line, closed, state in ((AT_CLOSED, False, "opening"), (AT_OPEN, True, "open")):
            it.drive(line, closed=closed)
            assert it.state == state
            with pytest.raises(Refused, match="a push may close it"):
                it.bench.act("set", "press")
        it.push()
        assert it.bench.level(BUTTON) == 1
        released(it)
        for line, closed, state in ((AT_OPEN, False, "closing"), (AT_CLOSED, True, "closed")):
            it.drive(line, closed=closed)
            assert it.state == state
        for word in ("close", "open", "stop", 50):
            with pytest.raises(Refused):
                it.bench.act("set", word)


def test_a_push_that_may_close_warns_before_and_what_comes_of_it_is_watched() -> None:
    with opener(**UNSEEN) as it:
        it.drive(AT_CLOSED, closed=False)
        it.drive(AT_OPEN, closed=True)
        it.bench.act("set", "press")
        assert (it.bench.level(LIGHT), it.bench.level(BUTTON)) == (1, 0)
        it.bench.act("set", "press")  # another one calls it off
        assert (it.bench.level(LIGHT), it.cover.waits_for("begin")) == (0, False)
        it.bench.act("set", "press")
        it.bench.until(lambda: it.bench.level(BUTTON) == 1)
        released(it)
        it.drive(AT_OPEN, closed=False)
        assert it.bench.level(LIGHT) == 1
        it.drive(AT_OPEN, closed=True)  # it has turned back
        assert (it.bench.level(LIGHT), it.bench.read()["needs_person"]) == (0, True)
        with pytest.raises(Refused, match="somebody who sees it must close it once"):
            it.bench.act("set", "press")
        it.push()
        it.drive(AT_OPEN, closed=False)
        it.drive(AT_CLOSED, closed=True)
        assert it.bench.read()["needs_person"] is False


def test_an_opener_that_does_nothing_is_a_fault() -> None:
    with opener(leave_s=0.1) as it:
        it.bench.act("set", "press")
        it.await_state("unknown")
        assert "it is stuck, or the opener does nothing" in str(it.cover.ends.problem)


def test_a_closed_contact_that_cannot_be_true_lets_no_push_close_the_door(tmp_path: Path) -> None:
    """The first push may have opened it, with a contact that is stuck: the next one would close it."""
    for settings in ({**ENDS, "leave_s": 0.1}, {**ENDS, "leave_s": 0.1}):  # the same after a restart
        with door(tmp_path, opens=None, closes=None, button=BUTTON, pulse_s=0.05, **settings) as it:
            if it.state == "closed":
                it.bench.act("set", "press")
                it.await_state("unknown")
                released(it)
            with pytest.raises(Refused, match="it is stuck, or the opener does nothing"):
                it.bench.act("set", "press")
            assert it.bench.level(BUTTON) == 0
    with door(tmp_path, opens=None, closes=None, button=BUTTON, pulse_s=0.05, local=LOCAL, **ENDS) as it:
        assert it.state == "unknown"
        it.push()
        released(it)
        it.drive(AT_CLOSED, closed=False)
        assert it.state == "opening"
        it.drive(AT_CLOSED, closed=True)
        assert it.state == "closed"
        it.bench.act("set", "press")
        assert it.bench.level(BUTTON) == 1


def test_after_a_contradiction_of_its_ends_a_push_waits_for_the_closed_contact() -> None:
    with opener() as it:
        it.drive(AT_OPEN, closed=True)
        it.drive(AT_OPEN, closed=False)
        assert it.state == "unknown"
        with pytest.raises(Refused, match="the contacts of both ends are closed at once"):
            it.bench.act("set", "press")
        it.drive(AT_CLOSED, closed=False)
        it.drive(AT_CLOSED, closed=True)
        it.bench.act("set", "press")
        assert it.bench.level(BUTTON) == 1


@pytest.mark.parametrize("kind", ["shutter", "awning"])
def test_a_shutter_with_one_button_is_closed_by_a_command_but_not_onto_something(kind: str) -> None:
    with opener(type=kind) as it:
        it.drive(AT_CLOSED, closed=False)
        it.drive(AT_OPEN, closed=True)
        it.drive(BEAM, closed=False)
        with pytest.raises(Refused, match="it is obstructed"):
            it.bench.act("set", "press")
        it.drive(BEAM, closed=True)
        it.bench.act("set", "press")
        it.bench.until(lambda: it.bench.level(BUTTON) == 1)


def test_what_closes_during_the_warning_is_not_opened_again_by_the_push() -> None:
    with opener(**UNSEEN) as it:
        it.drive(AT_CLOSED, closed=False)
        it.drive(AT_OPEN, closed=True)
        it.bench.act("set", "press")
        it.drive(AT_OPEN, closed=False)  # somebody closes it with the opener's own button
        assert (it.cover.waits_for("begin"), it.bench.level(LIGHT)) == (False, 0)
        it.drive(AT_CLOSED, closed=True)
        assert (it.state, it.bench.level(BUTTON)) == ("closed", 0)


def test_light_and_sound_go_on_while_it_closes_though_another_push_is_called_off() -> None:
    with opener(**UNSEEN) as it:
        it.drive(AT_CLOSED, closed=False)
        it.drive(AT_OPEN, closed=True)
        it.bench.act("set", "press")
        it.bench.until(lambda: it.bench.level(BUTTON) == 1)
        released(it)
        it.cover.warn_s = LONG
        it.bench.act("set", "press")
        it.drive(AT_OPEN, closed=False)
        assert (it.state, it.cover.waits_for("begin"), it.bench.level(LIGHT)) == ("closing", False, 1)
        it.drive(AT_CLOSED, closed=True)
        assert (it.state, it.bench.level(LIGHT)) == ("closed", 0)


def test_a_push_that_waits_is_called_off_when_the_one_before_has_not_closed_it() -> None:
    with opener(**UNSEEN) as it:
        it.drive(AT_CLOSED, closed=False)
        it.cover.longest_s = 0.3
        it.bench.act("set", "press")
        it.bench.until(lambda: it.bench.level(BUTTON) == 1)
        released(it)
        it.cover.warn_s = LONG
        it.bench.act("set", "press")
        it.bench.until(lambda: it.bench.read()["needs_person"])
        assert (it.cover.waits_for("begin"), it.bench.level(LIGHT), it.bench.level(BUTTON)) == (False, 0, 0)


@pytest.mark.parametrize(
    ("settings", "name", "why"),
    [
        ({}, "closes", "'opens' and 'closes' are the lines of two relays"),
        ({"opens": OPENS}, "closes", "'opens' and 'closes' are the lines of two relays"),
        ({"button": BUTTON}, "button", "'button' also needs 'closed_contact'"),
        ({"button": BUTTON, "opens": OPENS, "closed_contact": 5}, "button", "'button' is in place of"),
        ({"button": BUTTON, "closed_contact": 5, "closing_s": 9.0}, "closing_s", "'closing_s' is for two relays"),
        ({**RELAYS, "opening_s": 60.0}, "longest_s", "'longest_s' must be at least 66.5"),
        ({**RELAYS, "type": "awning", "remote_close": True}, "remote_close", 'a command may close a type = "awning"'),
    ],
)
def test_what_does_not_go_together_is_told(settings: dict[str, Any], name: str, why: str) -> None:
    with pytest.raises(Wrong) as error:
        Cover(**{"type": "sectional", **settings})
    assert why in error.value.reasons[name]


@pytest.mark.parametrize("moves", [False, True])
def test_a_contact_that_chatters_is_not_believed_and_stops_the_motor(moves: bool) -> None:
    with door(**UNSEEN, type="sectional") as it:
        assert it.state == "closed"
        if moves:
            it.bench.act("set", "open")
            it.await_state("opening")
        for _ in range(CHATTER // 2):
            it.drive(AT_CLOSED, closed=False)
            it.drive(AT_CLOSED, closed=True)
        assert (it.state, it.relays) == ("unknown", (False, False))
        assert it.cover.ends.problem == "the contact of the closed end has changed 6 times within 10 s: it is loose"
        it.cover.guard.needs_person = True
        it.drive(AT_CLOSED, closed=False)
        it.drive(AT_CLOSED, closed=True)  # which proves nothing
        assert it.cover.guard.needs_person
        it.bench.act("set", "open")
        it.await_state("opening")
