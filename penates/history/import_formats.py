"""Readings in the files of other programs: CSV, JSON lines, and InfluxDB's line protocol."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import BinaryIO

from penates.history import import_json
from penates.history.import_csv import CsvTable, names_of
from penates.history.import_line import NO_TEXT, NOT_UTF8, FileLine, FileRow, bad
from penates.history.import_lines import LineParser, SeriesChoice
from penates.history.import_times import TimeRules


@dataclass(frozen=True)
class Reader:
    """How files are read.

    Attributes:
        sensor: the sensor that all values belong to, instead of the one that a file names.
        zone: the time zone of times without one.
        precision: the unit of times that are numbers; without it, nanoseconds in line protocol, else seconds.
        words: whether a value in CSV that is not a number is text.
        any_time: whether a time long ago or far ahead is accepted.
        choice: which series of line protocol are loaded.
    """

    sensor: str | None = None
    zone: tzinfo | None = None
    precision: str | None = None
    words: bool = False
    any_time: bool = False
    choice: SeriesChoice = field(default_factory=SeriesChoice)

    def read(self, file: Path, stream: BinaryIO) -> Iterator[FileLine]:
        """Yield what becomes of each line. The name decides the format, or else the first line does.

        A CSV file whose header is wrong yields that reason alone.
        """
        lines = (
            line.decode("utf-8-sig" if number == 0 else "utf-8", "surrogateescape")
            for number, line in enumerate(stream)
        )
        first = next(lines, "")
        name = file.name.lower().removesuffix(".gz")
        if name.endswith((".csv", ".tsv")) or _is_header(first):
            return self._csv(file, first, lines)
        numbered = enumerate(itertools.chain([first], lines), 1)
        if name.endswith((".json", ".jsonl", ".ndjson")) or first.lstrip().startswith("{"):
            return self._json(file, numbered)
        return self._lines(file, numbered)

    def _csv(self, file: Path, header: str, lines: Iterator[str]) -> Iterator[FileLine]:
        table = CsvTable(header, self.sensor, self._times("s"), words=self.words)
        if why := NO_TEXT if NOT_UTF8.search(header) else table.fault():
            yield bad(1, why)
            return
        yield from self._settled(file, table.rows(lines))

    def _json(self, file: Path, lines: Iterator[tuple[int, str]]) -> Iterator[FileLine]:
        times = self._times("s")
        rows = (import_json.row(number, line, self.sensor, times) for number, line in lines if line.strip())
        yield from self._settled(file, rows)

    def _settled(self, file: Path, rows: Iterator[FileRow]) -> Iterator[FileLine]:
        return (row.line() for row in self.choice.unmixed(self._times("s").settled(rows), str(file)))

    def _lines(self, file: Path, lines: Iterator[tuple[int, str]]) -> Iterator[FileLine]:
        parser = LineParser(str(file), self.sensor, self._times("ns"), self.choice)
        for number, line in lines:
            if NOT_UTF8.search(line):
                yield bad(number, NO_TEXT)
            elif line.strip() and not line.startswith("#"):
                yield parser.line(number, line)

    def _times(self, usual: str) -> TimeRules:
        return TimeRules(self.zone, self.precision or usual, self.any_time)


def _is_header(line: str) -> bool:
    """Return whether a line names the columns of a CSV file, whatever the file is called."""
    return "=" not in line and "time" in names_of(line)[1]
