"""The sections `[MEASURE]` in a device's file: the limits of a measure, and its filters in the order of their lines."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Self, TypeVar, cast

from bootstrap.config.model import DeviceNames
from bootstrap.config.toml_file import TomlFile, suggestion
from bootstrap.device import Device, Measure

if TYPE_CHECKING:
    from bootstrap.filters.settings import SensorFilters

D = TypeVar("D", bound=Device)
KEEP_RAW = "raw"  # the line by which the raw value is published, too; it is no filter, wherever it stands
DERIVE = "derive"  # the section of measures that are computed from others


def _a_step(step: float) -> None:
    if step <= 0:
        raise ValueError("above 0")


@dataclass(frozen=True, kw_only=True)
class MeasureLimits:
    """The limits above the first filter: what the device itself can say. What is not set stays as the kind declares."""

    low: float | None = None
    high: float | None = None
    step: Annotated[float, _a_step] | None = None


LIMITS = tuple(one.name for one in fields(MeasureLimits))


@dataclass(frozen=True)
class ConfiguredDevice(Generic[D]):
    """A device with its limits, and what its owner makes of its values; None if they stay as they are."""

    device: D
    filters: "SensorFilters | None" = None


def configured_device(
    kind: type[D], source: TomlFile, table: dict[str, Any], section: str = ""
) -> ConfiguredDevice[D] | None:
    """Return a device with the settings in a table, and with what is in its sections of measures.

    `section` is the one in the file that contains the table. Without a device, the reasons are added to `source`.
    """
    settings = {field.name for field in fields(kind)}
    if not section:
        source.outside_sections |= {"kind", *(one.name for one in fields(DeviceNames)), *settings}
    derive = table.pop(DERIVE, {}) if DERIVE not in settings else {}
    sections = {name: table.pop(name) for name in [*table] if isinstance(table[name], dict) and name not in settings}
    sections |= {name: table.pop(name) for name in [*table] if name in kind.measures}
    before = len(source.faults)
    device = source.fill(kind, table, section)
    found = _MeasureSections(source, section, device.measures if device else kind.measures)
    found.commanded = {takes.sets: name for name, takes in (device or kind).commands.items()}
    found.read(sections, derive)
    if device is None or len(source.faults) > before:
        return None
    if found.limited or found.listened:
        changed = _subclass(kind, tuple(found.limited.items()), found.listened)  # type: ignore[arg-type]
        device = changed.like(device)  # type: ignore[assignment]
    return ConfiguredDevice(device, found.filters)


class _MeasureSections:
    """Reads the sections of measures of one device; what is wrong with them is added to the faults of its file."""

    def __init__(self, source: TomlFile, section: str, measures: Mapping[str, Measure]) -> None:
        self._source, self._section, self._measures = source, section, measures
        self.limited: dict[str, Measure] = {}
        self.filters: SensorFilters | None = None
        self.listened: tuple[str, ...] = ()  # topics of other sensors
        self.commanded: Mapping[str, str] = {}  # by measure: the command that sets it

    def read(self, sections: Mapping[str, object], derive: object) -> None:
        """Read the limits of all measures, then their filters, and what is derived from them."""
        filtered, known = {}, {**self._measures, **dict.fromkeys(derive if isinstance(derive, dict) else ())}
        for name, values in sections.items():
            place = f"{self._section}.{name}" if self._section else name
            if name not in known:
                self._source.fault(f"no measure {name!r}; {suggestion(name, known)}", self._source.line(place))
            elif not isinstance(values, dict):
                self._source.section(place, values, MeasureLimits)  # which says that it must be one
            elif name not in self._measures:
                filtered[name] = values
            elif (rest := self._limit(place, name, values)) is not None:
                filtered[name] = rest
        if any(filtered.values()) or derive:
            from bootstrap.config.filter_sections import FilterSections  # noqa: PLC0415 - few sensors have filters

            measures = {**self._measures, **self.limited}
            self.filters = FilterSections(self._source, self._section, self.commanded).read(measures, filtered, derive)
            self.listened = tuple(one.topic for one in self.filters.derived.values() if one.topic)

    def _limit(self, place: str, name: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """Take the limits above the first filter. Returns the lines from there on, or None after adding a fault."""
        first = next((number for number, key in enumerate(values) if key not in {*LIMITS, KEEP_RAW}), len(values))
        given = {key: one for key, one in [*values.items()][:first] if key in LIMITS}
        rest = {key: one for key, one in values.items() if key not in given}
        if given and (limited := _limited(self._source, place, name, given, self._measures[name])) is None:
            return None
        if given:
            self.limited[name] = cast("Measure", limited)
        return rest


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
def _subclass(
    kind: type[Device], measures: tuple[tuple[str, Measure], ...], listened: tuple[str, ...]
) -> type["_Limited"]:
    """Return a class with other limits, the same for the same limits, so that equal settings stay equal."""
    body = {"__module__": kind.__module__, "limited": dict(measures), "also_listens": listened, **dict(measures)}
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
