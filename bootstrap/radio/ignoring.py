"""Rules by which transmitters that are not ours are left out of the list of unknown ones."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, TypeAlias

from bootstrap.device import Value

MOST_WORDS = 3


def a_rule(text: str) -> None:
    """Raise ValueError, saying what is allowed, if `text` is no such rule."""
    if not 1 <= len(text.split()) <= MOST_WORDS:
        raise ValueError('a model, or model and id, or also the channel, each with * for anything: "Nexus-TH * 2"')


Rule: TypeAlias = Annotated[str, a_rule]


def ignored(key: Mapping[str, Value], rules: Iterable[str]) -> bool:
    """Return whether a rule is about this transmitter; what a rule does not name may be anything."""
    who = [str(key.get(name, "")) for name in ("model", "id", "channel")]
    return any(all(map(fnmatchcase, who, rule.split())) for rule in rules)
