"""What was found on this machine, and how it becomes a sensor."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bootstrap.needs import HEADERS_BUS

ANY_NAME = "NAME"


@dataclass(frozen=True)
class AdoptionOffer:
    """A kind that may serve what was found.

    Attributes:
        kind: its name.
        values: the settings that are known, as one types them.
        part: the number of the part that it would be; empty if that does not matter.
        gateway: the sensor that is to carry it, as `group/sensor`; empty if it becomes a sensor of its own.
    """

    kind: str
    values: Mapping[str, str] = field(default_factory=dict)
    part: str = ""
    gateway: str = ""

    @property
    def name(self) -> str:
        """A name for a sensor, from what it would be."""
        return "".join(sign for sign in (self.part or self.kind).lower() if sign.isalnum())

    @property
    def words(self) -> list[str]:
        """The settings as they stand on the command line."""
        return [f"{name}={value}" for name, value in self.values.items()]

    def command(self, name: str = ANY_NAME) -> str:
        """Return the command that adopts it as a sensor of this name."""
        if self.gateway:
            options = [word for key, value in self.values.items() for word in (f"--{key}", value)]
            return shlex.join(["penates", "new", name, "--from", self.gateway, *options])
        return shlex.join(["penates", "new", self.kind, name, *self.words])


@dataclass(frozen=True)
class FoundDevice:
    """Something that is connected.

    Attributes:
        area: where it was looked for, such as `1-Wire`.
        place: where it is, such as `0x76 on i2c-1`.
        what: what it is, as far as that can be known.
        offers: the kinds that may serve it, the likeliest first.
        certain: whether the first of them can be no other, and needs no other setting.
        note: what else there is to know.
        present: whether there certainly is a device, and not only a place for one.
        thing: by which a sensor that uses it claims it (see `claims`); empty if none can.
    """

    area: str
    place: str
    what: str
    offers: tuple[AdoptionOffer, ...] = ()
    certain: bool = False
    note: str = ""
    thing: str = ""
    present: bool = True

    def facts(self, adopted: str) -> dict[str, Any]:
        """Return it in a form for JSON; `adopted` is the sensor that has it, or empty."""
        offers = [
            {"kind": one.kind, "part": one.part, "settings": {**one.values}, "command": one.command()}
            for one in self.offers
        ]
        shown = {"area": self.area, "place": self.place, "what": self.what, "note": self.note}
        return {**shown, "adopted": adopted or None, "certain": self.certain, "offers": offers}


@dataclass(frozen=True)
class NotLookedAt:
    """What could not be looked at, or was left alone, and why."""

    area: str
    place: str
    why: str


def on_bus(address: int, bus: int) -> str:
    """Return a place on I2C as a device's file names it."""
    return f"{address:#04x}" if bus == HEADERS_BUS else f"{address:#04x} on i2c-{bus}"


def text_of(file: Path) -> str:
    """Return what a file of the kernel says, without the end of its line; empty text if it cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return ""
