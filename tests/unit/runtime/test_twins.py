"""Two runs of one sensor: who ends, and who says nothing until that is known."""

from typing import Any

import pytest

from bootstrap.contract.payload import encode
from bootstrap.runtime import twins
from bootstrap.runtime.twins import SILENT_S, Twins


class Watch:
    """Seconds since the start of a run."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds


def beat(run: str, uptime_s: float, **more: Any) -> bytes:
    """As another run publishes it; its clock is no argument."""
    return encode({"time": "1970-01-01T00:00:00Z", "run": run, "uptime_s": uptime_s, "host": "attic", **more})


@pytest.fixture
def watch() -> Watch:
    return Watch(1.0)


@pytest.fixture
def ours(watch: Watch) -> Twins:
    return Twins("mmmm", watch)


def test_a_younger_run_is_silent_until_the_elder_is_seen_to_live_and_then_ends(ours: Twins, watch: Watch) -> None:
    assert ours.on_heartbeat(beat("elder", 500.0)) is None
    assert 0 < ours.silent_s() <= SILENT_S
    watch.seconds = 3.0
    assert ours.on_heartbeat(beat("elder", 502.5)) == "on attic (run elder)"


def test_an_elder_publishes_at_once_over_a_younger_run_that_lives(ours: Twins, watch: Watch) -> None:
    watch.seconds = 5000.0
    ours.on_heartbeat(beat("younger", 10.0))
    assert ours.silent_s() > 0
    assert ours.on_heartbeat(beat("younger", 12.0)) is None
    assert ours.silent_s() == 0


def test_the_heartbeat_of_a_dead_run_costs_a_while_and_no_more(ours: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    ours.on_heartbeat(beat("dead", 500.0))
    assert ours.on_heartbeat(beat("dead", 500.0)) is None
    assert ours.silent_s() > 0
    monkeypatch.setattr(twins, "SILENT_S", 0.0)
    assert ours.silent_s() == 0


def test_a_run_that_has_certainly_ended_costs_nothing(ours: Twins) -> None:
    ours.predecessor = "dead"
    ours.on_heartbeat(beat("dead", 500.0))
    assert ours.silent_s() == 0


def test_a_run_that_was_stopped_in_order_costs_nothing(ours: Twins) -> None:
    ours.on_heartbeat(beat("stopped", 500.0))
    ours.on_state(b"stopped")
    assert ours.silent_s() == 0
    ours.on_state(b"lost")
    assert ours.silent_s() > 0


def test_our_own_heartbeat_costs_nothing(ours: Twins) -> None:
    ours.on_heartbeat(beat("elder", 500.0))
    ours.on_heartbeat(beat("mmmm", 1.0))
    assert ours.silent_s() == 0


@pytest.mark.parametrize(("other", "ends"), [("aaaa", True), ("zzzz", False)])
def test_of_two_that_are_of_one_age_one_ends_and_it_alone(ours: Twins, watch: Watch, other: str, ends: bool) -> None:
    """Each sees of the other what was published a moment ago, so none is older by it."""
    judged = []
    for second in range(1, 20):
        watch.seconds = second + 0.5
        judged.append(ours.on_heartbeat(beat(other, second)))
    assert any(judged) is ends


def test_an_elder_never_ends_however_long_the_younger_one_stays(ours: Twins, watch: Watch) -> None:
    """As one of an earlier version does, which compares clocks."""
    for second in range(1, 100):
        watch.seconds = 3600.0 + second
        assert ours.on_heartbeat(beat("aaaa", second)) is None


@pytest.mark.parametrize("payload", [b"", b"\xff", b"3", b'{"run":"x"}', b'{"run":"x","uptime_s":"long"}'])
def test_what_is_no_heartbeat_is_passed_over(ours: Twins, payload: bytes) -> None:
    assert ours.on_heartbeat(payload) is None
    assert ours.silent_s() == 0


def test_any_number_of_runs_takes_little_memory(ours: Twins) -> None:
    for number in range(1000):
        ours.on_heartbeat(beat(f"run{number}", 1.0))
    assert len(ours._others) <= twins.MOST_RUNS  # noqa: SLF001 - that is what is asked
