"""The edges of a line to which a receiver is wired: transmissions, and noise as a cheap receiver makes it up."""

import random
from collections.abc import Sequence

from bootstrap.pins.edge_times import EdgeBatch
from bootstrap.radio.pulses import Pulses
from support import transmitters

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


SENT = {
    "nexus": transmitters.nexus(181, 2, -12.3, 33),
    "temperature": transmitters.alecto_temperature(44, -0.5, 81),
    "wind": transmitters.alecto_wind(44, 1.4, 3, 135),
    "rain": transmitters.alecto_rain(44, 12.75),
}
