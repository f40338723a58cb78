"""The kinds that may serve a part of the catalog, or what answers at an address on I2C."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from bootstrap.config import kinds
from bootstrap.kernel_sensors.catalog import CATALOG, ChipSheet
from bootstrap.needs import HEADERS_BUS
from penates.parts import parts
from penates.scan.found_device import AdoptionOffer, on_bus

# The addresses that a part can be set to, by its data sheet, where its overlay does not fix one.
ADDRESSES: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys(("BME280", "BMP280", "BME680", "BMP388", "BMP390"), (0x76, 0x77)),
    "MS5637": (0x76,),
    **dict.fromkeys(("SHT30", "SHT31", "SHT35"), (0x44, 0x45)),
    **dict.fromkeys(("SHT40", "SHT41", "SHT45"), (0x44, 0x45, 0x46)),
    "SHT21": (0x40,),
    "HDC1080": (0x40,),
    "LM75": (*range(0x48, 0x50),),
    **dict.fromkeys(("TMP102", "ADT7410", "ADS1115", "ADS1015", "ADS7830"), (*range(0x48, 0x4C),)),
    "MCP9808": (*range(0x18, 0x20),),
    **dict.fromkeys(("HDC3020", "OPT3001"), (*range(0x44, 0x48),)),
    "BH1750": (0x23, 0x5C),
    "TSL2561": (0x29, 0x39, 0x49),
    "VEML7700": (0x10,),
    "VEML6030": (0x10, 0x48),
    **dict.fromkeys(("MCP3422", "MCP3424"), (*range(0x68, 0x70),)),
    **dict.fromkeys(("INA219", "INA226", "INA238"), (*range(0x40, 0x50),)),
    "INA3221": (*range(0x40, 0x44),),
    "VL53L0X": (0x29,),
    **dict.fromkeys(("SCD40", "SCD41"), (0x62,)),
    "SCD30": (0x61,),
    "CCS811": (0x5A, 0x5B),
}
# The displays, by the chip that answers, with the settings of their kind.
DISPLAYS: Mapping[str, tuple[tuple[int, ...], Mapping[str, str]]] = {
    "PCF8574": ((*range(0x20, 0x28),), {}),
    "PCF8574A": ((*range(0x38, 0x40),), {}),
    "SSD1306": ((0x3C, 0x3D), {"driver": "ssd1306", "size": "128x64"}),
    "SH1106": ((0x3C, 0x3D), {"driver": "sh1106", "size": "128x64"}),
}


def at_address(address: int, bus: int) -> Iterator[AdoptionOffer]:
    """Yield an offer for each part that can be at an address on I2C; first those that are usually there."""
    there = [part for part in CATALOG if address in addresses(part)]
    there.sort(key=lambda part: int(CATALOG[part].place, 16) != address)
    yield from offers_of(there, on_bus(address, bus))
    for chip, (places, values) in DISPLAYS.items():
        if address in places:
            on = {} if bus == HEADERS_BUS else {"bus": str(bus)}
            yield AdoptionOffer("lcd", {**values, **on, "address": f"{address:#04x}"}, chip)


def addresses(part: str) -> tuple[int, ...]:
    """Return the addresses that a part of the catalog can have on I2C; none if it is elsewhere."""
    sheet = CATALOG[part]
    if not sheet.place.startswith("0x"):
        return ()
    return (int(sheet.place, 16),) if sheet.fixed else ADDRESSES[part]


def offers_of(found: Iterable[str], place: str, more: Mapping[str, str] | None = None) -> Iterator[AdoptionOffer]:
    """Yield an offer for each kind that serves these parts of the catalog, at a place as a device's file names it.

    Of parts whose data sheets are alike only the first is offered; of the kinds, first that which measures most.
    """
    known: list[ChipSheet] = []
    for part in found:
        sheet = CATALOG[part]
        if sheet in known:
            continue
        known.append(sheet)
        chip = part if place in {"", sheet.place} else f"{part} at {place}"
        for kind in sorted(_kinds_of()[part], key=lambda kind: -_measured(kind, sheet)):
            yield AdoptionOffer(kind, {"chip": chip, **(more or {})}, part)


def is_plain(part: str) -> bool:
    """Return whether a part alone says what it measures, and not what somebody has wired to it."""
    return [*CATALOG[part].ranges] != ["voltage"]


def _measured(kind: str, sheet: ChipSheet) -> int:
    return len({*kinds.find(kind, None).measures} & {*sheet.ranges})


@cache
def _kinds_of() -> Mapping[str, list[str]]:
    """Return the kinds that serve each part."""
    found: dict[str, list[str]] = {}
    for one in parts():
        found.setdefault(one.part, []).append(one.kind)
    return found
