"""What the demo ends with: the history of the cellar, with what it shows marked below."""

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path

from bootstrap.history.reader import MICRO
from penates.history import terminal_chart
from penates.history.recorder_lookup import Recorded
from penates.history.series import Drawn, describe, drawn

SENSOR, MEASURE = "cellar", "temperature"
HEIGHT = 15  # lines of a chart
NO_BROKER, NO_READING = "no broker", "no reading"

Span = tuple[float, float]


def history(config: Path, outages: Sequence[Span], width: int, *, colour: bool) -> list[str]:
    """Return the lines of the chart; none if nothing was recorded yet.

    Raises:
        OSError: there is no history.
    """
    recorded = Recorded.by(argparse.Namespace(config=config, recorder=None))
    name = recorded.sensor(SENSOR)
    with closing(recorded.open_reader()) as reader:
        found = drawn(reader, name, 0, round(time.time() * MICRO), None)
    found.series = {MEASURE: found.series[MEASURE]} if MEASURE in found.series else {}
    if not found.series or found.ends[0] == found.ends[1]:
        return []
    describe(found.series.values(), recorded.measures(name))
    chart, _ = terminal_chart.text(found, found.ends, (width, HEIGHT), colour=colour)
    spans = sorted([*((span, NO_BROKER) for span in outages), *_gaps(found)])
    return [*chart.splitlines(), *marks(chart, found.ends, spans)]


def _gaps(found: Drawn) -> Iterator[tuple[Span, str]]:
    """Yield when there was no reading, between the pieces that are drawn."""
    series = found.series[MEASURE]
    for before, after in pairwise(series.pieces()):
        yield (series.times[before][-1], series.times[after][0]), NO_READING


def marks(chart: str, ends: Span, spans: Sequence[tuple[Span, str]]) -> Iterator[str]:
    """Yield lines below a chart on which these spans have marks as long as they took, each with its name."""
    frame = next(line for line in map(terminal_chart.plain, reversed(chart.splitlines())) if "└" in line)
    left, right = frame.index("└") + 1, frame.index("┘") - 1

    def column(moment: float) -> int:
        part = (min(max(moment, ends[0]), ends[1]) - ends[0]) / (ends[1] - ends[0])
        return left + round(part * (right - left))

    line = ""
    for (began, ended), name in spans:
        if began < ends[1] and ended > ends[0]:
            first, mark = _mark(column(began), column(ended), name)
            if len(line) >= first:
                yield line
                line = ""
            line = line.ljust(first) + mark
    yield line


def _mark(first: int, last: int, name: str) -> tuple[int, str]:
    """Return the column and the text of a mark from column to column; if it is too short, its name stands before it."""
    room = max(0, last - first - 1)
    if len(name) + 2 <= room:
        return first, f"├{f' {name} '.center(room, '─')}┤"
    return max(0, first - len(name) - 1), f"{name} ├{'─' * room}┤"
