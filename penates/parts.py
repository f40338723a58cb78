"""Which kind serves a part that somebody has on the desk, by the number printed on it."""

from collections.abc import Iterator
from dataclasses import dataclass

from bootstrap.config import kinds
from bootstrap.config.kinds import KindError

# Parts that no kind reads, each with the kind that measures the same, and why.
SAMPLES = "it needs thousands of samples a second without a gap, which a process on a Pi cannot promise"
ELSEWHERE = {"SCT-013": ("pzem", SAMPLES), "YHDC": ("pzem", SAMPLES), "ZMPT101B": ("pzem", SAMPLES)}

# What people call a kind, where its name is another.
OTHER_WORDS = {
    "electricity": ("meter", "smartmeter", "pzem", "modbus"),
    "encoder": ("knob",),
    "pulses": ("meter",),
    "rain": ("rain_gauge",),
    "rotary": ("knob",),
    "water": ("meter",),
    "wind": ("anemometer", "wind_vane"),
}


@dataclass(frozen=True)
class Served:
    """A part, the kind that serves it, and how that was proven (see bootstrap/proof.py)."""

    part: str
    kind: str
    proof: str


def parts() -> Iterator[Served]:
    """Yield the parts of all kinds that come with penates, without those of a kind that cannot be loaded."""
    for kind in kinds.names():
        try:
            found = kinds.find(kind, None)
        except KindError:
            continue
        yield from (Served(part, kind, proof) for part, proof in found.parts.items())


def serving(word: str) -> list[Served]:
    """Return who serves a part; case, spaces and hyphens do not matter."""
    return [one for one in parts() if plain(one.part) == plain(word)]


def elsewhere(word: str) -> tuple[str, str] | None:
    """Return what to say of a part that no kind reads, and the kind to use in its place; None if it is not known."""
    for part, (kind, why) in ELSEWHERE.items():
        if plain(part) == plain(word):
            return f"{part} is not read: {why}. Use the kind {kind}, whose part measures the same", kind
    return None


def kinds_for(word: str) -> list[str]:
    """Return the kinds that a word means: a kind itself, those that serve this part, or a kind said otherwise.

    Raises:
        KindError: it is neither; the message says what is near.
    """
    if word in kinds.names() or _is_class(word) or word in kinds.packaged():
        return [word]
    if found := [one.kind for one in serving(word)]:
        return found
    if found := [kind for kind in kinds.names() if plain(kind) == plain(word)] or [*OTHER_WORDS.get(plain(word), ())]:
        return found
    if near := [f"{one.part} ({one.kind})" for one in parts() if plain(one.part).startswith(plain(word) or "?")]:
        raise KindError(f"no kind or part {word!r}; these parts begin so: {', '.join(near)}")
    return [word]  # whoever loads it says why not


def kind_for(word: str) -> str:
    """Return the one kind that a word means.

    Raises:
        KindError: several kinds serve it, or another part has to be bought, or nothing begins so.
    """
    if known := elsewhere(word):
        raise KindError(known[0])
    found = kinds_for(word)
    if len(found) > 1:
        raise KindError(f"{word} is served by several kinds; name the one that you want: {', '.join(found)}")
    return found[0]


def _is_class(word: str) -> bool:
    """Return whether a word is written as a class of one's own, such as `mine.Rain`."""
    return "." in word and all(part.isidentifier() for part in word.split("."))


def plain(word: str) -> str:
    """Return a part's number without what people write differently: `hc-sr501` and `HC SR501` are one."""
    return "".join(letter for letter in word.casefold() if letter.isalnum())
