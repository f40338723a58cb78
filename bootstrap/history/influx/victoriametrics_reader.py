"""Reads the history from VictoriaMetrics. It has milliseconds, and 0 for each word."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from bootstrap.history.influx.queries import Declined, Queries, end_s
from bootstrap.history.points import READING, Field
from bootstrap.history.reader import DAY_S, MICRO, Average, Row, Summary

PREFIX = f"{READING}_"
MILLI = 1000  # microseconds
BEFORE_S = 0.001  # the end of a time, which is not part of it: VictoriaMetrics takes it for one
EVER = "1"  # seconds since 1970; 0 is no time to it
POINTS = 10_000  # steps in one answer; it gives no more than 30 000
NUMBERS = ("count", "avg", "min", "max")
Key = tuple[int, str]  # when, and the measure


class VictoriaMetricsReader:
    """A `Past`. It keeps every reading for as long as the database does."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def there(self) -> bool:
        """Whether it is one: whether it knows what one and no InfluxDB does.

        Raises:
            OSError: nobody answers.
        """
        try:
            return any(line.get("status") == "success" for line in self._queries.lines("api/v1/query", query="1"))
        except Declined:
            return False

    def sensors(self) -> list[str]:
        """All of which there is a history."""
        wanted = {"match[]": f'{{__name__=~"{PREFIX}.+",group!="",sensor!=""}}', "start": EVER, "end": str(end_s())}
        found = [one for line in self._queries.lines("api/v1/series", **wanted) for one in line["data"]]
        return sorted({f"{one['group']}/{one['sensor']}" for one in found})

    def whole_since_us(self, _sensor: str) -> int:
        """There are no roll-ups beside the readings."""
        return 0

    def rows(self, sensor: str, since_us: int) -> Iterator[Row]:
        """The readings of one sensor, oldest first: a day at a time, and of the days those that have one."""
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
        """What each five minutes, or each day, come to; oldest first."""
        first, last = max(0, since_us) // MICRO // step_s, end_s() // step_s
        for number in range(first, last + 1, POINTS):
            yield from self._averages(sensor, number, min(last, number + POINTS - 1), step_s)

    def _averages(self, sensor: str, first: int, last: int, step_s: int) -> Iterator[Average]:
        """Of the steps with these numbers."""
        of = f"_over_time({_matching(sensor)}[{step_s}s]) keep_metric_names"
        query = ", ".join(f'label_set({what}{of}, "of", "{what}")' for what in NUMBERS)
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
        """Nothing is held."""


def _matching(sensor: str) -> str:
    """All that was measured by a sensor."""
    group, _, name = (json.dumps(part, ensure_ascii=False) for part in sensor.partition("/"))
    return f'{{__name__=~"{PREFIX}.+",group={group},sensor={name}}}'


def _measure(line: dict[str, Any]) -> str:
    name: str = line["metric"]["__name__"]
    return name.removeprefix(PREFIX)


def _end(number: int, step_s: int) -> str:
    """The last moment of a step."""
    return f"{(number + 1) * step_s - BEFORE_S:.3f}"


def _summary(numbers: dict[str, float]) -> Summary:
    return Summary(int(numbers["count"]), *(numbers[what] for what in NUMBERS[1:]))
