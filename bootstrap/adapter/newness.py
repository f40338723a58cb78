"""Which of what a device says is new: not a copy, not late, and not only repeated."""

from typing import Literal, NamedTuple, TypeAlias

from bootstrap.adapter.told_times import text_at
from bootstrap.contract.payload import Json
from bootstrap.device import Measure, Value

Verdict: TypeAlias = Literal["new", "known", "dropped"]
REPEAT_S = 2.0  # seconds within which an equal value is a copy: one event may be said on several topics


class SaidValue(NamedTuple):
    """A value as a device has said it.

    Attributes:
        value: the value.
        time: when it was true, as the payload says, in seconds since 1970; None if it does not say so.
        heard_at: when it was heard (monotonic, in seconds).
        number: the number of the message, which its copies have, too; None if it has none.
    """

    value: Value
    time: float | None
    heard_at: float
    number: Json = None


class Newness:
    """The last value of each measure of one device, and by that what is new."""

    def __init__(self) -> None:
        self._last: dict[str, SaidValue] = {}
        self.numbered = False  # whether a message with a number has been heard

    @property
    def values(self) -> dict[str, Value]:
        """The last value of each measure."""
        return {name: one.value for name, one in self._last.items()}

    def is_older(self, name: str, time: float | None) -> bool:
        """Return whether a time is earlier than that of the last value."""
        last = self._last.get(name)
        return last is not None and last.time is not None and time is not None and time < last.time

    def note(self, name: str, said: SaidValue) -> None:
        """Remember a value as the last one."""
        self._last[name] = said

    def judge(self, name: str, said: SaidValue, measure: Measure, *, cached: bool) -> Verdict:
        """Return what a value is, and remember it unless it is dropped; `cached` ones are new only if they differ.

        The first event of a cached message with a number may be as old as can be, so it is none.
        """
        last = self._last.get(name)
        if self.is_older(name, said.time):
            return "dropped"
        if last and _is_copy(last, said, measure):
            if said.time is not None:  # it was still so then: what is older than this comes too late
                self.note(name, last._replace(time=said.time))
            return "dropped"
        self.note(name, said)
        if not cached or measure.event:
            repeats = cached and said.number is not None and last is None and not self.numbered
            return "known" if repeats else "new"
        return "known" if last is None or last.value == said.value else "new"


def _is_copy(last: SaidValue, said: SaidValue, measure: Measure) -> bool:
    """Return whether a value is what was said before: in the same message, at the same time, or a moment ago.

    Events may follow closely.
    """
    if last.value != said.value:
        return False
    if (last.time is not None and last.time == said.time) or (last.number is not None and last.number == said.number):
        return True
    return not measure.event and said.heard_at - last.heard_at < REPEAT_S


def number_of(path: str, payload: Json) -> Json:
    """Return the number of a message, which is at this path; None if it has none."""
    try:
        return text_at(path).found(payload) if path else None
    except ValueError:
        return None
