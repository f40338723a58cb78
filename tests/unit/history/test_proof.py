"""A recorder is well if its own readings come back to it and are stored."""

import pytest

from bootstrap.contract.subscription import PublishedReading
from bootstrap.history.points import Point
from bootstrap.history.proof import AGAIN_S, PROOF_S, Proof


def own(seq: int, unacknowledged: int | None = 0) -> PublishedReading:
    return PublishedReading("r1", seq, unacknowledged)


def point(seq: int, sensor: str = "cm/recorder", run: str = "r1") -> Point:
    return Point(sensor, 1, run, seq, {"recorded": 1.0})


class Checked:
    """A proof, checked every second."""

    def __init__(self) -> None:
        self.proof, self.now = Proof("cm/recorder", own(0)), 1000.0

    def check(self, last: PublishedReading, seconds: float = 1, *, catching_up: bool = False) -> str | None:
        for _ in range(int(seconds)):
            self.now += 1
            self.proof.check(last, self.now, catching_up=catching_up)
        return self.proof.trouble


def test_it_is_complete_once_its_reading_is_stored_and_as_long_as_the_next_ones_are() -> None:
    checked = Checked()
    assert (checked.check(own(0), 1000), checked.proof.complete) == (None, False)
    for seq in (1, 2, 5):
        assert checked.check(own(seq), PROOF_S - 1) is None
        checked.proof.receive([point(seq)])
        checked.proof.store([point(seq)])
        assert checked.check(own(seq)) is None
        assert checked.proof.complete


@pytest.mark.parametrize(
    "others",
    [[], [point(9, run="r0")], [point(9, sensor="cm/attic")]],
)
def test_what_does_not_come_back_is_a_fault_until_it_does(others: list[Point]) -> None:
    checked = Checked()
    checked.check(own(0))
    checked.proof.store(others)
    why = checked.check(own(1), PROOF_S + 1)
    assert why
    assert "it may not read cm/recorder/data/reading" in why
    assert not checked.proof.complete
    checked.proof.store([point(4)])
    assert checked.check(own(4)) is None
    assert checked.proof.complete


def test_what_comes_back_and_is_not_stored_is_a_fault_of_the_store() -> None:
    checked = Checked()
    checked.check(own(0))
    checked.proof.receive([point(1)])
    assert "the store does not answer" in (checked.check(own(1), PROOF_S + 1) or "")


@pytest.mark.parametrize("unacknowledged", [None, 1, 5])
def test_what_the_broker_does_not_have_yet_is_not_missed(unacknowledged: int | None) -> None:
    checked = Checked()
    assert checked.check(own(1, unacknowledged), 1000) is None
    assert checked.check(own(3, 2), PROOF_S + 1)  # the oldest of three has arrived, and is wanted


def test_whoever_catches_up_stores_what_came_before() -> None:
    checked = Checked()
    assert checked.check(own(1), 1000, catching_up=True) is None
    assert checked.check(own(1), PROOF_S + 1)


def test_a_new_run_needs_a_proof_of_its_own() -> None:
    checked = Checked()
    checked.proof.store([point(7)])
    checked.check(own(7))
    assert checked.proof.complete
    checked.check(PublishedReading("r2", 1, 0))
    assert not checked.proof.complete
    checked.proof.store([point(2, run="r2")])
    checked.check(PublishedReading("r2", 2, 0))
    assert checked.proof.complete


def test_an_interruption_needs_another_reading_soon() -> None:
    checked = Checked()
    proof = checked.proof
    assert proof.wants_reading(checked.now)
    assert not proof.wants_reading(checked.now + AGAIN_S - 1)
    assert proof.wants_reading(checked.now + AGAIN_S)
    proof.store([point(1)])
    checked.check(own(1))
    assert not proof.wants_reading(checked.now + 1000)
    proof.interrupt(own(1))
    assert not proof.complete
    assert proof.wants_reading(checked.now)
    proof.store([point(2)])
    checked.check(own(2))
    assert proof.complete
