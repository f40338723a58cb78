"""The devices that drivers of the kernel offer already: chips of IIO and hwmon, and probes on 1-Wire."""

from collections.abc import Iterator
from pathlib import Path

from bootstrap.kernel_sensors.attribute import first_line
from bootstrap.kernel_sensors.catalog import CATALOG
from bootstrap.kernel_sensors.kernel_device import COUNTER, HWMON, ON_I2C, ONE_WIRE, SYSFS, KernelDevice, devices
from bootstrap.one_wire.bus_master import MASTERS, PROBE
from penates.files.toml_edit import toml
from penates.scan.found_device import AdoptionOffer, FoundDevice
from penates.scan.part_offers import is_plain, offers_of

ONE_WIRE_AREA, DRIVERS = "1-Wire", "kernel drivers"
NOBODYS = "00-"  # how serial numbers begin that no device has
NOISE = "no device has such a number: does the line have its pull-up of 4.7 kohm?"
FAMILIES = {"10": "DS18S20", "22": "DS1822", "28": "DS18B20", "3b": "DS1825", "42": "DS28EA00"}
FEW = 4  # channels that are shown


def kernel_chips(sysfs: Path = SYSFS) -> Iterator[FoundDevice]:
    """Yield what the kernel offers, each chip once though several subsystems may have it."""
    chips = set[Path]()
    for one in devices(sysfs):
        if one.subsystem is ONE_WIRE:
            yield from _on_one_wire(one, sysfs)
        elif one.subsystem is HWMON and PROBE.fullmatch(one.chip.name):
            continue  # a probe again
        elif not (one.chip in chips and _is_on_a_bus(one)):
            chips.add(one.chip)
            yield _chip(one, sysfs)


def i2c_thing(address: int, bus: int) -> str:
    """Return what a sensor claims that uses the chip at this address (see `claims`)."""
    return f"{address} on {Path(f'/dev/i2c-{bus}').resolve()}"


def spi_thing(device: str) -> str:
    """Return what a sensor claims that uses an SPI device such as `spi0.0`."""
    return str(Path(f"/dev/spidev{device.removeprefix('spi')}").resolve())


def _on_one_wire(one: KernelDevice, sysfs: Path) -> Iterator[FoundDevice]:
    serial, bus = one.folder.name, one.folder.parent
    thing = str(one.folder.resolve())
    if serial.startswith(NOBODYS):
        yield FoundDevice(ONE_WIRE_AREA, serial, "noise", note=NOISE)
    elif PROBE.fullmatch(serial):
        values = {"serial": serial, **({} if sysfs == SYSFS else {"bus": str(bus)})}
        offer = AdoptionOffer("thermometer", values)
        yield FoundDevice(ONE_WIRE_AREA, serial, FAMILIES[serial[:2]], (offer,), certain=True, thing=thing)
    elif not Path(serial).match(MASTERS):
        note = "no kind reads this family"
        yield FoundDevice(ONE_WIRE_AREA, serial, f"family {serial.partition('-')[0]}", note=note, thing=thing)


def _chip(one: KernelDevice, sysfs: Path) -> FoundDevice:
    """Return a chip with the kinds that read its part, or with the one that reads any channel."""
    elsewhere = {} if sysfs == SYSFS else {"sysfs": str(sysfs)}
    found = [] if one.subsystem is COUNTER else _parts_of(one)
    if not found:
        return _of_channels(one, elsewhere)
    place = one.place if _is_on_a_bus(one) or one.line is not None else ""
    offers = (*offers_of(found, place, elsewhere),)
    alike = all(CATALOG[part] == CATALOG[found[0]] for part in found)
    what = f"{' or '.join(found)}, which the driver {one.name} reads"
    return FoundDevice(DRIVERS, one.place, what, offers, certain=alike and is_plain(found[0]), thing=thing_of(one))


def _of_channels(one: KernelDevice, elsewhere: dict[str, str]) -> FoundDevice:
    """Return a device that is in no catalog: whatever it measures is read by its channels."""
    channels = one.channels()
    at = {"at": one.place} if _is_on_a_bus(one) else {}
    values = {"name": one.name, **at, "channels": f"[{', '.join(map(toml, channels))}]", **elsewhere}
    offers = (AdoptionOffer("sysfs", values),) if channels else ()
    more = f" and {len(channels) - FEW} more" if len(channels) > FEW else ""
    what = f"{one.name}: {', '.join(channels[:FEW]) or 'it measures nothing'}{more}"
    return FoundDevice(DRIVERS, one.place, what, offers, thing=thing_of(one))


def _is_on_a_bus(one: KernelDevice) -> bool:
    return bool(ON_I2C.fullmatch(one.chip.name)) or one.chip.name.startswith("spi")


def thing_of(one: KernelDevice) -> str:
    """Return what a sensor claims that reads a device of the kernel (see `claims`); its folder if it is on no bus."""
    if on_i2c := ON_I2C.fullmatch(one.chip.name):
        return i2c_thing(int(on_i2c["address"], 16), int(on_i2c["bus"]))
    if one.chip.name.startswith("spi"):
        return spi_thing(one.chip.name)
    return f"GPIO{one.line}" if one.line is not None else str(one.folder.resolve())


def _parts_of(one: KernelDevice) -> list[str]:
    """Return the parts of the catalog that it may be: by what its bus calls it, else by what its driver does."""
    known = [part for part, sheet in CATALOG.items() if {*sheet.names} & one.names]
    own = {first_line(one.chip / "name"), one.chip.name.partition("@")[0]} - {""}
    return [part for part in known if CATALOG[part].names[0] in own] or known
