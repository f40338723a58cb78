"""What `penates doctor` finds: one thing each, with its verdict, and what to do where it is bad."""

from dataclasses import dataclass
from enum import StrEnum

SUDO = "run it with sudo"


class Verdict(StrEnum):
    """Good, bad, or not known: a check that could not be done is never good."""

    GOOD = "ok"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: what, in a word or two.
        text: what was found.
        advice: what to do about it; empty if it is good.
    """

    check: str
    verdict: Verdict
    text: str
    advice: str = ""


def good(check: str, text: str) -> Finding:
    """It is as it must be."""
    return Finding(check, Verdict.GOOD, text)


def bad(check: str, text: str, advice: str) -> Finding:
    """It is not."""
    return Finding(check, Verdict.BAD, text, advice)


def unknown(check: str, text: str, advice: str = "") -> Finding:
    """Nobody can say; the advice is how it could be known."""
    return Finding(check, Verdict.UNKNOWN, text, advice)
