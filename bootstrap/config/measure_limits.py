"""The limits of measures that the owner of a device sets: a section `[MEASURE]` in the device's file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from typing import Annotated, Any, ClassVar, Self, TypeVar, cast

from bootstrap.config.toml_file import TomlFile, suggestion
from bootstrap.device import Device, Measure

D = TypeVar("D", bound=Device)


def _a_step(step: float) -> None:
    if step <= 0:
        raise ValueError("above 0")


@dataclass(frozen=True, kw_only=True)
class MeasureLimits:
    """`[MEASURE]`: what its owner knows of the values of a measure. What is not set stays as the kind declares it."""

    low: float | None = None
    high: float | None = None
    step: Annotated[float, _a_step] | None = None


def limited_device(kind: type[D], source: TomlFile, table: dict[str, Any], section: str = "") -> D | None:
    """Return a device with the settings in a table, and with the limits in its sections of measures.

    `section` is the one in the file that contains the table. Without a device, the reasons are added to `source`.
    """
    settings = {field.name for field in fields(kind)}
    if not section:
        source.outside_sections |= {"kind", "group", "sensor", "shared_with", *settings}
    limits = {name: table.pop(name) for name in [*table] if isinstance(table[name], dict) and name not in settings}
    limits |= {name: table.pop(name) for name in [*table] if name in kind.measures}
    before = len(source.faults)
    device = source.fill(kind, table, section)
    changed = _changed(source, limits, device.measures if device else kind.measures, section)
    if device is None or len(source.faults) > before:
        return None
    return _subclass(kind, changed).like(device) if changed else device  # type: ignore[return-value, arg-type]


def _changed(
    source: TomlFile, limits: Mapping[str, object], measures: Mapping[str, Measure], section: str
) -> tuple[tuple[str, Measure], ...]:
    """Return the measures that have other limits, after adding the faults of their sections to `source`."""
    changed = []
    for name, values in limits.items():
        place = f"{section}.{name}" if section else name
        if name not in measures:
            source.fault(f"no measure {name!r}; {suggestion(name, measures)}", source.line(place))
        elif measure := _limited(source, place, name, values, measures[name]):
            changed.append((name, measure))
    return tuple(changed)


def _limited(source: TomlFile, place: str, name: str, section: object, measure: Measure) -> Measure | None:
    """Return a measure with the limits that are set, or None after adding a fault to `source`."""
    if isinstance(measure.unit, type):
        source.fault(f"{name!r} is {measure.unit_name}, no number: it has no low, high or step", source.line(place))
        return None
    limits = source.section(place, section, MeasureLimits)
    if limits is None:
        return None
    given = {key: limit for key, limit in asdict(limits).items() if limit is not None}
    found = replace(measure, **given)
    if found.low >= found.high:
        key, other = ("low", "high") if "low" in given else ("high", "low")
        text = f"'low' of {name!r} must be below its 'high', but {key!r} is {given[key]:g}"
        source.fault(f"{text} and {other!r} is {getattr(found, other):g}", source.line(key, place))
        return None
    return found


@cache
def _subclass(kind: type[Device], measures: tuple[tuple[str, Measure], ...]) -> type["_Limited"]:
    """Return a class with other limits, the same for the same limits, so that equal settings stay equal."""
    body = {"__module__": kind.__module__, "limited": dict(measures), **dict(measures)}
    return cast("type[_Limited]", type(kind.__name__, (_Limited, kind), body))


class _Limited:
    """Gives a kind of device its limits; those of an instance, whose measures its settings determine, too."""

    limited: ClassVar[Mapping[str, Measure]]

    @classmethod
    def like(cls, device: Device) -> Self:
        """Return a device with the same settings."""
        return cls(**{one.name: getattr(device, one.name) for one in fields(device) if one.init})

    def __post_init__(self) -> None:
        if own := getattr(super(), "__post_init__", None):
            own()
        if measures := vars(self).get("measures"):
            self.measures = {**measures, **self.limited}
