"""Find a device that a driver of the kernel offers by its name, and read its channels."""

import errno
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bootstrap.kernel_sensors.attribute import first_line, number
from bootstrap.kernel_sensors.catalog import DRIVER_FACTORS
from bootstrap.kernel_sensors.units import (
    COUNT,
    HWMON_UNITS,
    IIO_UNITS,
    ONE_WIRE_UNITS,
    ChannelUnit,
    channel_type,
)
from bootstrap.needs import HEADERS_BUS
from bootstrap.sysfs import missing

SYSFS = Path("/sys")
ON_I2C = re.compile(r"(?P<bus>\d+)-(?P<address>00[0-7][0-9a-f])")
SHOWN = 8  # names of other devices in a message


@dataclass(frozen=True)
class Subsystem:
    """A part of the kernel that offers devices in a folder below /sys, each with files of one form.

    Attributes:
        name: what the kernel calls it.
        folder: where its devices are, below /sys.
        units: by the type of a channel.
        forms: of the file that holds a channel's number, such as `in_{}_input`.
    """

    name: str
    folder: str
    units: Mapping[str, ChannelUnit]
    forms: tuple[str, ...]


IIO = Subsystem("iio", "bus/iio/devices", IIO_UNITS, ("in_{}_input", "in_{}_raw"))
HWMON = Subsystem("hwmon", "class/hwmon", HWMON_UNITS, ("{}_input", "{}_average", "{}"))
COUNTER = Subsystem("counter", "bus/counter/devices", {}, ("{}/count", "{}"))
ONE_WIRE = Subsystem("w1", "bus/w1/devices", ONE_WIRE_UNITS, ("{}",))
SUBSYSTEMS = (IIO, HWMON, COUNTER, ONE_WIRE)


@dataclass(frozen=True)
class KernelDevice:
    """A device that a driver offers.

    Attributes:
        folder: its own, with the files of its channels.
        subsystem: which forms and units those have.
    """

    folder: Path
    subsystem: Subsystem

    @property
    def name(self) -> str:
        """What its driver calls it, such as `bme280`; a device on 1-Wire is called by its serial number."""
        return first_line(self.folder / "name") if self.subsystem is not ONE_WIRE else self.folder.name

    @property
    def names(self) -> frozenset[str]:
        """All names it has: of its driver, and of its chip on the bus; without the number behind an @."""
        chip = self.chip
        return frozenset({self.name, self.name.partition("@")[0], first_line(chip / "name"), chip.name} - {""})

    @property
    def chip(self) -> Path:
        """The folder of the chip that it belongs to, such as `1-0076` on I2C, `spi0.0`, or `dht11@4`."""
        own = self.folder.resolve()
        return own.parent.parent if own.parent.name == "hwmon" else own.parent

    @property
    def rebinding(self) -> str:
        """The command that has its driver begin anew, without a restart of the machine."""
        driver = self.chip / "driver"
        name = driver.resolve().name if driver.exists() else self.name
        return f"echo {self.chip.name} | sudo tee /sys/bus/i2c/drivers/{name}/{{unbind,bind}}"

    def is_at(self, place: str) -> bool:
        """Return whether it is at an address such as `0x76`, a chip select such as `spi0.0`, or a name like `1-0076`.

        `0x76` is on the header's bus, `0x76 on i2c-3` on that one. `GPIO4` is the line of a chip without a bus, where
        the kernel says which it has.
        """
        if place.startswith("0x"):
            address, _, bus = place.partition(" on i2c-")
            return self.chip.name == f"{bus or HEADERS_BUS}-{int(address, 16):04x}"
        if place.startswith("GPIO"):
            return self.line in (None, int(place.split(maxsplit=1)[0].removeprefix("GPIO")))
        return place in (self.chip.name, self.folder.name)

    @property
    def place(self) -> str:
        """Where it is, as a device's file has it: such as `0x76`, `0x76 on i2c-3`, `GPIO4` or `spi0.0`."""
        if self.line is not None:
            return f"GPIO{self.line}"
        if on_i2c := ON_I2C.fullmatch(self.chip.name):
            bus = int(on_i2c["bus"])
            return f"{int(on_i2c['address'], 16):#04x}{f' on i2c-{bus}' if bus != HEADERS_BUS else ''}"
        return self.chip.name

    @property
    def line(self) -> int | None:
        """The GPIO line of a chip without a bus, from the device tree: cells for controller, line and flags."""
        lines = (self.described(name, 1) for name in ("gpios", "trig-gpios", "dout-gpios"))
        return next((line for line in lines if line is not None), None)

    def described(self, name: str, cell: int = 0) -> int | None:
        """Return a cell of a property of its chip in the device tree; None if that has none such."""
        with suppress(OSError):
            found = (self.chip / "of_node" / name).read_bytes()[4 * cell : 4 * cell + 4]
            return int.from_bytes(found, "big") if found else None
        return None

    def has(self, channel: str) -> bool:
        """Return whether there is such a channel."""
        return self._file(channel) is not None

    def unit(self, channel: str) -> ChannelUnit:
        """Return the unit of a channel; a number of a type that has none is a count."""
        return self.subsystem.units.get(channel_type(channel), COUNT)

    def value(self, *channels: str, ends: tuple[float, ...] = ()) -> float:
        """Return the number of the first of these channels that it has, in the unit that is published.

        `ends` are numbers in a channel's own file that say no more than "at least" or "at most".

        Raises:
            OSError: it has none of them, is gone, or does not answer.
            ValueError: a file holds no number, or one of `ends`.
        """
        for channel in channels:
            if file := self._file(channel):
                return self.unit(channel).convert(self._physical(channel, file, ends) * self._factor(channel))
        raise FileNotFoundError(errno.ENOENT, missing(self.folder / self.subsystem.forms[0].format(channels[0])))

    def raw(self, channel: str, ends: tuple[float, ...] = ()) -> float:
        """Return the number in a channel's own file, without scale and offset. It raises what `value` does."""
        file = self._file(channel)
        return _within(file or self.folder / self.subsystem.forms[-1].format(channel), ends)

    def attribute(self, *names: str) -> float | None:
        """Return the number in the first of these files that is there, as it is; None without any."""
        return next((number(self.folder / name) for name in names if (self.folder / name).exists()), None)

    def channels(self) -> list[str]:
        """Return the names of all channels."""
        return sorted({channel for form in self.subsystem.forms for channel in self._named(form)})

    def _named(self, form: str) -> Iterator[str]:
        before, _, after = form.partition("{}")
        if not (before or after):
            yield from (channel for channel in self.subsystem.units if (self.folder / channel).exists())
            return
        for file in self.folder.glob(f"{before}*{after}"):
            yield str(file.relative_to(self.folder)).removeprefix(before).removesuffix(after)

    def _file(self, channel: str) -> Path | None:
        files = (self.folder / form.format(channel) for form in self.subsystem.forms)
        return next((file for file in files if file.exists() or file.is_symlink()), None)

    def _physical(self, channel: str, file: Path, ends: tuple[float, ...]) -> float:
        """Return the number of a channel in the driver's unit: a raw one is `(raw + offset) * scale`."""
        if not file.name.endswith("_raw"):
            return _within(file, ends)
        offset, scale = self._shared(channel, "offset"), self._shared(channel, "scale")
        return (_within(file, ends) + (number(offset) if offset else 0)) * (number(scale) if scale else 1)

    def _factor(self, channel: str) -> float:
        """Return what a number of its driver is multiplied by, where that is not in the unit of its subsystem."""
        known = (DRIVER_FACTORS[name] for name in self.names if name in DRIVER_FACTORS)
        return next(known, {}).get(channel_type(channel), 1.0)

    def _shared(self, channel: str, what: str) -> Path | None:
        """Return the file of a channel's scale or offset: its own, that of its type, or that of the whole device."""
        kind = channel_type(channel)
        types = (f"{kind}-{kind}", kind) if "-" in channel else (kind,)
        names = (*(f"in_{one}_{what}" for one in (channel, *types)), f"in_{what}", what)
        return next((file for name in names if (file := self.folder / name).exists()), None)


def _within(file: Path, ends: tuple[float, ...]) -> float:
    """Return the number in a file. ValueError: it is one of the ends of what the chip can measure."""
    if (found := number(file)) in ends:
        raise ValueError(
            f"{file} holds {found:.9g}, an end of the range: the true value may be beyond it, or nothing is wired to it"
        )
    return found


def devices(sysfs: Path = SYSFS) -> list[KernelDevice]:
    """Return all devices that drivers offer on this machine."""
    return [
        KernelDevice(folder, subsystem)
        for subsystem in SUBSYSTEMS
        for folder in sorted((sysfs / subsystem.folder).glob("*"))
        if folder.is_dir() and (subsystem is ONE_WIRE or (folder / "name").exists())
    ]


def find(sysfs: Path, names: tuple[str, ...], place: str = "", part: str = "") -> KernelDevice:
    """Return the device that has one of these names, at this place (see `is_at`); without one, it must be the only one.

    Raises:
        OSError: there is none, or there are several; with what there is, and how a device's file names this part there.
    """
    there = devices(sysfs)
    named = [one for one in there if one.names & {*names}]
    found = [one for one in named if not place or one.is_at(place)]
    if len(found) == 1:
        return found[0]
    called = names[0]
    if found:
        raise OSError(f"there are several {called}: {_listed(found)}; say which one, by its address")
    if named:
        say = f': chip = "{part} at {named[0].place}"' if part and named[0].place.startswith(("0x", "spi")) else ""
        raise FileNotFoundError(errno.ENOENT, f"there is no {called} at {place}; there is {_listed(named)}{say}")
    others = f"they offer {_listed(there)}" if there else "they offer nothing"
    raise FileNotFoundError(errno.ENOENT, f"no driver of the kernel offers a {called}; {others}")


def _listed(found: list[KernelDevice]) -> str:
    """Return what devices are called, and of what they are part, for people."""
    shown = [f"{one.name} at {one.place}" for one in found[:SHOWN]]
    return ", ".join([*shown, *(["…"] if len(found) > SHOWN else [])])
