"""Making sensors of what was found: a file each, or a section in the file of a gateway."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from bootstrap.config.loader import Configuration
from bootstrap.config.toml_file import SettingsError
from bootstrap.contract.topics import ID_RULE, is_id
from penates.console.questions import ask, ask_settings
from penates.datasheet import settings_of, sheet
from penates.files.gateway_sections import Adopting
from penates.files.new_device import NewDevice, values_of
from penates.scan.found_device import AdoptionOffer, FoundDevice
from penates.scan.i2c_buses import AREA as I2C
from penates.scan.machine_scan import look

ANY_CHANNEL = "sysfs"  # the kind of what has no other
LEAVE = "-"


def adopt_all(folder: Path, root: Path, *, asks: bool) -> Iterator[str]:
    """Adopt what is wanted of what is connected, or without questions what is certain. Yields what was done.

    Raises:
        OSError: a file cannot be written.
    """
    free = look(Configuration(folder.absolute(), secrets=False), root).free
    left = 0
    for one in free:
        wanted = _wanted(folder, one) if asks else _certain(folder, one)
        if wanted:
            yield from _adopt(folder, one, *wanted, asks=asks)
        else:
            left += one.present
    if left:
        yield "what else is connected, and how to adopt it: penates scan"


def _certain(folder: Path, one: FoundDevice) -> tuple[AdoptionOffer, str] | None:
    """Return what a device is to be, and its name, if it can be nothing else."""
    return (one.offers[0], free_name(one.offers[0], _taken(folder))) if one.certain else None


def _wanted(folder: Path, one: FoundDevice) -> tuple[AdoptionOffer, str] | None:
    """Ask what a device is to be, and its name."""
    if not one.present or one.offers[0].kind == ANY_CHANNEL:
        return None
    print(f"{one.place}: {one.what}{f'; {one.note}' if one.note else ''}")
    offer = one.offers[0]
    if not one.certain:
        for number, other in enumerate(one.offers, 1):
            print(f"  {number}  {other.kind}: {other.part or sheet(other.kind, None).summary}")
        chosen = ask("  which one, 0 to leave it", "0", lambda typed: _no_number(typed, len(one.offers)))
        if int(chosen) == 0:
            return None
        offer = one.offers[int(chosen) - 1]
    usual = free_name(offer, _taken(folder))
    name = ask(f"  its name, {LEAVE} to leave it", usual, lambda typed: "" if is_id(typed) else f"it must be {ID_RULE}")
    return None if name == LEAVE else (offer, name)


def _no_number(typed: str, highest: int) -> str:
    return "" if typed.isdecimal() and int(typed) <= highest else f"enter a number from 0 to {highest}"


def _adopt(folder: Path, one: FoundDevice, offer: AdoptionOffer, name: str, *, asks: bool) -> Iterator[str]:
    """Adopt one; if that cannot be, yield why not, so that the others are adopted all the same."""
    try:
        if offer.gateway:
            adopting = Adopting.at(folder, offer.gateway, name)
            file = adopting.write(values_of(settings_of(adopting.adopts), offer.words, folder))
            yield f"{file}: [{adopting.section}] was added, for {one.place}"
            return
        found = sheet(offer.kind, folder)
        values = values_of(found.settings, offer.words, folder)
        new = NewDevice(folder, name, found, values | (ask_settings(found, values, folder) if asks else {}))
        new.write()
    except SettingsError as error:
        yield str(error)
        return
    yield f"{new.file} was written, for {one.place}"
    if new.missing:
        yield f"  still to be set in that file: {', '.join(new.missing)}"
    yield from (f"  Driver: {step}." for step in found.driver(new.values) if one.area == I2C)


def _taken(folder: Path) -> Iterable[str]:
    """Return the names that sensors of the house have: of files, and in those of gateways."""
    house = Configuration(folder, secrets=False)
    return {*house.sensors, *(name for settings in house.all().values() for name in settings.carried)}


def free_name(offer: AdoptionOffer, taken: Iterable[str]) -> str:
    """Return a name for the sensor that an offer would be, which none of those `taken` has."""
    used, name, count = {*taken}, offer.name, 2
    while name in used:
        name, count = f"{offer.name}-{count}", count + 1
    return name
