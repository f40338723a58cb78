"""The channels of a device as measures: each by its own name, with the unit and the limits of its type."""

from collections.abc import Iterable
from functools import partial

from bootstrap.contract.topics import ID_RULE
from bootstrap.device import Measure, is_measure_name
from bootstrap.kernel_sensors.kernel_device import KernelDevice
from bootstrap.kernel_sensors.kernel_sensor import Sample, outcome
from bootstrap.kernel_sensors.units import unit_of


def measures_of(channels: Iterable[str]) -> dict[str, Measure]:
    """Return a measure for each channel. ValueError: its name cannot be a level of a topic."""
    for name in channels:
        if not is_measure_name(name):
            raise ValueError(f"'channels' must be names of {ID_RULE}, not {name!r}")
    units = {name: unit_of(name) for name in channels}
    return {name: Measure(unit.name, low=unit.low, high=unit.high) for name, unit in units.items()}


def sampled(device: KernelDevice, channels: Iterable[str]) -> Sample:
    """Return the value of each channel, or why it cannot be read."""
    return {name: outcome(partial(device.value, name)) for name in channels}
