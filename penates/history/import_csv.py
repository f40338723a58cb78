"""Readings in CSV files, with a column for each measure or a line for each value."""

import csv
import re
from collections import deque
from collections.abc import Iterator
from itertools import chain, islice

from bootstrap.contract.payload import TRUTH
from penates.console.output import counted
from penates.history.import_line import (
    IDENTITY,
    NO_TEXT,
    NOT_UTF8,
    FileRow,
    measure_fault,
    number,
    sensor_of,
    source_of,
)
from penates.history.import_times import TimeRules

SEPARATORS = ",;\t"
COMMA, POINT = ",", "."
LONG = {"time", "measure", "value"}
UNIT = "unit"  # a column that may stand beside these, and is not read
# Columns that tell series apart, but of which it is not known how: these must not become one series.
OTHER_NAMES = frozenset({"_field", "_measurement", "domain", "entity", "entity_id", "field", "measurement", "topic"})
NAN = "nan"
NO_VALUE = frozenset({NAN, "null", "none", "unavailable", "unknown", "n/a", "na", "-"})
DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?", re.ASCII)
TIME = re.compile(r'\s*"?(\d{4}-?\d\d|\d{9})', re.ASCII)  # the beginning of a date, or a number of seconds or more
LOOKED_AT, LEAST = 50, 2  # rows by which a column is judged
EXCERPT = 40  # characters of a cell that are quoted
HEADER = "the first line must name the columns: 'time', and either measures or 'measure' and 'value'"


def names_of(header: str) -> tuple[str, list[str], bool]:
    """Return the separator of a header, the names in it, and whether they have spaces around them."""
    separator = max(SEPARATORS, key=header.count)
    try:
        names = next(csv.reader([header.rstrip("\r\n")], delimiter=separator), [])
    except csv.Error:
        names = []
    stripped = [name.strip() for name in names]
    return separator, stripped, stripped != names


class CsvTable:
    """A CSV file whose header has been read."""

    def __init__(self, header: str, sensor: str | None, times: TimeRules, *, words: bool) -> None:
        self._separator, self._names, self._padded = names_of(header)
        self._sensor, self._times, self._words = sensor, times, words
        self._long = {*self._names} >= LONG
        self._marks: dict[str, int] = {}  # the decimal marks found, each with the number of its first line
        self._number = 1  # of the line read last; the header is the first
        self._again: deque[str] = deque()  # lines to be read once more, without the one before them

    def fault(self) -> str | None:
        """Return why the lines below such a header cannot be read; None if they can."""
        names = {*self._names}
        if "time" not in names:
            return HEADER
        if not self._sensor and "sensor" not in names:
            return "there is no column 'sensor'; use --sensor"
        if len(names) < len(self._names):
            return "there is no column for a measure, or two columns have the same name"
        return self._fault_of(names - {"time", *IDENTITY})

    def _fault_of(self, measures: set[str]) -> str | None:
        others = sorted(measures & OTHER_NAMES) or sorted(measures - LONG - {UNIT} if self._long else ())
        if others:
            return f"what is the column {others[0]!r}? Name it 'sensor' or 'measure', or leave it out"
        if "measure" in measures and not self._long:
            return "a column 'measure' needs a column 'value'; averages cannot be loaded, but `--each reading` can"
        bad = [why for name in sorted(measures - LONG) if (why := measure_fault(name))]
        if bad or not measures:
            return bad[0] if bad else "there is no column for a measure, or two columns have the same name"
        return None

    # Lines to cells.

    def rows(self, lines: Iterator[str]) -> Iterator[FileRow]:
        """Yield the row of each line below the header, or one reason why none can be read."""
        found = self._cells(lines)
        first = [*islice(found, LOOKED_AT)]
        if why := self._text_column([cells for _, cells in first if isinstance(cells, list)]):
            yield FileRow(1, faults=[why])
            return
        for line, cells in chain(first, found):
            yield self._row(line, cells) if isinstance(cells, list) else cells

    def _text_column(self, rows: list[list[str]]) -> str | None:
        """Return why a table without text has a column of text, which may tell apart what is beside it."""
        whole = [cells for cells in rows if len(cells) == len(self._names)]
        if self._long or self._words or len(whole) < LEAST:
            return None
        for name, column in zip(self._names, zip(*whole, strict=True), strict=True):
            texts = [text.strip() for text in column if text.strip().lower() not in NO_VALUE | {""}]
            if name not in {"time", *IDENTITY} and len(texts) >= LEAST and not any(map(self._may_be_number, texts)):
                what = f"the column {name!r} has no numbers, but {texts[0][:EXCERPT]!r}"
                return f"{what}: use --words if it is text, name it 'sensor' if it tells sensors apart, or leave it out"
        return None

    def _may_be_number(self, text: str) -> bool:
        return any(map(str.isdigit, text)) or text.lower() in TRUTH

    def _cells(self, lines: Iterator[str]) -> Iterator[tuple[int, list[str] | FileRow]]:
        """Yield the cells of each row, with the number of its first line, or a row that says why it is none."""
        while True:
            taken: list[str] = []
            cells, why = self._next(self._take(lines, taken))
            if not taken:
                return
            first = self._number - len(taken) + 1
            if len(taken) > 1 and (why or not self._words):
                self._put_back(taken)
                why, taken = "a quote is opened and not closed", taken[:1]
            elif any(map(self._looks_like_a_row, taken[1:])):
                what = f"its quoted text reaches to line {self._number}, over lines that look like rows"
                why = f"{what}: is a quote missing? None of them is loaded"
            if why:
                yield first, FileRow(first, faults=[why], lines=len(taken))
            elif cells:
                yield first, cells

    def _next(self, lines: Iterator[str]) -> tuple[list[str], str]:
        """Return the next cells, or why there are none."""
        rows = csv.reader(lines, delimiter=self._separator, strict=True, skipinitialspace=self._padded)
        try:
            return next(rows, []), ""
        except csv.Error as error:
            return [], str(error)

    def _take(self, lines: Iterator[str], taken: list[str]) -> Iterator[str]:
        while True:
            line = self._again.popleft() if self._again else next(lines, None)
            if line is None:
                return
            self._number += 1
            taken.append(line)
            yield line

    def _put_back(self, taken: list[str]) -> None:
        """Read all of these lines again but the first, which is the bad one."""
        self._again.extendleft(reversed(taken[1:]))
        self._number -= len(taken) - 1

    def _looks_like_a_row(self, line: str) -> bool:
        cells = line.split(self._separator)
        return len(cells) >= len(self._names) and TIME.match(cells[self._names.index("time")]) is not None

    # Cells to values.

    def _row(self, line: int, cells: list[str]) -> FileRow:
        row = FileRow(line)
        try:
            self._fill(row, cells)
        except (ValueError, OverflowError) as error:
            row.moment, row.fields, row.faults = None, {}, [str(error)]
        return row

    def _fill(self, row: FileRow, cells: list[str]) -> None:
        if NOT_UTF8.search("".join(cells)):
            raise ValueError(NO_TEXT)
        if len(cells) != len(self._names):
            raise ValueError(f"it has {counted(len(cells), 'value')} for {len(self._names)} columns")
        found = dict(zip(self._names, (cell.strip() for cell in cells) if self._padded else cells, strict=True))
        identity = {name: found.pop(name).strip() for name in IDENTITY if name in found}
        row.sensor, row.source = sensor_of(self._sensor, identity), source_of(self._sensor, identity)
        row.text = found.pop("time").strip()
        row.moment = self._times.moment(row.text)
        if self._long:
            row.measure = found["measure"]
            found = {row.measure: found["value"]}
            if why := measure_fault(row.measure):
                raise ValueError(why)
        for name, text in found.items():
            if text.strip():
                self._add(row, name, text)
            elif self._long:
                row.empty += 1

    def _add(self, row: FileRow, name: str, text: str) -> None:
        """Add a value, or the reason why it is none, which costs no other."""
        try:
            value = self._cell(row.number, name, text)
        except ValueError as error:
            row.faults.append(str(error))
            return
        if value is None:
            row.empty += 1
        else:
            row.fields[name] = value

    def _cell(self, line: int, name: str, text: str) -> float | str | None:
        """Return the value of a cell; None if it says that there is none."""
        bare = text.strip().lower()
        if bare == NAN or (bare in NO_VALUE and not self._words):
            return None
        found = self._parsed(line, name, text.strip())
        if found is not None:
            return found
        if self._words:
            return text
        what = f"{text[:EXCERPT]!r} is not a number for {name!r}"
        if DECIMAL_COMMA.fullmatch(text.strip()):
            raise ValueError(f"{what}: write a point for its comma, or separate the columns by semicolons")
        raise ValueError(f"{what}; use --words if it is text")

    def _parsed(self, line: int, name: str, text: str) -> float | None:
        """Return a number or truth value, or None. A comma is a decimal mark where it does not separate cells."""
        comma = self._separator != COMMA and DECIMAL_COMMA.fullmatch(text)
        found = number(name, text.replace(COMMA, POINT) if comma else text)
        if found is not None and (comma or POINT in text):
            mark, other = (COMMA, POINT) if comma else (POINT, COMMA)
            if other in self._marks:
                what = f"{text[:EXCERPT]!r} has another decimal mark than line {self._marks[other]}"
                raise ValueError(f"{what}; which one is right?")
            self._marks.setdefault(mark, line)
        return found
