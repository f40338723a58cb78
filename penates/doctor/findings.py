"""The findings of `penates doctor`, each with a verdict and advice."""

from dataclasses import dataclass
from enum import StrEnum

SUDO = "run it with sudo"


class Verdict(StrEnum):
    """The result of a check. One that could not be done is unknown, never good."""

    GOOD = "ok"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        check: its name, one or two words.
        verdict: the result.
        text: what was found.
        advice: what to do about it; empty if it is good.
    """

    check: str
    verdict: Verdict
    text: str
    advice: str = ""


def good(check: str, text: str) -> Finding:
    """Return a finding that needs no action."""
    return Finding(check, Verdict.GOOD, text)


def bad(check: str, text: str, advice: str) -> Finding:
    """Return a finding that needs action."""
    return Finding(check, Verdict.BAD, text, advice)


def unknown(check: str, text: str, advice: str = "") -> Finding:
    """Return a finding that could not be determined; the advice is how it could be."""
    return Finding(check, Verdict.UNKNOWN, text, advice)
