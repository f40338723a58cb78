"""The little language of derived measures: a function of the closed list, with measures, a topic or a time.

call     = name "(" argument { "," argument } ")"
argument = measure | topic | time
time     = number ( "s" | "min" | "h" | "d" )
"""

import re
from collections.abc import Collection

from bootstrap.contract.heard import sender_of
from bootstrap.contract.topics import is_id
from bootstrap.filters.derived import Formula
from bootstrap.filters.formulas import FORMULAS
from bootstrap.limits import YEAR_S

CALL = re.compile(r"\s*(\w+)\s*\(([^()]*)\)\s*", re.ASCII)
TIME = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(s|min|h|d)", re.ASCII)
SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


def parse(text: object, measures: Collection[str]) -> Formula:
    """Return the formula in a text, of these measures.

    Raises:
        ValueError: it is none; the text says why, and what is allowed.
    """
    call = CALL.fullmatch(text) if isinstance(text, str) else None
    if call is None or call[1] not in FORMULAS:
        known = "; ".join(f"{name}({kind.takes})" for name, kind in FORMULAS.items())
        raise ValueError(f"one of {known}")
    kind, given = FORMULAS[call[1]], [one.strip() for one in call[2].split(",")]
    first, *rest = given
    if len(given) != len(kind.takes.split(", ")):
        raise ValueError(f"{call[1]}({kind.takes})")
    _check_measure(first, measures)
    canonical = f"{call[1]}({', '.join(given)})"
    if kind.takes.endswith("min"):
        return kind(canonical, (first,), window_s=_seconds(rest[0]))
    if kind.topics and "/" in rest[0]:
        _check_topic(rest[0])
        return kind(canonical, (first,), topic=rest[0])
    _check_measure(rest[0], measures)
    return kind(canonical, (first, rest[0]))


def _check_measure(name: str, measures: Collection[str]) -> None:
    if not is_id(name) or name not in measures:
        raise ValueError(f"of measures that this sensor has ({', '.join(measures)}), and {name!r} is none of them")


def _check_topic(topic: str) -> None:
    if sender_of(topic) is None or "+" in topic:
        raise ValueError(f"with a topic such as home/attic/data/temperature, and {topic!r} is none")


def _seconds(text: str) -> float:
    found = TIME.fullmatch(text)
    if not found or not 0 < (seconds := float(found[1]) * SECONDS[found[2]]) <= YEAR_S:
        raise ValueError(f"with a time such as 30s, 10min, 1h or 1d, of a year at most, and {text!r} is none")
    return seconds
