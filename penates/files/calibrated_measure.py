"""The measure of a sensor that is to be calibrated: where it stands, and how it is calibrated now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bootstrap.config.loader import Configuration
from bootstrap.config.model import SensorSettings
from bootstrap.config.toml_file import SettingsError, suggestion
from bootstrap.device import Measure
from bootstrap.errors import Exit, Fatal
from bootstrap.filters.linear import MOST_POINTS, Calibrate
from bootstrap.filters.settings import NONE, RAW, MeasureFilters
from penates.files.edited_device import EditedDevice


@dataclass(frozen=True)
class CalibratedMeasure:
    """One measure of one sensor, in the file of its device or of its gateway."""

    sensor: SensorSettings
    name: str

    @classmethod
    def find(cls, folder: Path, sensor: str, measure: str | None) -> "CalibratedMeasure":
        """Return the measure of a sensor, which is named by its id, as `group/sensor`, or by its file.

        Raises:
            Fatal: there is no such sensor or measure, or several measures to choose from.
            SettingsError: the sensor's file has faults.
        """
        found = _sensor(folder, sensor)
        numbers = [name for name, one in found.device.measures.items() if not isinstance(one.unit, type)]
        if measure is None and len(numbers) != 1:
            what = f"add one of its measures: {', '.join(numbers)}" if numbers else "it measures no number"
            raise Fatal(Exit.SETTINGS, f"{found.topics.client_id}: {what}")
        if measure is not None and measure not in numbers:
            why = suggestion(measure, numbers)
            raise Fatal(Exit.SETTINGS, f"{found.topics.client_id} measures no number {measure!r}; {why}")
        return cls(found, measure or numbers[0])

    @property
    def edited(self) -> EditedDevice:
        """The file that it is in."""
        return EditedDevice(self.sensor.folder, self.sensor.file)

    @property
    def section(self) -> str:
        """Its section in that file."""
        return f"{self.sensor.section}.{self.name}" if self.sensor.section else self.name

    @property
    def measured(self) -> Measure:
        """What its device measures."""
        return self.sensor.device.measures[self.name]

    @property
    def filters(self) -> MeasureFilters:
        """Its filters."""
        return self.sensor.filters.of(self.name) if self.sensor.filters else NONE

    @property
    def raw_name(self) -> str:
        """The name under which readings have what the device says; empty if they do not have that."""
        if self.filters.raw:
            return self.name + RAW
        return "" if self.filters.stages else self.name

    @property
    def calibration(self) -> Calibrate | None:
        """How it is calibrated now.

        Raises:
            Fatal: another filter stands above that, so that what the device says is not what is calibrated.
        """
        stages = self.filters.stages
        place = next((number for number, one in enumerate(stages) if isinstance(one, Calibrate)), None)
        if place:
            where = f"[{self.section}] in {self.sensor.file}"
            raise Fatal(Exit.SETTINGS, f"'calibrate' must be the first filter; move its line up below {where}")
        found = stages[0] if place == 0 else None
        return found if isinstance(found, Calibrate) else None

    @property
    def unit(self) -> str:
        """The unit of what is true: that of the calibration if it has one, else the device's."""
        known = self.calibration
        return (known.unit if known else None) or self.measured.unit_name

    def with_points(
        self, points: Iterable[tuple[float, float]], *, anew: bool
    ) -> tuple[Calibrate, Mapping[str, object]]:
        """Return the calibration with these points, each what was said and what was true, and its table in the file.

        Those that there are already stay, unless it is to begin `anew`, or a new one has the same number on a side.

        Raises:
            Fatal: there would be too many, or no line goes through them.
        """
        known, pairs = self.calibration, [[*pair] for pair in points]
        taken = [{pair[side] for pair in pairs} for side in (0, 1)]
        old = [] if anew or known is None else known.points or []
        pairs = sorted([*pairs, *(pair for pair in old if pair[0] not in taken[0] and pair[1] not in taken[1])])
        if len(pairs) > MOST_POINTS:
            raise Fatal(Exit.SETTINGS, f"there would be {len(pairs)} points, and {MOST_POINTS} at most; add --anew")
        unit = known.unit if known else None
        try:
            made = Calibrate(points=pairs, unit=unit)
        except ValueError as error:
            raise Fatal(Exit.SETTINGS, f"these points do not fit: {pairs}; it must be {error}") from None
        return made, {"points": pairs, **({"unit": unit} if unit else {})}


def _sensor(folder: Path, name: str) -> SensorSettings:
    configuration = Configuration(folder.absolute(), secrets=False)
    each = [one for found in configuration.all().values() for one in found.all_carried]
    for one in each:
        if name in (one.topics.client_id, one.topics.sensor) or (not one.section and name == Path(one.file).stem):
            return one
    if faults := [fault for fault in configuration.faults if Path(fault.file).stem == name]:
        raise SettingsError(faults)
    raise Fatal(Exit.SETTINGS, f"there is no sensor {name!r}; {suggestion(name, [one.topics.sensor for one in each])}")
