"""The request on which a broker hangs up is found; a link that breaks by itself accuses nobody."""

from bootstrap.mqtt.hang_ups import FIRST_HOLD_S, PROVEN, UNPROVEN, HangUps, publishing, subscribing

STATE, CONFIG, READING = (publishing(topic) for topic in ("cm/a/status/state", "ha/config", "cm/a/data/reading"))


def connection(hang_ups: HangUps, answered: list[str], unanswered: list[str]) -> str | None:
    """One that answers these and breaks over those."""
    hang_ups.opened()
    for one in answered:
        hang_ups.answered(one)
    return hang_ups.broken(unanswered)


def test_what_is_unanswered_each_time_is_found() -> None:
    hang_ups = HangUps()
    assert connection(hang_ups, [STATE], [CONFIG, READING]) is None
    assert hang_ups.cautious
    found = [connection(hang_ups, [STATE], [CONFIG]) for _ in range(PROVEN)]
    assert found == [None] * (PROVEN - 1) + [CONFIG]
    assert hang_ups.hold_s(CONFIG) == FIRST_HOLD_S


def test_the_first_request_of_all_takes_more_proof() -> None:
    hang_ups, first = HangUps(), subscribing("cm/a/status/heartbeat")
    connection(hang_ups, [], [first])
    found = [connection(hang_ups, [], [first]) for _ in range(UNPROVEN)]
    assert found == [None] * (UNPROVEN - 1) + [first]


def test_what_was_answered_since_is_innocent() -> None:
    hang_ups = HangUps()
    for _ in range(20):
        assert connection(hang_ups, [STATE, READING], [READING]) is None
    for one in (STATE, CONFIG, READING) * 5:
        assert connection(hang_ups, [subscribing("x")], [one]) is None


def test_a_link_that_breaks_while_nothing_is_asked_makes_nobody_cautious() -> None:
    hang_ups = HangUps()
    connection(hang_ups, [STATE], [READING])
    connection(hang_ups, [STATE], [])
    assert not hang_ups.cautious
    connection(hang_ups, [STATE], [READING])
    hang_ups.steady()
    assert not hang_ups.cautious
    hang_ups.broken([READING])
    assert not hang_ups.cautious


def test_what_was_found_before_is_set_aside_again_for_longer_until_it_is_answered() -> None:
    hang_ups = HangUps()
    assert hang_ups.hold_s(CONFIG) == FIRST_HOLD_S
    assert connection(hang_ups, [STATE], [CONFIG, READING]) == CONFIG
    assert hang_ups.hold_s(CONFIG) == 2 * FIRST_HOLD_S
    connection(hang_ups, [CONFIG], [])
    assert connection(hang_ups, [STATE], [CONFIG]) is None
