"""The broker's settings as shipped, as a file."""

from bootstrap.history.subscription import DURABLE, WINDOW
from bootstrap.outbox.backlog import RESEND_S
from support.paths import SHIPPED

MAX_PAYLOAD = 65_536  # of what penates reads
A_READING, OVERHEAD = 250, 360  # bytes of a reading, and of the broker's memory for one that waits
MOST = 140_000_000  # bytes, of the 512 MB of the smallest Pi


def settings() -> dict[str, str]:
    lines = [line for line in SHIPPED.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split() for line in lines)


def test_it_fits_what_sensors_and_recorder_count_on() -> None:
    found = settings()
    assert int(found["autosave_interval"]) <= RESEND_S
    assert int(found["max_inflight_messages"]) == WINDOW
    assert found["persistent_client_expiration"] == f"{DURABLE.expiry_s // 86_400}d"


def test_one_client_cannot_take_all_memory() -> None:
    found = {name: int(value) for name, value in settings().items() if value.isdecimal()}
    assert MAX_PAYLOAD < found["max_packet_size"] <= 2 * MAX_PAYLOAD
    assert found["max_queued_bytes"] >= found["max_queued_messages"] * A_READING
    assert found["max_inflight_bytes"] >= found["max_inflight_messages"] * A_READING
    assert found["max_queued_bytes"] + found["max_inflight_bytes"] + found["max_queued_messages"] * OVERHEAD < MOST
    assert "memory_limit" not in settings()


def test_it_holds_half_an_hour_of_a_hundred_readings_a_second_or_a_week_of_a_house() -> None:
    limit = int(settings()["max_queued_messages"])
    assert limit >= 100 * 1800
    assert limit >= 20 / 60 * DURABLE.expiry_s * 0.99
