"""The filters in the sections of measures: each line is a filter, and applies to what the line above it has made."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_type_hints

from bootstrap.config.toml_file import TomlFile, convert, shown, suggestion
from bootstrap.device import Measure
from bootstrap.filters.catalogue import FILTERS
from bootstrap.filters.filter import Filter
from bootstrap.filters.settings import RAW, MeasureFilters, SensorFilters

KEEP_RAW = "raw"


def filters_of(
    source: TomlFile,
    section: str,
    sections: Mapping[str, Mapping[str, Any]],
    measures: Mapping[str, Measure],
    commanded: Mapping[str, str],
) -> SensorFilters:
    """Return the filters in sections of measures; what is wrong with them is added to the faults of `source`.

    `commanded` has the command that sets a measure, by the measure's name.
    """
    found = {}
    for name, lines in sections.items():
        place = f"{section}.{name}" if section else name
        if lines and name in commanded:
            text = f"{name!r} shows what the command {commanded[name]!r} has set; a filter would show something else"
            source.fault(text, source.line(place))
        elif lines:
            found[name] = _FilterLines(source, place, name, measures).read(lines)
    return SensorFilters(found)


class _FilterLines:
    """Reads the lines of one measure."""

    def __init__(self, source: TomlFile, place: str, name: str, measures: Mapping[str, Measure]) -> None:
        self._source, self._place, self._name, self._measures = source, place, name, measures
        self._measure = measures[name]  # what it is after the lines so far

    def read(self, lines: Mapping[str, Any]) -> MeasureFilters:
        """Return the filters, without those that have a fault."""
        raw = lines.get(KEEP_RAW, False)
        if not isinstance(raw, bool):
            self._fault(KEEP_RAW, f"{KEEP_RAW!r} must be true or false, not {shown(raw)}")
        elif raw and self._name + RAW in self._measures:
            self._fault(KEEP_RAW, f"there is a measure {self._name + RAW!r} already")
        given = [(key, value) for key, value in lines.items() if key != KEEP_RAW]
        found = [one for key, value in given if (one := self._filter(key, value))]
        return MeasureFilters(tuple(found), raw=bool(raw))

    def _fault(self, key: str, text: str) -> None:
        self._source.fault(text, self._source.line(key, self._place))

    def _filter(self, key: str, value: object) -> Filter | None:
        """Return one filter, or None after adding the reason to the faults."""
        if key not in FILTERS:
            self._fault(key, self._unknown(key))
            return None
        try:
            made = _made(FILTERS[key], value, self._source.folder)
        except ValueError as error:
            self._fault(key, f"{key!r} of {self._name!r} must be {error}, not {shown(value)}")
            return None
        try:
            made.accepts(self._measure)
            self._measure = made.outcome(self._measure)
        except ValueError as error:
            self._fault(key, f"{key!r} is no filter of {self._name!r}, which {error}")
            return None
        return made

    def _unknown(self, key: str) -> str:
        if key in self._source.outside_sections:
            place = f"[{self._place}]"
            return f"no setting {key!r} in {place}; move the line above {place}, which ends with the file"
        return f"no setting {key!r}; {suggestion(key, [*FILTERS, KEEP_RAW])}"


def _made(kind: type[Filter], value: object, folder: Path) -> Filter:
    """Return a filter as a value in a file sets it: a table, or the one field that a bare value stands for.

    Raises:
        ValueError: it cannot be; the text says what it must be.
    """
    hints = get_type_hints(kind, include_extras=True)
    names = [one.name for one in fields(kind)]
    table = value if isinstance(value, dict) else {kind.bare: value}
    if table is not value and not kind.bare:
        raise ValueError(f"a table, {{ {', '.join(f'{name} = …' for name in names)} }}")
    if unknown := next((key for key in table if key not in names), None):
        raise ValueError(f"a table without {unknown!r}; {suggestion(unknown, names)}")
    needed = [one.name for one in fields(kind) if one.default is MISSING]
    if missing := next((name for name in needed if name not in table), None):
        raise ValueError(f"a table with {missing!r}")
    bare = table is not value
    return kind(**{name: _field(name, given, hints[name], folder, bare=bare) for name, given in table.items()})


def _field(name: str, value: object, hint: Any, folder: Path, *, bare: bool) -> Any:  # noqa: ANN401 - a type hint
    try:
        return convert(value, hint, folder)
    except ValueError as error:
        raise ValueError(str(error) if bare else f"a table in which {name!r} is {error}") from None
