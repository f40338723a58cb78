"""Reading the history from VictoriaMetrics, which stores milliseconds, and no text.

Where penates 0.2 and earlier recorded text, it has 0.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from bootstrap.history.influx.queries import Declined, Queries, end_s
from bootstrap.history.points import READING, Field
from bootstrap.history.reader import DAY_S, MICRO, Average, Row, Summary

PREFIX = f"{READING}_"
MILLI = 1000  # microseconds in a millisecond
BEFORE_S = 0.001  # the end of a step is not part of it, but VictoriaMetrics would include it
EVER = "1"  # seconds since 1970; VictoriaMetrics does not accept 0 as a time
POINTS = 10_000  # steps per answer, of which VictoriaMetrics allows 30 000
NUMBERS = ("count", "avg", "min", "max")
Key = tuple[int, str]  # start in seconds since 1970, and measure


class VictoriaMetricsReader:
    """A `HistoryReader` of a database that has no roll-ups beside the readings."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def detected(self) -> bool:
        """Return whether the server is VictoriaMetrics: it answers a query that no InfluxDB does.

        Raises:
            OSError: the server cannot be reached.
        """
        try:
            return any(line.get("status") == "success" for line in self._queries.lines("api/v1/query", query="1"))
        except Declined:
            return False

    def sensors(self) -> list[str]:
        """Return the sensors that have a history, as `group/sensor`."""
        wanted = {"match[]": f'{{__name__=~"{PREFIX}.+",group!="",sensor!=""}}', "start": EVER, "end": str(end_s())}
        found = [one for line in self._queries.lines("api/v1/series", **wanted) for one in line["data"]]
        return sorted({f"{one['group']}/{one['sensor']}" for one in found})

    def whole_since_us(self, _sensor: str) -> int:
        """Return 0: nothing but the readings is kept."""
        return 0

    def rows(self, sensor: str, since_us: int) -> Iterator[Row]:
        """Return the readings of one sensor, oldest first. Each day that has any is queried by itself."""
        since_ms = max(0, since_us) // MILLI
        for start_s in sorted({one.start_s for one in self.averages(sensor, since_us, DAY_S)}):
            yield from self._rows(sensor, max(since_ms, start_s * 1000), (start_s + DAY_S) * 1000 - 1)

    def _rows(self, sensor: str, first_ms: int, last_ms: int) -> Iterator[Row]:
        times = {"start": f"{first_ms / 1000:.3f}", "end": f"{last_ms / 1000:.3f}"}
        found: dict[int, dict[str, Field]] = defaultdict(dict)
        for line in self._queries.lines("api/v1/export", **{"match[]": _matching(sensor)}, **times):
            for time_ms, value in zip(line["timestamps"], line["values"], strict=True):
                found[time_ms][_measure(line)] = float(value)
        yield from (Row(time_ms * MILLI, fields) for time_ms, fields in sorted(found.items()))

    def averages(self, sensor: str, since_us: int, step_s: int) -> Iterator[Average]:
        """Return the summaries of each five minutes or each day, oldest first."""
        first, last = max(0, since_us) // MICRO // step_s, end_s() // step_s
        for number in range(first, last + 1, POINTS):
            yield from self._averages(sensor, number, min(last, number + POINTS - 1), step_s)

    def _averages(self, sensor: str, first: int, last: int, step_s: int) -> Iterator[Average]:
        """Return the summaries of the steps `first` to `last`, counted from 1970."""
        arguments = f"_over_time({_matching(sensor)}[{step_s}s]) keep_metric_names"
        query = ", ".join(f'label_set({what}{arguments}, "of", "{what}")' for what in NUMBERS)
        times = {"start": _end(first, step_s), "end": _end(last, step_s), "step": str(step_s), "nocache": "1"}
        found: dict[Key, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
        for line in self._queries.lines("api/v1/query_range", query=f"({query})", **times):
            for series in line["data"]["result"]:
                kind, what = series["metric"].get("kind", ""), series["metric"]["of"]
                for end, value in series["values"]:
                    found[round(end) - step_s, _measure(series)][kind][what] = float(value)
        for (start_s, measure), kinds in sorted(found.items()):
            yield Average(start_s, measure, Summary.merged([_summary(numbers) for numbers in kinds.values()]))

    def close(self) -> None:
        """Do nothing: each query has a connection of its own."""


def _matching(sensor: str) -> str:
    """Return a selector for all measures of a sensor."""
    group, _, name = (json.dumps(part, ensure_ascii=False) for part in sensor.partition("/"))
    return f'{{__name__=~"{PREFIX}.+",group={group},sensor={name}}}'


def _measure(line: dict[str, Any]) -> str:
    name: str = line["metric"]["__name__"]
    return name.removeprefix(PREFIX)


def _end(number: int, step_s: int) -> str:
    """Return the last moment of a step, in seconds since 1970."""
    return f"{(number + 1) * step_s - BEFORE_S:.3f}"


def _summary(numbers: dict[str, float]) -> Summary:
    return Summary(int(numbers["count"]), *(numbers[what] for what in NUMBERS[1:]))
