"""Which closings of a contact are pulses, by their times alone."""

import random
from collections.abc import Sequence
from typing import TypeAlias

from bootstrap.pins.edge_times import EdgeBatch
from bootstrap.plain_lines.pulse_sieve import PulseSieve

Edges: TypeAlias = Sequence[tuple[float, bool]]  # in milliseconds; True is one that closes

MS = 1_000_000
SECOND_MS = 1000


def batch(edges: Edges, lost: int = 0) -> EdgeBatch:
    return EdgeBatch([round(at * MS) for at, _ in edges], bytes([not closed for _, closed in edges]), lost)


def pulses(sieve: PulseSieve, edges: Edges, size: int = 7) -> int:
    """Return how many pulses there are in these edges, which are fed a few at a time, and after a rest."""
    count = sum(len(sieve.feed(batch(edges[at : at + size]))) for at in range(0, len(edges), size))
    return count + len(sieve.settle(round((edges[-1][0] + 10 * SECOND_MS) * MS)))


def closings(count: int, apart_ms: float, closed_ms: float) -> list[tuple[float, bool]]:
    return [edge for n in range(count) for edge in ((n * apart_ms, True), (n * apart_ms + closed_ms, False))]


def bouncing(edges: Edges, seed: int) -> list[tuple[float, bool]]:
    """Edges as a contact makes them that bounces for up to 3 ms."""
    chance, found = random.Random(seed), list[tuple[float, bool]]()
    for at, closed in edges:
        times = sorted(chance.uniform(0, 3) for _ in range(2 * chance.randrange(4)))
        found += [(at, closed), *((at + late, closed ^ (n % 2 == 0)) for n, late in enumerate(times))]
    return found


def test_fifty_a_second_are_all_there_in_batches_of_any_size() -> None:
    for size in (1, 2, 7, 100, 6000):
        sieve = PulseSieve(0.005)
        assert pulses(sieve, closings(3000, 20, 10), size) == 3000
        assert (sieve.bounces, sieve.implausible) == (0, 0)


def test_a_contact_that_bounces_counts_once_and_its_bounces_are_told() -> None:
    for seed in range(20):
        edges, sieve = bouncing(closings(200, 100, 40), seed), PulseSieve(0.005)
        assert pulses(sieve, edges) == 200
        assert sieve.bounces == sum(closed for _, closed in edges) - 200


def test_a_spike_is_no_pulse_and_neither_is_an_opening_for_a_moment() -> None:
    sieve = PulseSieve(0.005)
    assert pulses(sieve, [(0, True), (4.9, False), (500, True), (900, False), (904.9, True), (950, False)]) == 1
    assert sieve.bounces == 2


def test_a_contact_that_stays_closed_counts_once_and_before_it_opens() -> None:
    sieve = PulseSieve(0.005)
    assert sieve.feed(batch([(0, True)])) == []
    assert sieve.waits
    assert sieve.settle(4 * MS) == []
    assert sieve.settle(6 * MS) == [0]
    assert not sieve.waits
    assert sieve.settle(3600 * SECOND_MS * MS) == []
    hours = 5 * 3600 * SECOND_MS
    assert pulses(sieve, [(hours, False), (hours + 60_000, True)]) == 1


def test_a_contact_that_was_closed_before_it_was_watched_has_been_counted() -> None:
    assert pulses(PulseSieve(0.005), [(0, False)]) == 0


def test_a_reed_that_trembles_where_its_magnet_rests_counts_once_however_long() -> None:
    """Were each pulse measured from the last one that counted, a false one would count every 6 seconds."""
    sieve, chance, at = PulseSieve(0.005, apart_s=6), random.Random(1), 0.0
    edges = [(0.0, True)]
    while at < 3600 * SECOND_MS:
        at += chance.uniform(6, 2900)
        edges.append((at, not edges[-1][1]))
    assert pulses(sieve, edges) == 1
    assert sieve.implausible > 1000
    assert pulses(sieve, [(at + 60_000, False), (at + 70_000, True)]) == 1  # it has gone on


def test_what_is_lost_begins_anew() -> None:
    sieve = PulseSieve(0.005)
    assert len(sieve.feed(batch([(0, True), (10, False), (20, True)]))) == 1
    found = sieve.feed(batch([(1000, True), (1010, False)], lost=80))
    assert found == [1000 * MS]
    assert sieve.feed(batch([(1020, True), (1030, False)])) == [1020 * MS]


def labelled_late(edges: Edges, stalls: Sequence[tuple[float, float]]) -> list[tuple[float, bool]]:
    """Edges as the kernel tells them that reads the level only after a stall: each with its true time."""

    def level(at: float) -> bool:
        until = next((end for begin, end in stalls if begin <= at < end), at)
        return next(closed for when, closed in reversed(edges) if when <= until)

    return [(at, level(at)) for at, _ in edges]


def test_an_edge_whose_level_the_kernel_has_read_too_late_is_still_an_edge() -> None:
    edges = closings(200, 20, 10)
    stalls = [(1000.0, 1015.0), (1505.0, 1525.0), (2009.0, 2033.0), (3000.0, 3011.0)]
    late = labelled_late(edges, stalls)
    assert sum(one != other for one, other in zip(edges, late, strict=True)) >= 4
    sieve = PulseSieve(0.005)
    assert abs(pulses(sieve, late) - 200) <= 1
    assert pulses(PulseSieve(0.005), labelled_late(edges, stalls[:1])) == 200


def test_a_spike_of_which_the_kernel_tells_one_edge_is_no_pulse() -> None:
    sieve = PulseSieve(0.005)
    assert pulses(sieve, [(0, True), (50, False), (1000, False), (2000, True), (2050, False), (3000, False)]) == 2
    assert sieve.bounces == 2
