"""The chip that a device's file names, such as `BME280` or `BME280 at 0x77`."""

import re
from dataclasses import dataclass, field

from bootstrap.kernel_sensors.catalog import CATALOG, ChipSheet
from bootstrap.needs import HEADERS_BUS, KernelChip

FORM = re.compile(r"(?P<part>.+?)(?:\s+at\s+(?P<place>.+?))?\s*", re.IGNORECASE)
ADDRESS = re.compile(r"0x(?P<address>[0-9a-f]{1,2})(?:\s+on\s+i2c-(?P<bus>\d{1,3}))?", re.IGNORECASE)
CHIP_SELECT = re.compile(r"spi(\d{1,2})\.(\d{1,2})", re.IGNORECASE)
LINE = re.compile(r"(?:GPIO)?(\d{1,2})", re.IGNORECASE)
LOWEST_ADDRESS, HIGHEST_ADDRESS, HIGHEST_LINE = 0x03, 0x77, 27
ON_OTHER_BUSES = ("i2c-sensor", "ads1115", "ads1015")  # overlays with parameters such as i2c3
OTHER_BUSES = (0, 2, 3, 4, 5, 6)  # for which they have one


@dataclass(frozen=True)
class Chip:
    """A part by the number that is printed on it, and where it is unless that is its usual place.

    `BME280`, `BME280 at 0x77` (on I2C), `BME280 at 0x76 on i2c-3`, `MAX31855 at spi0.1`, `DHT22 at GPIO17`.

    Raises:
        ValueError: there is no such part, or it cannot be there.
    """

    text: str = field(compare=False)
    part: str = field(init=False)
    place: str = field(init=False)

    def __post_init__(self) -> None:
        found = FORM.fullmatch(self.text.strip())
        part = _part(found["part"] if found else "")
        usual = CATALOG[part].place
        place = usual if found is None or found["place"] is None else _place(part, found["place"])
        object.__setattr__(self, "part", part)
        object.__setattr__(self, "place", place)

    def __str__(self) -> str:
        return self.part if self.place == self.sheet.place else f"{self.part} at {self.place}"

    @property
    def sheet(self) -> ChipSheet:
        """What its data sheet and its driver say."""
        return CATALOG[self.part]

    @property
    def lines(self) -> tuple[int, ...]:
        """The GPIO lines that its driver holds."""
        return tuple(map(int, re.findall(r"GPIO(\d+)", self.place)))

    def needs(self) -> list[KernelChip]:
        """Return what must be so that its driver finds it."""
        sheet, on_i2c = self.sheet, ADDRESS.fullmatch(self.place)
        address = int(on_i2c["address"], 16) if on_i2c else None
        bus = int(on_i2c["bus"] or HEADERS_BUS) if on_i2c else HEADERS_BUS
        overlay = self._overlay(address, bus)
        return [
            KernelChip(
                self.part,
                sheet.names,
                self.place,
                overlay,
                f"{sheet.names[0]} {address:#04x}" if address is not None and not overlay else "",
                self.lines,
                address,
                bus,
                shipped=sheet.shipped,
                by_default=self.place == (sheet.overlay_place or sheet.place),
            )
        ]

    def _overlay(self, address: int | None, bus: int) -> str:
        """Return its overlay with parameters; empty text if there is none, or none for this bus."""
        at = self.place.replace(".", "-") if address is None else f"{address:#04x}"
        text = self.sheet.overlay.format(at=at, **{f"line{n}": line for n, line in enumerate(self.lines)})
        if bus == HEADERS_BUS:
            return text
        return f"{text},i2c{bus}" if text.startswith(ON_OTHER_BUSES) and bus in OTHER_BUSES else ""


def _part(text: str) -> str:
    """Return the part of the catalog that is meant, however its number is written."""
    known = {_plain(part): part for part in CATALOG}
    if found := known.get(_plain(text)):
        return found
    from difflib import get_close_matches  # noqa: PLC0415 - a sensor whose settings are right never needs it

    near = get_close_matches(_plain(text), known, 1)
    hint = f"; did you mean {known[near[0]]}?" if near else f", such as {', '.join([*CATALOG][:3])}"
    raise ValueError(f"the number of a part that a driver of the kernel reads{hint}")


def _plain(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def _place(part: str, text: str) -> str:
    """Return a place as the catalog writes it."""
    sheet = CATALOG[part]
    form = next(form for form in (_address, _chip_select, _lines) if form(sheet.place))
    if not (place := form(text)) or place.count("GPIO") != sheet.place.count("GPIO"):
        raise ValueError(f'"{part} at …" with a place like its usual one, {sheet.place}')
    if sheet.fixed and place.partition(" ")[0] != sheet.place:
        raise ValueError(f'"{part}": it is always at {sheet.place}')
    return place


def _address(text: str) -> str:
    found = ADDRESS.fullmatch(text.strip())
    if not found or not LOWEST_ADDRESS <= int(found["address"], 16) <= HIGHEST_ADDRESS:
        return ""
    on = f" on i2c-{int(found['bus'])}" if found["bus"] and int(found["bus"]) != HEADERS_BUS else ""
    return f"{int(found['address'], 16):#04x}{on}"


def _chip_select(text: str) -> str:
    found = CHIP_SELECT.fullmatch(text.strip())
    return f"spi{int(found[1])}.{int(found[2])}" if found else ""


def _lines(text: str) -> str:
    found = [LINE.fullmatch(word) for word in re.split(r"[\s,]+", text.strip())]
    numbers = [int(one[1]) for one in found if one and int(one[1]) <= HIGHEST_LINE]
    different = len({*numbers}) == len(found)
    return " ".join(f"GPIO{number}" for number in numbers) if different else ""
