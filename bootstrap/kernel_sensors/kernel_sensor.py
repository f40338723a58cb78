"""The base class of devices that read a chip by its driver in the kernel."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar, TypeAlias

from bootstrap.device import Device, Failure, Measure, Reading
from bootstrap.errors import reason
from bootstrap.kernel_sensors.catalog import Range
from bootstrap.kernel_sensors.chip import Chip
from bootstrap.kernel_sensors.kernel_device import KernelDevice, find
from bootstrap.kernel_sensors.power_loss import ASLEEP, CONFUSED, PowerLoss
from bootstrap.kernel_sensors.sole_zero import SoleZero
from bootstrap.needs import Sysfs

# The channels by which drivers of IIO, or of hwmon, offer a measure.
CHANNELS: Mapping[str, tuple[str, ...]] = {
    "temperature": ("temp", "temp1"),
    "ambient": ("temp_ambient",),
    "humidity": ("humidityrelative", "humidity1"),
    "pressure": ("pressure",),
    "illuminance": ("illuminance", "illuminance0"),
    "distance": ("distance",),
    "co2": ("concentration_co2",),
    "gas_resistance": ("resistance",),
    "eco2": ("concentration_co2",),
    "voc": ("concentration_voc",),
}
FACTORS = {"voc": 1000.0}  # of measures in another unit than their channel: ppb

NO_CHIP = "every bit of its answer is 0, as if nothing were wired to its bus: check its wiring and its supply"
DIGITS = 6
HUMIDITY_MARGIN = 3.0  # percent: the accuracy of these sensors at both ends

Outcome: TypeAlias = float | OSError | ValueError  # a value, or why there is none
Sample: TypeAlias = dict[str, Outcome]


@dataclass(kw_only=True)
class KernelSensor(Device):
    """A chip that a driver of the kernel reads. It is found by its name and place at each read.

    A subclass gives `chip` its default, names the parts in `parts`, and declares measures. An instance has those that
    its part has, with the limits of the part's data sheet.
    """

    chip: Chip  # part number, and where it is unless at its usual place: "… at 0x77", "… at spi0.1", "… at GPIO17"
    sysfs: Sysfs = Path("/sys")

    blocks = True  # a chip that hangs holds its bus for a second at each of its files

    channels: ClassVar[Mapping[str, tuple[str, ...]]] = CHANNELS
    chips: ClassVar[Iterable[str]] = ()  # the parts that it can read, where those are not `parts`

    def __post_init__(self) -> None:
        """Check the part, and take over its measures."""
        known = self.chips or self.parts
        if self.chip.part not in known:
            raise ValueError(f"'chip' must be one of {', '.join(known)}, not {self.chip.part}")
        self.measures = self.measured(self.chip.sheet.ranges)  # type: ignore[misc]
        self.power_loss, self.sole_zero = PowerLoss(), SoleZero()

    def measured(self, ranges: Mapping[str, Range]) -> dict[str, Measure]:
        """Return the measures of a part that has these ranges. By default those with a range, within it."""
        declared = type(self).measures
        return {
            name: replace(declared[name], low=low, high=high)
            for name, (low, high) in ranges.items()
            if name in declared
        }

    @property
    def bus(self) -> Path | None:
        """What is locked during a read, so that sensors of one chip take turns: the chip's own folder."""
        try:
            return self.found().folder.resolve()
        except OSError:
            return None

    def found(self) -> KernelDevice:
        """Return the chip. OSError: no driver has it."""
        return find(self.sysfs, self.chip.sheet.names, self.chip.place, self.chip.part)

    def read(self) -> Reading:
        """Return what the chip measures now, all of it in one go."""
        return self.sample()

    def sample(self) -> Sample:
        """Read every measure; one that fails costs no other. Where a part often fails, try again."""
        device, sheet = self.found(), self.chip.sheet
        for left in reversed(range(sheet.tries)):
            sample = self.taken(device)
            if not left or not any(isinstance(value, Failure) for value in sample.values()):
                break
            time.sleep(sheet.pause_s)
        if sheet.mute_is_zero and self.is_mute([*sample.values()]):
            raise OSError(f"{self.chip.part}: {NO_CHIP}")
        if sheet.forgets and self.power_loss.suspected(device.folder, sample):
            raise OSError(f"{self.chip.part}: {ASLEEP}")
        if device.subsystem.name in sheet.set_up_once and self.power_loss.confused(device.folder, sample):
            confused = OSError(f"{CONFUSED}{device.rebinding}")
            sample = {name: value if isinstance(value, Failure) else confused for name, value in sample.items()}
        return {name: self.told(value) for name, value in sample.items()}

    def is_mute(self, values: list[Outcome]) -> bool:
        """Return whether all that was read is 0, and that cannot be what is measured."""
        return self.sole_zero.is_mute(values[0]) if len(values) == 1 else not any(values)

    def told(self, value: Outcome) -> Outcome:
        """Return a value, or a failure as its owner is told of it."""
        return named(self.chip, value) if isinstance(value, Failure) else value

    def taken(self, device: KernelDevice) -> Sample:
        """Return every measure, read once. Where a part is tried again, none is read after one that failed.

        The next file would have such a part convert at once, which a DHT22 can do every two seconds.
        """
        sample: Sample = {}
        for name in self.measures:
            sample[name] = outcome(partial(self.value_of, device, name))
            if self.chip.sheet.tries > 1 and isinstance(sample[name], Failure):
                return dict.fromkeys(self.measures, sample[name])
        return sample

    def value_of(self, device: KernelDevice, name: str) -> float:
        """Return the value of a measure."""
        value = device.value(*self.channels[name], ends=self.chip.sheet.limits)
        value = round(value * FACTORS[name], DIGITS) if name in FACTORS else value
        return possible_humidity(value) if name == "humidity" else value


def possible_humidity(percent: float) -> float:
    """Return 0 or 100 for a humidity that is beyond it by no more than the accuracy of a sensor, as in dry air or fog.

    The data sheets want it cut off there (SHT4x, 4.6; Si7021, 5.1.1).
    """
    near = -HUMIDITY_MARGIN <= percent <= 100 + HUMIDITY_MARGIN
    return min(max(percent, 0.0), 100.0) if near else percent


def outcome(call: Callable[[], float]) -> Outcome:
    """Return what a call returns, or why it failed."""
    try:
        return call()
    except (OSError, ValueError) as error:
        return error


def named(chip: Chip, failure: OSError | ValueError) -> OSError | ValueError:
    """Return a failure with the name of the part, and with what it may mean for that; it keeps its number."""
    if isinstance(failure, ValueError):
        return ValueError(f"{chip.part}: {reason(failure)}")
    hint = f"{chip.sheet.hint}, or " if chip.sheet.hint else ""
    return numbered(failure.errno, f"{chip.part}: {hint}{failure.strerror or failure}")


def numbered(number: int | None, text: str) -> OSError:
    """Return an error whose number, which says whether a device is absent, is not in its text."""
    error = OSError(text)
    error.errno = number
    return error
