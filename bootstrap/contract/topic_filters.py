"""MQTT topic filters: which are valid, and which match the same topics."""

from collections.abc import Sequence
from itertools import combinations
from typing import Annotated, TypeAlias

LONGEST = 65_535  # bytes, in MQTT
WILD = frozenset("+#")


def a_filter(text: str) -> None:
    """Raise ValueError, saying what is allowed, if `text` is not an MQTT topic filter."""
    *before, last = text.split("/")
    whole = not any(WILD & {*level} and level != "+" for level in (*before, "" if last == "#" else last))
    if not whole or text.startswith("$share/") or not text.isprintable() or len(text.encode()) > LONGEST:
        raise ValueError("an MQTT topic filter, in which + is a whole level and # the last one")


def sees_all(text: str) -> bool:
    """Return whether a filter names no level at all, such as `#`, `+/#` or `+/+/+/+`."""
    return {*text.split("/")} <= WILD


Filter: TypeAlias = Annotated[str, a_filter]


def none_twice(filters: str | list[str]) -> None:
    """Raise ValueError if a message could arrive twice because its topic matches two of `filters`."""
    for one, other in combinations([filters] if isinstance(filters, str) else filters, 2):
        if overlap(one.split("/"), other.split("/")):
            raise ValueError(f"free of overlapping filters such as {one!r} and {other!r}")


def overlap(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether a topic can match both filters, given by their levels; `a/#` also matches `a`."""
    if not (one or other) or "#" in (*one[:1], *other[:1]):
        return True
    if not (one and other):
        return False
    return (one[0] == other[0] or "+" in (one[0], other[0])) and overlap(one[1:], other[1:])


def covers(one: str, other: str) -> bool:
    """Return whether every topic that matches the filter `other`, which may be a topic itself, matches `one`, too."""
    wanted, given = one.split("/"), other.split("/")
    if other.startswith("$") and wanted[0] in WILD:
        return False
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index == len(given) or given[index] == "#" or level not in ("+", given[index]):
            return False
    return len(wanted) == len(given)


def without_covered(filters: Sequence[str]) -> list[str]:
    """Return the filters that no other one covers, each once, in order: what matches two would arrive twice."""
    once = [*dict.fromkeys(filters)]
    return [one for one in once if not any(covers(other, one) for other in once if other != one)]
