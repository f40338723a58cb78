"""A sample of the trials of `scripts/safety`: a lock that is hurt while it is unlocked is locked again in time."""

import pytest

from safety import run
from safety.trials import FAULTS


@pytest.mark.long
@pytest.mark.parametrize("mode", [*run.HOUSES])
def test_a_lock_that_is_hurt_is_locked_in_time_and_stays_so(mode: str) -> None:
    tally = run.run(mode, count=3, faults=[*FAULTS], seed=20)
    assert tally.wrong == []
    assert tally.count == 3 * len(FAULTS)


def test_a_process_that_nobody_watches_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the trials can fail: with a watchdog that comes late, a lock that is suspended stays unlocked."""
    monkeypatch.setattr("safety.houses.WATCHDOG_S", 60.0)
    tally = run.run("supervisor", count=3, faults=["SIGSTOP"], seed=3)
    assert tally.wrong
