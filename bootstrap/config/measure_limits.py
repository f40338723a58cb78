"""The limits of measures that the owner of a device sets: a section `[MEASURE]` in the device's file."""

from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from typing import Annotated, Any, cast

from bootstrap.config.toml_file import TomlFile, suggestion
from bootstrap.device import Device, Measure


def _a_step(step: float) -> None:
    if step <= 0:
        raise ValueError("above 0")


@dataclass(frozen=True, kw_only=True)
class MeasureLimits:
    """`[MEASURE]`: what its owner knows of the values of a measure. What is not set stays as the kind declares it."""

    low: float | None = None
    high: float | None = None
    step: Annotated[float, _a_step] | None = None


def with_limits(kind: type[Device], source: TomlFile, table: dict[str, Any]) -> type[Device]:
    """Take the sections of measures from `table`, and return `kind` with these limits; faults are added to `source`."""
    settings = {field.name for field in fields(kind)}
    source.outside_sections |= {"kind", "group", "sensor", *settings}
    changed = {}
    for name in [name for name in table if name in kind.measures]:
        if measure := _limited(source, name, table.pop(name), kind.measures[name]):
            changed[name] = measure
    for name in [name for name, value in table.items() if isinstance(value, dict) and name not in settings]:
        del table[name]
        source.fault(f"no measure {name!r}; {suggestion(name, kind.measures)}", source.line(name))
    if not changed:
        return kind
    return _subclass(kind, tuple(changed.items()))  # type: ignore[arg-type]  # a class is hashable, whatever is made of it


def _limited(source: TomlFile, name: str, section: object, measure: Measure) -> Measure | None:
    """Return a measure with the limits that are set, or None after adding a fault to `source`."""
    if isinstance(measure.unit, type):
        source.fault(f"{name!r} is {measure.unit_name}, no number: it has no low, high or step", source.line(name))
        return None
    limits = source.section(name, section, MeasureLimits)
    if limits is None:
        return None
    given = {key: limit for key, limit in asdict(limits).items() if limit is not None}
    found = replace(measure, **given)
    if found.low >= found.high:
        key, other = ("low", "high") if "low" in given else ("high", "low")
        text = f"'low' of {name!r} must be below its 'high', but {key!r} is {given[key]:g}"
        source.fault(f"{text} and {other!r} is {getattr(found, other):g}", source.line(key, name))
        return None
    return found


@cache
def _subclass(kind: type[Device], measures: tuple[tuple[str, Measure], ...]) -> type[Device]:
    """Return a class with other limits, the same for the same limits, so that equal settings stay equal."""
    return cast("type[Device]", type(kind.__name__, (kind,), {"__module__": kind.__module__, **dict(measures)}))
