"""What is said of a lock: `locked` only where all that is known says so."""

from itertools import product

import pytest

from bootstrap.door_locks.lock_state import ALERTS, STATES, LockFacts

NAMES = ("doubted", "unlocked", "moving", "jammed", "open", "waiting")


@pytest.mark.parametrize(
    ("facts", "state", "alert"),
    [
        (LockFacts(thrown=True), "locked", "none"),
        (LockFacts(thrown=True, unlocked=True, moving=True), "unlocking", "none"),
        (LockFacts(thrown=False, unlocked=True, moving=True), "unlocking", "none"),
        (LockFacts(thrown=False, unlocked=True), "unlocked", "none"),
        (LockFacts(thrown=False), "unlocked", "none"),
        (LockFacts(thrown=False, moving=True), "locking", "none"),
        (LockFacts(thrown=True, moving=True), "locking", "none"),
        (LockFacts(thrown=False, jammed=True), "jammed", "jammed"),
        (LockFacts(thrown=True, unlocked=True), "unknown", "none"),
        (LockFacts(thrown=True, doubted=True), "unknown", "contact"),
        (LockFacts(thrown=False, doubted=True, unlocked=True), "unknown", "contact"),
        (LockFacts(thrown=True, open=True), "unknown", "none"),
        (LockFacts(thrown=False, unlocked=True, open=True, waiting=True), "unlocked", "door_open"),
        (LockFacts(thrown=False, doubted=True, open=True, waiting=True), "unknown", "door_open"),
    ],
)
def test_each_state(facts: LockFacts, state: str, alert: str) -> None:
    assert (facts.state, facts.alert) == (state, alert)


def test_nothing_else_is_locked() -> None:
    for thrown, *others in product((True, False), repeat=1 + len(NAMES)):
        given = dict(zip(NAMES, others, strict=True))
        facts = LockFacts(thrown=thrown, **given)
        assert facts.state in STATES
        assert facts.alert in ALERTS
        against = any(given[name] for name in ("doubted", "unlocked", "moving", "open"))
        assert (facts.state == "locked") == (thrown and not against)
