"""Times in other people's payloads."""

import pytest

from bootstrap.adapter.told_times import told_time
from bootstrap.contract.payload import Json

NOW = 1_795_206_132.0
TIMES: list[tuple[Json, float | None]] = [
    (1_795_206_131_431, 1_795_206_131.431),
    (1_795_206_131, 1_795_206_131.0),
    (1_795_206_131.25, 1_795_206_131.25),
    ("1795206131", 1_795_206_131.0),
    ("2026-11-20T20:22:11Z", 1_795_206_131.0),
    ("2026-11-20T21:22:11+01:00", 1_795_206_131.0),
    ("2026-11-20T21:22:11", None),  # of which zone?
    ("1970-01-01T00:00:07Z", None),
    (7, None),
    (NOW + 61, None),
    (NOW + 59, NOW + 59),
    (True, None),
    (None, None),
    ("soon", None),
    ([], None),
    (10**40, None),
    ("nan", None),
    (-1, None),
]


@pytest.mark.parametrize(("said", "time"), TIMES, ids=str)
def test_a_time_is_taken_in_each_form_if_it_can_be_true(said: Json, time: float | None) -> None:
    assert told_time("data.at", {"data": {"at": said}}, NOW) == time


def test_without_a_place_or_a_payload_there_is_none() -> None:
    assert told_time("", {"time": 1_795_206_131}, NOW) is None
    assert told_time("time", {}, NOW) is None
    assert told_time("time", "ON", NOW) is None
    assert told_time("time", None, NOW) is None
