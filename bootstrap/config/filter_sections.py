"""The filters in the sections of measures: each line is a filter, and applies to what the line above it has made."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_type_hints

from bootstrap.config.measure_sections import DERIVE, KEEP_RAW
from bootstrap.config.toml_file import TomlFile, convert, shown, suggestion
from bootstrap.contract.topics import ID_RULE
from bootstrap.device import Measure, is_measure_name
from bootstrap.filters.catalogue import FILTERS
from bootstrap.filters.derived import Formula
from bootstrap.filters.filter import Filter
from bootstrap.filters.settings import RAW, MeasureFilters, SensorFilters

EXTREME = "made of less extreme numbers"


class FilterSections:
    """Reads the filters in the sections of one device's file; what is wrong with them is added to its faults."""

    def __init__(self, source: TomlFile, section: str, commanded: Mapping[str, str]) -> None:
        """Read those in `section`. `commanded` has the command that sets a measure, by the measure's name."""
        self._source, self._section, self._commanded = source, section, commanded
        self._found: dict[str, MeasureFilters] = {}

    def read(
        self, measures: Mapping[str, Measure], sections: Mapping[str, Mapping[str, Any]], derive: object
    ) -> SensorFilters:
        """Return the filters of a device's measures, and what is derived from these."""
        made = dict(measures)  # what is published
        for name in [name for name in sections if name in measures]:
            made[name] = self._filters(name, sections[name], made)
        raw = {name + RAW: measures[name] for name, one in self._found.items() if one.raw}
        derived = self._derived({**made, **raw}, sections, derive) if derive != {} else {}
        return SensorFilters(self._found, derived)

    def _place(self, name: str) -> str:
        return f"{self._section}.{name}" if self._section else name

    def _filters(self, name: str, lines: Mapping[str, Any], measures: Mapping[str, Measure]) -> Measure:
        """Read the filters of one measure. Returns what it is after them."""
        if lines and name in self._commanded:
            text = (
                f"{name!r} shows what the command {self._commanded[name]!r} has set; a filter would show something else"
            )
            self._source.fault(text, self._source.line(self._place(name)))
        elif lines:
            reader = _FilterLines(self._source, self._place(name), name, measures)
            self._found[name] = reader.read(lines)
            return reader.measure
        return measures[name]

    def _derived(
        self, measures: dict[str, Measure], sections: Mapping[str, Mapping[str, Any]], derive: object
    ) -> dict[str, Formula]:
        """Return the formulas in `[derive]`; each may use what stands above it. Few sensors have any."""
        from bootstrap.filters.grammar import parse  # noqa: PLC0415

        if not isinstance(derive, dict):
            self._source.fault(f"{DERIVE!r} must be a section, [{DERIVE}]", self._source.line(DERIVE, self._section))
            return {}
        found = {}
        for name, text in derive.items():
            try:
                _check_name(name, measures)
                found[name] = parse(text, measures)
                measures[name] = found[name].outcome(measures)
            except ValueError as error:
                self._source.fault(f"{name!r} must be {error}", self._source.line(name, self._place(DERIVE)))
            else:
                if sections.get(name, {}).get(KEEP_RAW):
                    why = f"{name!r} is derived, and has no {KEEP_RAW} value; derive the same under another name"
                    self._source.fault(why, self._source.line(KEEP_RAW, self._place(name)))
                measures[name] = self._filters(name, sections.get(name, {}), measures)
        return found


def _check_name(name: str, measures: Mapping[str, Measure]) -> None:
    """Raise ValueError, saying what is allowed, unless a derived measure may have this name."""
    if not is_measure_name(name):
        raise ValueError(f"named otherwise: the name of a measure is {ID_RULE}, and none of the reserved ones")
    if name in measures:
        raise ValueError("named otherwise: there is such a measure already")


class _FilterLines:
    """Reads the lines of one measure."""

    def __init__(self, source: TomlFile, place: str, name: str, measures: Mapping[str, Measure]) -> None:
        self._source, self._place, self._name, self._measures = source, place, name, measures
        self.measure = measures[name]  # what it is after the lines so far

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
        except (ValueError, ArithmeticError) as error:
            why = EXTREME if isinstance(error, ArithmeticError) else error
            self._fault(key, f"{key!r} of {self._name!r} must be {why}, not {shown(value)}")
            return None
        try:
            made.accepts(self.measure)
            self.measure = _finite(self.measure, made.outcome(self.measure))
        except (ValueError, ArithmeticError) as error:
            why = f"needs what is {EXTREME}" if isinstance(error, ArithmeticError) else error
            self._fault(key, f"{key!r} is no filter of {self._name!r}, which {why}")
            return None
        return made

    def _unknown(self, key: str) -> str:
        if key in self._source.outside_sections:
            place = f"[{self._place}]"
            return f"no setting {key!r} in {place}; move the line above {place}, which ends with the file"
        return f"no setting {key!r}; {suggestion(key, [*FILTERS, KEEP_RAW])}"


def _finite(before: Measure, after: Measure) -> Measure:
    """Return what a measure becomes.

    Raises:
        OverflowError: its limits are no numbers any more.
    """
    bounded = math.isfinite(before.low) and math.isfinite(before.high)
    if any(math.isnan(one) or (bounded and math.isinf(one)) for one in (after.low, after.high)):
        raise OverflowError
    return after


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
