"""Topic filters: which ones a recorder is told, and what its session at the broker is subscribed to."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from bootstrap.config import Id
from bootstrap.folders import rewrite

LONGEST = 65_535  # bytes, in MQTT
WILD = frozenset("+#")


def a_filter(text: str) -> None:
    """Raise ValueError, saying what is allowed, if it is none."""
    *before, last = text.split("/")
    whole = not any(WILD & {*level} and level != "+" for level in (*before, "" if last == "#" else last))
    if not whole or text.startswith("$share/") or not text.isprintable() or len(text.encode()) > LONGEST:
        raise ValueError("an MQTT topic filter, in which + is a whole level and # the last one")


Filter: TypeAlias = Annotated[str, a_filter]


def none_twice(filters: str | list[str]) -> None:
    """Raise ValueError if a message could be told twice, since it matches two of them."""
    for one, other in combinations([filters] if isinstance(filters, str) else filters, 2):
        if overlap(one.split("/"), other.split("/")):
            raise ValueError(f"without two that match the same topics, as {one!r} and {other!r} do")


def overlap(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether a topic can match both, given by their levels; `a/#` also matches `a`."""
    if not (one or other) or "#" in (*one[:1], *other[:1]):
        return True
    if not (one and other):
        return False
    return (one[0] == other[0] or "+" in (one[0], other[0])) and overlap(one[1:], other[1:])


@dataclass(kw_only=True)
class HeardSettings:
    """The settings of what is heard, as they stand in a recorder's file."""

    # The groups it records; "+" is all.
    groups: Annotated[list[Literal["+"] | Id], none_twice] = field(default_factory=lambda: ["+"])

    # A topic of others, such as "tele/+/SENSOR", or a list of them: + is any one level, # all that follow. Their
    # numbers, truth values, words and JSON objects of such are recorded, too, as of their arrival.
    foreign: Annotated[Filter | list[Filter], none_twice] | None = None

    # A name, such as "history", under which several recorders share the load: each gets a part of all that is said.
    # What one that is away should have got waits for it, and no other gets it.
    share: Id | None = None

    def filters(self, *wanted: str) -> list[str]:
        """Of all sensors these topics, each by its last two levels, and what is foreign."""
        shared = f"$share/{self.share}/" if self.share else ""
        return [shared + one for one in self.unshared(*wanted)]

    def unshared(self, *wanted: str) -> list[str]:
        """The same, as the topics that match them are: what a broker must allow."""
        foreign = [self.foreign] if isinstance(self.foreign, str) else self.foreign or []
        return [*self.of_each(*wanted), *foreign]

    def of_each(self, *wanted: str) -> list[str]:
        """Of all sensors these topics; never shared."""
        return [f"{group}/+/{last}" for group in self.groups for last in wanted]


class Session:
    """What a durable session at the broker is subscribed to: it outlives us, and the configuration it was made by."""

    def __init__(self, file: Path | None, wanted: Sequence[str]) -> None:
        """`file` remembers it from run to run; what cannot be written is not remembered."""
        self._file, self._wanted = file, [*wanted]

    def unwanted(self) -> list[str]:
        """What an earlier configuration wanted and this one does not; from now on it is subscribed to what we want."""
        before = self._remembered()
        self._remember([*before, *(one for one in self._wanted if one not in before)])
        return [one for one in before if one not in self._wanted]

    def renewed(self) -> None:
        """It is subscribed to nothing else any more."""
        self._remember(self._wanted)

    def _remembered(self) -> list[str]:
        with suppress(OSError, ValueError, RecursionError):
            found = json.loads(self._file.read_text(encoding="utf-8")) if self._file else []
            if isinstance(found, list):
                return [one for one in found if isinstance(one, str) and one]
        return []

    def _remember(self, filters: list[str]) -> None:
        if self._file and filters != self._remembered():
            with suppress(OSError):
                rewrite(self._file, json.dumps(filters))
