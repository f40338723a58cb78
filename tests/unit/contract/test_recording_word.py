"""What a recorder says of itself, and what a sensor makes of it."""

import pytest

from bootstrap.contract.recording_word import NOT_RECORDING, KnownRecorders, recording_word

TOPIC, OTHER = "cm/recorder/status/recording", "up/second/status/recording"


def told(topic: str, payload: bytes) -> KnownRecorders:
    known = KnownRecorders("cm", wanted=True)
    assert known.note(topic, payload)
    return known


@pytest.mark.parametrize(
    "payload",
    [b'{"recording":true,"groups":["+"]}', b'{"recording":true,"groups":["up","cm"]}', b'{"recording":true}'],
)
def test_a_recorder_of_this_group_is_enough(payload: bytes) -> None:
    assert not told(OTHER, payload).missing


@pytest.mark.parametrize(
    "payload",
    [
        b'{"recording":false,"groups":["+"]}',
        b'{"recording":true,"groups":["up"]}',
        NOT_RECORDING,
        b"",
        b"{",
        b"true",
        b"\xff",
        b'{"recording":1,"groups":["+"]}',
        b'{"recording":true,"groups":"+"}',
    ],
)  # fmt: skip
def test_everything_else_is_no_promise_and_ends_one(payload: bytes) -> None:
    known = told(TOPIC, payload)
    assert known.missing
    known.note(TOPIC, recording_word(["+"], recording=True))
    known.note(TOPIC, payload)
    assert known.missing


def test_one_of_several_is_enough_until_the_connection_is_lost() -> None:
    known = told(TOPIC, recording_word(["+"], recording=True))
    known.note(OTHER, NOT_RECORDING)
    assert not known.missing
    known.clear()
    assert known.missing


def test_whoever_wants_none_misses_none_and_other_topics_are_not_its_business() -> None:
    assert not KnownRecorders("cm").missing
    assert not KnownRecorders("cm").note("cm/recorder/status/state", b"online")
