"""What others say of whether a device is there."""

import time
from collections.abc import Iterable, Mapping

from bootstrap.adapter.newness import number_of
from bootstrap.adapter.told_times import told_time
from bootstrap.answers.answer_value import AnswerValue
from bootstrap.contract.heard import SHOWN, Heard
from bootstrap.contract.payload import Json, as_text
from bootstrap.contract.topic_filters import WILD, covers


class ToldPresence:
    """Why a device is not there, by what is said of it, and of others that may be the same one under another name."""

    def __init__(self, there: Mapping[str, AnswerValue], moved: Mapping[str, str], time_at: str) -> None:
        """`there` are the lines that say it, `moved` the paths of a device's number, by their topics or filters.

        Where both match a topic, the number is this device's own. `time_at` is the path of the time in a payload.
        """
        self._there, self._moved, self._time_at = there, moved, time_at
        self._gone: dict[str, dict[str, str]] = {}  # by the line and the topic; empty if it is there
        self._number: Json = None
        self._numbered_at = 0.0
        self._elsewhere = ""

    def hear(self, heard: Heard) -> tuple[bool | None, bool]:
        """Take in a message, and return whether it says that the device is there, and whether that is news."""
        line = line_of(self._there, heard.topic)
        if filtered := line_of(self._moved, heard.topic):
            self._hear_number(self._moved[filtered], heard, own=bool(line))
        said = self._there[line].value(heard.value) if line else None
        if not isinstance(said, bool):
            return None, False
        word = as_text(self._there[line].found(heard.value))
        why = "" if said else f"{heard.topic} says {word[:SHOWN]}"
        before = self._gone.setdefault(line, {}).get(heard.topic)
        self._gone[line][heard.topic] = why
        return said, before != why

    def _hear_number(self, path: str, heard: Heard, *, own: bool) -> None:
        """Take notice of which device says something on a topic: the newest word of a number is where it is."""
        number, at = number_of(path, heard.value), told_time(self._time_at, heard.value, time.time()) or 0.0
        if own and number is not None:
            self._number, self._numbered_at = number, at
            self._elsewhere = ""
        elif number is not None and number == self._number and at > self._numbered_at:
            self._elsewhere = f"it is at {heard.topic} now"

    def forget(self, topic: str) -> None:
        """Have nothing count any more of what was said on a topic."""
        for said in self._gone.values():
            said.pop(topic, None)

    @property
    def reasons(self) -> list[str]:
        """Why it is not there: of a filter, all that it matches say so."""
        gone = [why for said in self._gone.values() if all(said.values()) for why in said.values()]
        return [*gone, *filter(None, [self._elsewhere])]


def line_of(lines: Iterable[str], topic: str) -> str:
    """Return the topic or the filter of the line that is about a topic; empty if none is."""
    if topic in lines or not any(WILD & {*one} for one in lines):
        return topic if topic in lines else ""
    return next((one for one in lines if covers(one, topic)), "")
