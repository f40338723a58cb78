"""The base class of door locks."""

import time
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from bootstrap.contract.commands import seconds
from bootstrap.contract.payload import Json
from bootstrap.device import Device, Measure, Reading, Seconds, takes
from bootstrap.door_locks.bolt_contact import BoltContact
from bootstrap.door_locks.door_contacts import DoorContacts
from bootstrap.door_locks.drives import make_drive
from bootstrap.door_locks.last_done import OPEN, LastDone
from bootstrap.door_locks.lock_state import ALERTS, STATES, LockFacts
from bootstrap.errors import Refused
from bootstrap.limits import EXPLAINED, Limits
from bootstrap.needs import Input, Output
from bootstrap.pins.edge import Edge

Fail: TypeAlias = Literal["secure", "safe"]

LOCK, UNLOCK = ("lock", "locked"), ("unlock", "unlocked")
STABLE_S = 0.5  # for which the bolt must be thrown before it counts as locked
SETTLE_S = 1.0  # from the closing of the door to the locking
WRITE_S = 1.0  # least time between two writes to the disk, so that a power cut costs nothing of what is known
LONGEST_BY = 60  # characters of a name
WHICH_FAIL = (
    'what the door is without power: "secure" is locked, as a fail-secure strike or a motor is; "safe" is unlocked, as '
    "a magnet or a fail-safe strike is. It is so whenever the sensor does not run"
)
NO_SAFE_MOTOR = (
    "a motor stays where it is without power, so it cannot fail safe: set fail = \"secure\", or leave out 'lock_pin'"
)
HANDS, START = "somebody's hand", "the start of the sensor"
CLOSED, TIME = "the closing of the door", "the time that has passed"
PROBLEM = "bolt contact"


@dataclass(kw_only=True)
class LockingDoor(Device):
    """A lock that is unlocked for a while only, tells what its bolt does, and never unlocks by itself."""

    pin: Output  # the strike or magnet; of a motor, the direction that unlocks
    lock_pin: Output | None = None  # of a motor, the direction that locks, such as 26
    active_high: bool = True  # false for relay boards that switch on at 0
    fail: Fail = field(
        metadata={EXPLAINED: WHICH_FAIL}
    )  # what it is without power, such as "secure": locked; "safe": unlocked
    bolt: Input  # the contact that shows whether the bolt is thrown
    bolt_when: Literal["closed", "open"] = "closed"  # what that contact is while the bolt is thrown
    door: Input | None = None  # the contact that is closed while the door is, such as 13; with it, no open door locks
    unlock_s: Annotated[Seconds, Limits(0.5)] = 5.0  # seconds unlocked if a command does not say how many
    most_s: Annotated[Seconds, Limits(1)] = 300.0  # the most that a command may say; a strike has power no longer
    move_s: Annotated[float, Limits(0.1, 4)] = 3.0  # seconds that the bolt takes at most; a motor runs no longer
    bounce_s: Seconds = 0.05  # seconds a contact must be stable before a change counts

    state = Measure(str, words=STATES)
    alert = Measure(str, words=ALERTS)
    open = Measure(bool)
    last = Measure(dict)
    event = Measure(dict, event=True)

    def __post_init__(self) -> None:
        """Check what no single setting tells."""
        if self.lock_pin is not None and self.fail == "safe":
            raise ValueError(NO_SAFE_MOTOR)
        if self.unlock_s > self.most_s:
            raise ValueError(f"'unlock_s' must be at most 'most_s', which is {self.most_s:g}")
        if self.door is None:
            self.measures = {name: one for name, one in type(self).measures.items() if name != "open"}  # type: ignore[misc]

    def setup(self) -> None:
        """Own the lines, which have no power from the first moment, and watch the contacts."""
        lines, fail_safe = (self.pin, self.lock_pin), self.fail == "safe"
        self.drive = make_drive(self, *lines, active_high=self.active_high, fail_safe=fail_safe)
        closed = self.bolt_when == "closed"
        self.contacts = DoorContacts(self, self.bolt, self.door, thrown_when_closed=closed, bounce_s=self.bounce_s)
        self._doubt = self.keep("doubt", "", WRITE_S)
        self._last_done = LastDone(self.keep("last", {}))
        self.drive.go_on(unlocked=self._last_done.is_cut_short)
        self.belief = BoltContact(self._doubt.value)
        self._is_jammed = self._waits_for_door = self._was_told_how_long = False
        self._wants_unlocked = False
        self.after(0, self._start, name="start")

    def teardown(self) -> None:
        """Lock by the motor, if there is one: it would stay where it is."""
        if hasattr(self, "belief") and not self.contacts.is_open:
            self.drive.finish(lambda: self.contacts.is_thrown and not self.belief.doubt, self.move_s)

    stopping = teardown  # at the beginning of an end in order

    @property
    def _facts(self) -> LockFacts:
        return LockFacts(
            thrown=self.contacts.is_thrown,
            doubted=bool(self.belief.doubt),
            unlocked=self.drive.unlocked,
            moving=self.waits_for("moved"),
            jammed=self._is_jammed,
            open=self.contacts.is_open,
            waiting=self._waits_for_door,
        )

    def read(self) -> Reading:
        """Return what the lock is now, and what was done last."""
        opened = {} if self.door is None else {"open": self.contacts.is_open}
        last = {"last": self._last_done.value} if self._last_done.value else {}
        return {"state": self._facts.state, "alert": self._facts.alert, **opened, **last}

    # Commands.

    @takes(
        "lock", "unlock", "locked", "unlocked", sets="state", keys=("state", "for_s", "by"), once=UNLOCK, control="lock"
    )
    def act_set(self, value: Json) -> Reading:
        """Accept `lock`, `unlock`, or `{"state": "unlocked", "for_s": 10, "by": "Anna"}`."""
        given = value if isinstance(value, dict) else {"state": value}
        for_s, by = seconds(given.get("for_s")), _name(given.get("by"))
        if given["state"] in LOCK:
            if for_s is not None:
                raise Refused("only `unlock` takes 'for_s': it is locked until somebody unlocks it")
            return self._lock("lock", by)
        if for_s is not None and for_s > self.most_s:
            raise Refused(f"'for_s' must be at most {self.most_s:g}, which is 'most_s' in the sensor's file")
        return self._unlock(for_s, by)

    def _unlock(self, for_s: float | None, by: str | None) -> Reading:
        """Unlock, whatever the contacts say, and lock again later."""
        self._begin("unlock", by)
        self.cancel("door")
        self._wants_unlocked, self._was_told_how_long = True, for_s is not None
        self._is_jammed = self._waits_for_door = False
        self.belief.begin_unlocking()
        self.drive.turn(unlock=True)
        self.after(self.move_s, self._moved, name="moved")
        self.after(for_s or self.unlock_s, self._relock, name="relock")
        self.after(self.most_s, self._rest, name="rest")
        return self.read() if self.contacts.is_thrown or self.lock_pin is not None else self._moved()

    def _relock(self) -> Reading:
        return self._lock("relock", TIME)

    def _rest(self) -> Reading:
        """Take the power from a strike whose door stands open, so that its coil does not burn."""
        self.drive.rest()
        return self.read()

    def _lock(self, what: str, by: str | None) -> Reading:
        """Lock, or wait until the door is closed."""
        self._begin(what, by)
        self._wants_unlocked = self._is_jammed = False
        for name in ("relock", "moved", "door"):
            self.cancel(name)
        return self._wait_for_door() if self.contacts.is_open else self._throw()

    def _wait_for_door(self) -> Reading:
        """Alert: a bolt that is thrown while the door is open helps nobody."""
        self.drive.stop()
        self.cancel("moved")
        self._waits_for_door = True
        return self._end(OPEN)

    def _throw(self) -> Reading:
        """Lock. A motor that has unlocked runs for its whole time, whatever the contact shows before it has begun."""
        self._waits_for_door = self._is_jammed = False
        self.cancel("rest")
        must_run = self.lock_pin is not None and self.drive.unlocked
        self.drive.turn(unlock=False)
        proven = self.contacts.is_thrown and self.belief.has_followed and not must_run
        self.after(STABLE_S if proven else self.move_s, self._moved, name="moved")
        return self.read()

    # What happens.

    def _start(self) -> Reading:
        """Lock, which is what a strike without power is already; nothing is unlocked at a start."""
        self.context.set_problem(PROBLEM, self.belief.doubt or None)
        if self._last_done.value.get("what") == "unlock":
            self._begin("relock", START)
        if self.contacts.is_open:
            return self._wait_for_door()
        if self.lock_pin is None or self.drive.unlocked or self.belief.doubt or not self.contacts.is_thrown:
            return self._throw()
        self.after(STABLE_S, self._moved, name="moved")
        return self.read()

    def on_edge(self, edge: Edge) -> Reading | None:
        """Note what a contact shows."""
        if edge.source is self.contacts.bolt:
            return self._on_bolt()
        return self._on_open() if self.contacts.is_open else self._on_closed()

    def _on_bolt(self) -> Reading:
        """Note that the bolt has moved, or only its contact."""
        thrown, moving = self.contacts.is_thrown, self.waits_for("moved")
        self.belief.note_change(time.monotonic())
        self._tell_doubt()
        if self.drive.unlocked:
            return self._on_unlocking(thrown=thrown, moving=moving)
        if thrown:
            if not (moving or self._last_done.goes_on or self.belief.doubt):
                self._begin("lock", HANDS)
            self.drive.stop()
            self.after(STABLE_S, self._moved, name="moved")
        elif not moving and not self.belief.doubt:
            return self._on_hand()
        return self.read()

    def _on_unlocking(self, *, thrown: bool, moving: bool) -> Reading:
        """Take note that the contact follows. A motor runs on: its way only begins where the contact opens."""
        if moving and not thrown:
            self.belief.has_followed = True
            if self.lock_pin is None:
                return self._moved()
        return self.read()

    def _on_hand(self) -> Reading:
        """Note that somebody has used the key or the knob; a motor locks again after a while."""
        self._begin("unlock", HANDS)
        if self.lock_pin is not None:
            self.after(self.unlock_s, self._relock, name="relock")
        return self._end("unlocked")

    def _moved(self) -> Reading:
        """Judge a movement, which has ended or has taken too long."""
        self.cancel("moved")
        self.drive.stop()
        thrown = self.contacts.is_thrown
        if self.drive.unlocked:
            self.belief.end_unlocking(thrown=thrown)
        elif self.contacts.is_open and not thrown:
            return self._wait_for_door()
        else:
            self.belief.end_locking(thrown=thrown)
            self._is_jammed = not thrown
            if thrown and not self.belief.doubt:
                self.cancel("relock")  # of what a hand has unlocked, and locked again
        self._tell_doubt()
        return self._end(self._facts.state)

    def _on_open(self) -> Reading:
        """Take note that the door was opened: a bolt that is on its way stops, and one that is not waits."""
        self.cancel("door")
        if self._wants_unlocked:
            return self.read()
        if self.waits_for("moved") and self.lock_pin is not None:
            return self._wait_for_door()
        self.after(self.unlock_s, self._left_open, name="door")
        return self.read()

    def _left_open(self) -> Reading:
        self._waits_for_door = True
        return self.read()

    def _on_closed(self) -> Reading:
        """Lock soon, unless a command has said for how long it is unlocked."""
        self.cancel("door")
        if not (self._wants_unlocked and self._was_told_how_long):
            self.after(SETTLE_S, self._closed, name="door")
        return self.read()

    def _closed(self) -> Reading:
        """Lock, if it is not locked yet."""
        if self._last_done.waits_for_door:
            return self._throw()
        if self._wants_unlocked or self.drive.unlocked or not self.contacts.is_thrown:
            return self._lock("relock", CLOSED)
        self._waits_for_door = False
        return self.read()

    # What is told of it.

    def _begin(self, what: str, by: str | None) -> None:
        """Note what is done now, and tell how what was under way has ended."""
        self.cancel("start")
        if before := self._last_done.begin(what, by):
            self.after(0, lambda: {"event": before})

    def _end(self, how: str) -> Reading:
        """Note how what is done has ended, and tell that as an event."""
        ended = self._last_done.end(how)
        return {**self.read(), **({"event": ended} if ended else {})}

    def _tell_doubt(self) -> None:
        """Keep it over a restart, and show it as a fault."""
        if self.belief.doubt != self._doubt.value:
            self._doubt.value = self.belief.doubt
            self.context.set_problem(PROBLEM, self.belief.doubt or None)


def _name(by: Json) -> str | None:
    """Return who asks, as they say themselves; None if they do not. Refused: it is no name."""
    if by is None:
        return None
    if not isinstance(by, str) or not by.isprintable() or len(by) > LONGEST_BY:
        raise Refused(f"'by' must be a text of at most {LONGEST_BY} characters")
    return by
