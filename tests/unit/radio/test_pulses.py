"""Transmissions among noise, as edges of a line."""

import pytest

from bootstrap.pins.edge_times import EdgeBatch
from bootstrap.radio.pulses import END_US, LEAST, MOST
from support import transmitters
from support.edges import BATCH, SENT, batches, flat, found, noise


@pytest.mark.parametrize("name", SENT)
@pytest.mark.parametrize("size", [1, 7, BATCH, 10_000])
def test_a_transmission_is_passed_on_as_it_was(name: str, size: int) -> None:
    assert found(*batches(flat(SENT[name])[:-1], size)) == [transmitters.ook(SENT[name])]


def test_noise_within_a_gap_is_part_of_the_gap() -> None:
    row = flat(transmitters.nexus(181, 2, 21.5)[:37])[:-1]
    burst = [*noise(1, 3000, 30), 40]
    texts = found(*batches([*row, 2000, *burst, 2000, *row] if len(burst) % 2 else [*row, 2000, *burst, *row]))
    assert len(texts) == 1
    assert len(texts[0].splitlines()) == len(row) + 2


def test_noise_alone_is_hardly_ever_passed_on() -> None:
    assert found(*batches(noise(1, 10_000_000, 120))) == []
    texts = found(*batches(noise(2, 10_000_000, 300)))
    assert sum(map(len, texts)) < 1000


def test_a_pause_parts_two_transmissions_and_a_shorter_gap_does_not() -> None:
    row = flat(SENT["rain"])[:-1]
    assert len(found(*batches([*row, END_US + 1, *row]))) == 2
    assert len(found(*batches([*row, END_US - 1, *row]))) == 1


def test_what_is_too_short_is_none() -> None:
    row = [500] * (LEAST - 1)
    assert found(*batches(row)) == []
    assert len(found(*batches([*row, 500, 500]))) == 1


def test_a_carrier_without_an_end_is_cut() -> None:
    texts = found(*batches([500] * (3 * MOST)))
    assert len(texts) > 1
    assert max(text.count("\n") for text in texts) <= (MOST + BATCH) / 2 + 1


def test_edges_that_do_not_alternate_are_one() -> None:
    first, last = batches(flat(SENT["wind"])[:-1], 10_000)
    times, rising = [*first.times_ns], bytearray(first.rising)
    times.insert(21, times[20] + 10_000)
    rising.insert(21, rising[20])
    assert found(EdgeBatch(times, bytes(rising)), last) == [transmitters.ook(SENT["wind"])]


def test_lost_edges_cost_what_they_were_part_of_and_no_more() -> None:
    sent = flat(SENT["rain"])[:-1]
    first, *rest = batches([*sent, 20_000, *sent], len(sent) // 2)
    gap = EdgeBatch(rest[0].times_ns[50:], rest[0].rising[50:], lost=50)
    assert transmitters.ook(SENT["rain"]) in found(first, gap, *rest[1:])
