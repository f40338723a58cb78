"""A look at all that is connected to this machine, and at what of it the house has adopted."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from bootstrap.config.conflicts import KERNEL_BUS, claims
from bootstrap.config.loader import Configuration
from bootstrap.config.model import SensorSettings
from bootstrap.kernel_sensors.kernel_device import SYSFS, find
from bootstrap.kernel_sensors.kernel_sensor import KernelSensor
from bootstrap.needs import OneWireBus
from bootstrap.one_wire.probe_gateway import ProbeGateway
from daemons.sysfs import SysfsDevice
from penates.drivers import advice
from penates.scan.found_device import FoundDevice, NotLookedAt
from penates.scan.i2c_buses import i2c_chips
from penates.scan.kernel_chips import ONE_WIRE_AREA, kernel_chips, thing_of
from penates.scan.lines import gpio_chips
from penates.scan.ports import radio_sticks, serial_ports, spi_devices, transmitters

ROOT = Path("/")


@dataclass(frozen=True)
class ScannedMachine:
    """What is connected to a machine.

    Attributes:
        found: each device, with the sensor of the house that has it, or empty text.
        missed: what could not be looked at.
    """

    found: Sequence[tuple[FoundDevice, str]]
    missed: Sequence[NotLookedAt]

    @property
    def free(self) -> list[FoundDevice]:
        """What some kind may serve, and nobody has adopted."""
        return [one for one, adopted in self.found if one.offers and not adopted]


def look(house: Configuration | None, root: Path = ROOT, buses: Sequence[int] = ()) -> ScannedMachine:
    """Look at everything that is connected; of I2C, the `buses` too that are not for sensors.

    Nothing is changed, and no device that a driver of the kernel has is asked.
    """
    sensors = [one for settings in house.all().values() for one in settings.all_carried] if house else []
    owners = {**_by_channels(sensors), **claims(sensors)}
    seen = [*_everything(root, buses)]
    devices = [_carried(one, sensors) for one in seen if isinstance(one, FoundDevice)]
    found = [(one, owners.get(one.thing, "")) for one in devices]
    return ScannedMachine(found, [one for one in seen if isinstance(one, NotLookedAt)])


def _everything(root: Path, buses: Sequence[int]) -> Iterator[FoundDevice | NotLookedAt]:
    sysfs = SYSFS if root == ROOT else root / SYSFS.relative_to("/")
    if not (sysfs / KERNEL_BUS.relative_to(SYSFS)).is_dir():
        yield NotLookedAt(ONE_WIRE_AREA, "", f"the kernel has no such bus: {advice(OneWireBus(KERNEL_BUS), root)}")
    yield from chain(
        kernel_chips(sysfs),
        i2c_chips(root, buses),
        serial_ports(root),
        radio_sticks(root),
        spi_devices(root),
        transmitters(root),
        gpio_chips(),
    )


def _carried(one: FoundDevice, sensors: Sequence[SensorSettings]) -> FoundDevice:
    """Return a device that a gateway of the house is to carry: a probe, if one reads the whole bus."""
    readers = [settings for settings in sensors if isinstance(settings.device, ProbeGateway)]
    if one.area != ONE_WIRE_AREA or not (one.offers and readers):
        return one
    values = {"serial": one.offers[0].values["serial"]}
    offer = replace(one.offers[0], values=values, gateway=readers[0].topics.client_id)
    return replace(one, offers=(offer,))


def _by_channels(sensors: Sequence[SensorSettings]) -> Mapping[str, str]:
    """Return the sensors that read a device of the kernel which is on no bus, by its folder."""
    found = {}
    for one in reversed(sensors):
        with suppress(OSError):
            match one.device:
                case KernelSensor() as chip:
                    found[str(chip.found().folder.resolve())] = one.topics.client_id
                case SysfsDevice(sysfs=sysfs, name=name, at=at):
                    device = find(sysfs, (name,), at or "")
                    found[thing_of(device)] = one.topics.client_id
    return found
