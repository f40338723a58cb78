"""Transmissions among noise, as edges of a line; what is found is decoded by a real rtl_433."""

import json
import random
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest

from bootstrap.pins.edge_times import EdgeBatch
from bootstrap.radio.pulses import END_US, LEAST, MOST, Pulses
from support import transmitters
from support.air import RTL_433

START_NS = 10**12
BATCH = 400  # edges


def flat(pulses: transmitters.Pulses) -> list[int]:
    return [us for pulse in pulses for us in pulse]


def noise(seed: int, for_us: int, usual_us: int = 120) -> list[int]:
    """Durations as a cheap receiver makes them up; the last one is a gap."""
    chance, found, total = random.Random(seed), list[int](), 0
    while total < for_us or len(found) % 2:
        found.append(5 + int(chance.expovariate(1 / usual_us)))
        total += found[-1]
    return found


def batches(durations: Sequence[int], size: int = BATCH) -> list[EdgeBatch]:
    """The edges before, between and after durations, of which the first is high; then the line rests."""
    times = [START_NS]
    for us in durations:
        times.append(times[-1] + us * 1000)
    rising = bytes([(number + 1) % 2 for number in range(len(times))])
    cut = [EdgeBatch(times[at : at + size], rising[at : at + size]) for at in range(0, len(times), size)]
    return [*cut, EdgeBatch([], b"")]


def found(*given: EdgeBatch) -> list[str]:
    pulses = Pulses()
    return [text for batch in given for text in pulses.feed(batch)]


def decoded(texts: Sequence[str]) -> list[dict[str, Any]]:
    assert RTL_433, "rtl_433 is not installed; run scripts/test, which installs it"
    command = [RTL_433, "-c", "/dev/null", "-r", "ook:-", "-F", "json", "-M", "time:off"]
    done = subprocess.run(command, input="".join(texts), capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


SENT = {
    "nexus": transmitters.nexus(181, 2, -12.3, 33),
    "temperature": transmitters.alecto_temperature(44, -0.5, 81),
    "wind": transmitters.alecto_wind(44, 1.4, 3, 135),
    "rain": transmitters.alecto_rain(44, 12.75),
}


@pytest.mark.parametrize("name", SENT)
@pytest.mark.parametrize("size", [1, 7, BATCH, 10_000])
def test_a_transmission_is_passed_on_as_it_was(name: str, size: int) -> None:
    assert found(*batches(flat(SENT[name])[:-1], size)) == [transmitters.ook(SENT[name])]


@pytest.mark.parametrize("name", SENT)
def test_a_transmission_in_noise_is_decoded(name: str) -> None:
    sent = flat(SENT[name])
    for seed in range(3):
        texts = found(*batches([*noise(seed, 150_000), *sent, *noise(seed + 9, 150_000)]))
        assert decoded(texts) == decoded([transmitters.ook(SENT[name])])


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


def test_lost_edges_cost_what_they_were_part_of_and_no_more() -> None:
    sent = flat(SENT["nexus"])[:-1]
    first, *rest = batches([*sent, 20_000, *sent])
    gap = EdgeBatch(rest[0].times_ns[50:], rest[0].rising[50:], lost=50)
    texts = found(first, gap, *rest[1:])
    assert decoded(texts)[-1] == decoded([transmitters.ook(SENT["nexus"])])[0]


def test_edges_that_do_not_alternate_are_one() -> None:
    first, last = batches(flat(SENT["wind"])[:-1], 10_000)
    times, rising = [*first.times_ns], bytearray(first.rising)
    times.insert(21, times[20] + 10_000)
    rising.insert(21, rising[20])
    assert found(EdgeBatch(times, bytes(rising)), last) == [transmitters.ook(SENT["wind"])]
