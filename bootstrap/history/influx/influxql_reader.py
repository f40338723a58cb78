"""Reading the history from InfluxDB with InfluxQL, which 1.x, 2.x and 3.x have in common."""

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import groupby
from operator import attrgetter
from typing import Any

from bootstrap.history.influx.line_protocol import NUMBER, TEXT
from bootstrap.history.influx.queries import Declined, Queries, end_s
from bootstrap.history.points import READING, Field
from bootstrap.history.reader import MICRO, Average, Row, Summary

NANO = 1000  # nanoseconds in a microsecond
ALL = "SELECT *::field"
NUMBERS = "SELECT count(/./), mean(/./), min(/./), max(/./)"  # only numbers have a mean
MEASUREMENTS = (READING, TEXT, NUMBER)  # that hold readings; in the first there is text only of penates 0.2 and earlier
MEAN = "mean_"
Table = tuple[list[str], list[list[Any]]]  # columns and rows


def quoted(text: str) -> str:
    """Return `text` as a string literal of InfluxQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class InfluxqlReader:
    """A `HistoryReader` of a database that has no roll-ups beside the readings."""

    def __init__(self, queries: Queries, database: str) -> None:
        self._queries, self._database = queries, database

    def _tables(self, query: str) -> Iterator[Table]:
        """Yield the tables of an answer as they arrive."""
        parameters = {"db": self._database, "epoch": "u", "chunked": "true", "q": query}
        for line in self._queries.lines("query", **parameters):
            for result in line.get("results", [line]):
                if "error" in result:
                    raise Declined(f"{self._queries.server.url}: {result['error']}")
                for series in result.get("series", ()):
                    yield series["columns"], series["values"]

    def _tags(self, name: str, where: str = "") -> list[str]:
        measurements = ", ".join(f'"{one}"' for one in MEASUREMENTS)
        query = f'SHOW TAG VALUES FROM {measurements} WITH KEY = "{name}"{where}'
        return sorted({value for _, rows in self._tables(query) for _, value in rows})

    def sensors(self) -> list[str]:
        """Return the sensors that have a history, as `group/sensor`."""
        groups = self._tags("group")
        return sorted(f"{one}/{name}" for one in groups for name in self._tags("sensor", _of_group(one)))

    def whole_since_us(self, _sensor: str) -> int:
        """Return 0: nothing but the readings is kept."""
        return 0

    def rows(self, sensor: str, since_us: int) -> Iterator[Row]:
        """Return the readings of one sensor, oldest first."""
        parts = [self._rows(f'{ALL} FROM "{one}"{_since(sensor, since_us)}') for one in MEASUREMENTS]
        for time_us, rows in groupby(merge(*parts, key=attrgetter("time_us")), attrgetter("time_us")):
            yield from _joined(time_us, rows)

    def _rows(self, query: str) -> Iterator[Row]:
        for columns, rows in self._tables(query):
            for time_us, *values in rows:
                fields = zip(columns[1:], values, strict=True)
                found = {
                    name: value if isinstance(value, str) else float(value)
                    for name, value in fields
                    if value is not None
                }
                yield Row(time_us, found)

    def averages(self, sensor: str, since_us: int, step_s: int) -> Iterator[Average]:
        """Return the summaries of each five minutes or each day, oldest first."""
        where = _since(sensor, since_us // MICRO // step_s * step_s * MICRO)
        steps = f"{where} GROUP BY time({step_s}s) fill(none)"
        parts = [self._averages(f'{NUMBERS} FROM "{one}"{steps}') for one in (READING, NUMBER)]
        key = attrgetter("start_s", "measure")
        for (start_s, measure), found in groupby(merge(*parts, key=key), key):
            yield Average(start_s, measure, Summary.merged([one.summary for one in found]))

    def _averages(self, query: str) -> Iterator[Average]:
        for columns, rows in self._tables(query):
            measures = sorted(column.removeprefix(MEAN) for column in columns if column.startswith(MEAN))
            for row in rows:
                found = dict(zip(columns, row, strict=True))
                for name in measures:
                    if found[MEAN + name] is not None:
                        numbers = (float(found[f"{function}_{name}"]) for function in ("mean", "min", "max"))
                        yield Average(found["time"] // MICRO, name, Summary(found[f"count_{name}"], *numbers))

    def close(self) -> None:
        """Do nothing: each query has a connection of its own."""


def _joined(time_us: int, rows: Iterable[Row]) -> Iterator[Row]:
    """Join the rows of one time, except where two have the same measure: then a sensor was two kinds at that time."""
    fields: dict[str, Field] = {}
    for row in rows:
        if not fields.keys().isdisjoint(row.fields):
            yield Row(time_us, fields)
            fields = {}
        fields |= row.fields
    yield Row(time_us, fields)


def _of_group(group: str) -> str:
    return f' WHERE "group" = {quoted(group)}'


def _since(sensor: str, since_us: int) -> str:
    group, _, name = sensor.partition("/")
    times = f"time >= {max(0, since_us) * NANO} AND time < {end_s() * MICRO * NANO}"
    return f'{_of_group(group)} AND "sensor" = {quoted(name)} AND {times}'
