"""Commands that must not be carried out twice, nor late: which have come, also to an earlier process of the sensor."""

import hashlib
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

from bootstrap.contract import timestamps
from bootstrap.contract.commands import NEEDS_EXPIRY, ActionCommand
from bootstrap.contract.payload import decode, encode
from bootstrap.contract.timestamps import MachineClock
from bootstrap.errors import Refused, reason
from bootstrap.eventloop.threads import Worker
from bootstrap.logs import log
from bootstrap.paths import read_own, rewrite

Noted: TypeAlias = Callable[[Callable[[], None], Callable[[str], None]], None]  # see `CarriedOut.note`

FILE = "carried_out.json"
SECOND_US = 1_000_000
MOST_AHEAD_S = 60  # by which `before` may be ahead: as late as a command can be carried out
MOST = 256  # commands whose `before` has not passed
UNSURE = "the clock of this machine is not set, so nobody can tell how old this is; try again when it has its time"
OVERTAKEN = "another command came before this one was noted on the disk; if it is still wanted, send it again"
SEEN = "this command has come before; a new one needs a new 'id', which `penates send` makes by itself"


class CarriedOut:
    """The commands of one sensor whose `before` has not passed yet, in a file of its folder.

    Each is noted on the disk before it is carried out, in the worker, because a disk may hang; if the disk takes
    nothing, the command is refused. Those whose `before` has passed are forgotten, and the latest of these times is
    kept: what is not later than that is refused, even after the clock was set back. So is, after a file that cannot be
    read, all that an earlier process may have seen.
    """

    def __init__(self, folder: Path, clock: MachineClock, worker: Worker, pump: Callable[[], None]) -> None:
        """Call `pump` when there may be something new to send."""
        self._file, self._clock, self._worker, self._pump = folder / FILE, clock, worker, pump
        self._until: dict[str, int] = {}  # when each that has come expires, in microseconds since 1970
        self._turn = 0  # of the last command that overtakes those that are being noted
        self._writes = 0  # that are under way
        self._damaged = False  # whether nobody has told yet what is too old after a file that cannot be read
        self._forgotten = 0  # the latest time of a command that is not in memory any more, in microseconds since 1970
        self._read()

    def _read(self) -> None:
        try:
            self._forgotten, self._until = _parsed(read_own(self._file))
        except FileNotFoundError:
            return
        except (OSError, Refused) as error:
            self._damaged = True
            self._distrust()
            what = "it is not known which commands were carried out: those of the next minute are refused"
            log.error(what, file=str(self._file), error=reason(error))

    def _distrust(self) -> None:
        """Refuse all that may have come before the file was found damaged, once there is a clock to tell that."""
        if self._damaged and not self._clock.unsure:
            self._damaged, self._forgotten = False, _now_us() + MOST_AHEAD_S * SECOND_US

    def overtake(self) -> None:
        """Do not carry out what is still being noted: a later command, or another device, has taken its place."""
        self._turn += 1

    def note(self, action: str, command: ActionCommand) -> Noted:
        """Note a command. What is returned writes it, and then calls its first argument, or the second with why not.

        Raises:
            Refused: it must not be carried out.
        """
        until = self._judged(command)
        if (key := _key(action, command, until)) not in self._until:
            self._until[key] = until
            return partial(self._write, self._turn, command)
        if self._writes:
            return self._refuse_later
        raise Refused(SEEN)

    def _judged(self, command: ActionCommand) -> int:
        """Return when a command expires that may be carried out, unless it has come before. Refused: it may not."""
        if not isinstance(command.before, str):
            raise Refused(NEEDS_EXPIRY)
        if self._clock.unsure:
            raise Refused(UNSURE)
        self._distrust()
        self._forget(_now_us())
        now, until = _now_us(), round(timestamps.parse(command.before).timestamp() * SECOND_US)
        if until > now + MOST_AHEAD_S * SECOND_US:
            raise Refused(f"'before' must be at most {MOST_AHEAD_S} s ahead, for this must not be done late")
        if until <= self._forgotten:
            raise Refused(self._too_old(now))
        if len(self._until) >= MOST:
            raise Refused(f"{MOST} such commands have come within {MOST_AHEAD_S} s; try again after that")
        return until

    def _too_old(self, now: int) -> str:
        """Return what to do about a command that is not later than what was forgotten."""
        if (wait_s := (self._forgotten - now) / SECOND_US) <= MOST_AHEAD_S:
            return f"perhaps it has come before, for this sensor knows no earlier ones; send it again in {wait_s:.0f} s"
        what = f"if it is right now, remove {self._file} and restart the sensor"
        return f"the clock was set back by more than {wait_s:.0f} s; {what}"

    def _forget(self, now: int) -> None:
        """Drop the commands that have expired."""
        expired = [until for until in self._until.values() if until <= now]
        self._forgotten = max([self._forgotten, *expired])
        self._until = {key: until for key, until in self._until.items() if until > now}

    def _refuse_later(self, _carry_out: Callable[[], None], refuse: Callable[[str], None]) -> None:
        """Refuse a command that has come before, after the answer to that."""
        self._in_turn(lambda: None, lambda _why: refuse(SEEN))

    def _write(
        self, turn: int, command: ActionCommand, carry_out: Callable[[], None], refuse: Callable[[str], None]
    ) -> None:
        """Write to the disk; then carry the command out, unless that is too late."""
        text = encode({"forgotten": self._forgotten, "until": self._until})

        def written(error: OSError | None) -> None:
            why = self._why_not(turn, command, error)
            carry_out() if why is None else refuse(why)

        self._in_turn(partial(rewrite, self._file, text, durable=True), written)

    def _why_not(self, turn: int, command: ActionCommand, error: OSError | None) -> str | None:
        """Return why a command is not carried out after it was noted, or after that has failed; None if it is."""
        if error is not None:
            return f"it cannot be noted that this was done, so it is not: {reason(error)}"
        try:
            command.check_expiry()
        except Refused as why:
            return str(why)
        return None if turn == self._turn else OVERTAKEN

    def _in_turn(self, work: Callable[[], None], then: Callable[[OSError | None], None]) -> None:
        """Do this after what was begun before, in the worker; then call `then`, with what has failed."""
        self._writes += 1

        def ended(error: BaseException | None) -> None:
            self._writes -= 1
            if error is not None and not isinstance(error, OSError):
                raise error
            then(error)
            self._pump()

        self._worker.call(work, ended, ended, str(self._file))


def _parsed(text: bytes) -> tuple[int, dict[str, int]]:
    """Return what a file tells. Raise Refused if it is damaged."""
    match decode(text):
        case {"forgotten": int(forgotten), "until": dict(found)}:
            until = {key: one for key, one in found.items() if isinstance(one, int)}
            if len(until) == len(found):
                return forgotten, until
    raise Refused("it is damaged")


def _now_us() -> int:
    return time.time_ns() // 1000


def _key(action: str, command: ActionCommand, until: int) -> str:
    """Return what is the same for a command that comes twice: its id; without one, all that it says."""
    identity = command.id
    if isinstance(identity, int | float) and not isinstance(identity, bool):
        identity = float(identity)
    named = isinstance(identity, str | float)
    what = ["id", identity] if named else ["all", until, command.value, command.id]
    return hashlib.sha256(json.dumps([action, what], sort_keys=True).encode()).hexdigest()[:32]
