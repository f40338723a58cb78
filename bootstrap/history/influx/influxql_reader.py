"""Reading the history from InfluxDB with InfluxQL, which 1.x, 2.x and 3.x have in common."""

from collections.abc import Iterator
from typing import Any

from bootstrap.history.influx.queries import Declined, Queries, end_s
from bootstrap.history.points import READING
from bootstrap.history.reader import MICRO, Average, Row, Summary

NANO = 1000  # nanoseconds in a microsecond
ALL = 'SELECT *::field FROM "reading"'
NUMBERS = 'SELECT count(/./), mean(/./), min(/./), max(/./) FROM "reading"'  # only numbers have a mean
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
        query = f'SHOW TAG VALUES FROM "{READING}" WITH KEY = "{name}"{where}'
        return [value for _, rows in self._tables(query) for _, value in rows]

    def sensors(self) -> list[str]:
        """Return the sensors that have a history, as `group/sensor`."""
        groups = self._tags("group")
        return sorted(f"{one}/{name}" for one in groups for name in self._tags("sensor", _of_group(one)))

    def whole_since_us(self, _sensor: str) -> int:
        """Return 0: nothing but the readings is kept."""
        return 0

    def rows(self, sensor: str, since_us: int) -> Iterator[Row]:
        """Return the readings of one sensor, oldest first."""
        for columns, rows in self._tables(ALL + _since(sensor, since_us)):
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
        for columns, rows in self._tables(f"{NUMBERS}{where} GROUP BY time({step_s}s) fill(none)"):
            measures = sorted(column.removeprefix(MEAN) for column in columns if column.startswith(MEAN))
            for row in rows:
                found = dict(zip(columns, row, strict=True))
                for name in measures:
                    if found[MEAN + name] is not None:
                        numbers = (float(found[f"{function}_{name}"]) for function in ("mean", "min", "max"))
                        yield Average(found["time"] // MICRO, name, Summary(found[f"count_{name}"], *numbers))

    def close(self) -> None:
        """Do nothing: each query has a connection of its own."""


def _of_group(group: str) -> str:
    return f' WHERE "group" = {quoted(group)}'


def _since(sensor: str, since_us: int) -> str:
    group, _, name = sensor.partition("/")
    times = f"time >= {max(0, since_us) * NANO} AND time < {end_s() * MICRO * NANO}"
    return f'{_of_group(group)} AND "sensor" = {quoted(name)} AND {times}'
