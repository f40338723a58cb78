"""How long the supervisor waits before it starts a sensor again."""

from bootstrap.supervisor.child import FIRST_RETRY_S, LAST_RETRY_S


def test_it_waits_up_to_a_minute() -> None:
    """Half a second, doubled each time: eight ends in a row take two minutes and more."""
    waits = [FIRST_RETRY_S]
    while waits[-1] < LAST_RETRY_S:
        waits.append(min(LAST_RETRY_S, 2 * waits[-1]))
    assert (waits[0], waits[-1], len(waits)) == (0.5, 60.0, 8)
