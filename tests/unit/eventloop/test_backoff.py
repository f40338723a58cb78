"""When to try again."""

import time

import pytest

from bootstrap.eventloop.backoff import Backoff, Retry


def test_each_wait_is_twice_as_long_up_to_a_limit() -> None:
    backoff = Backoff(0.5, 5.0)
    assert [backoff.advance() for _ in range(6)] == [0.5, 1, 2, 4, 5, 5]
    backoff.reset()
    assert backoff.advance() == 0.5


def test_what_the_attempt_took_counts_as_waiting_but_no_wait_is_shorter_than_the_first() -> None:
    backoff = Backoff(0.5, 5.0)
    assert [backoff.advance(already_s) for already_s in (0.4, 0.4, 1.9, 3.5, 60)] == [0.5, 0.6, 0.5, 0.5, 0.5]


def test_jitter_only_shortens() -> None:
    waits = []
    for _ in range(200):
        backoff = Backoff(1.0, 8.0, jitter=0.3)
        waits.append([backoff.advance() for _ in range(4)])
    for number, longest in enumerate((1, 2, 4, 8)):
        least, most = min(wait[number] for wait in waits), max(wait[number] for wait in waits)
        assert max(1, 0.7 * longest) <= least <= most <= longest
    assert len({wait[3] for wait in waits}) > 100  # so that a whole house does not call at once


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_retry_is_due_after_its_wait(now: list[float]) -> None:
    retry = Retry(1.0, 10.0)
    assert retry.wait_s == 0
    retry.failed()
    assert (retry.wait_s, retry.due) == (1, 101)
    now[0] += 0.75
    assert retry.wait_s == 0.25
    now[0] += 5
    assert retry.wait_s == 0
    retry.failed(least_s=30)
    assert retry.wait_s == 30
    retry.succeeded()
    assert (retry.wait_s, retry.due) == (0, 0)
    retry.failed()
    assert retry.wait_s == 1
