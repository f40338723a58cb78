"""A user's own module of two devices, as text, and the settings of a device that was made by it."""

from dataclasses import asdict
from typing import Any

from bootstrap.config.loader import check
from support.world import House

RAIN = '''
"""Mine."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from bootstrap.device import Device, Measure, Pin
from bootstrap.limits import Limits

Address: TypeAlias = Annotated[int, Limits(3, 0x77, "I2C address")]


@dataclass(kw_only=True)
class Gauge(Device):
    """What gauges share."""

    offset: float = -0.5  # what it shows when dry


@dataclass(kw_only=True)
class Rain(Gauge):
    """A tipping bucket.

    It says "tip" often.

    Wiring: one leg to `pin`,
    the other to GND.
    """

    port: str  # where it is plugged in, such as /dev/ttyUSB0; see dmesg
    reset_pin: Pin | None = None
    # How it counts: "up", or
    # "down".
    way: Literal["up", "down"] = "up"  # it matters
    words: list[str] = field(default_factory=lambda: ["a\\\\b", "c"])
    unexplained: bool = False

    # A folder, such as "here".
    place: Path | None = None
    address: Address = 0x40
    secret: str = field(default="x", repr=False)

    rain = Measure("mm", low=0, step=5)
    tips = Measure("1", event=True)

    def read(self) -> dict[str, float]:
        return {}

    def act_reset(self, value: object) -> None:
        """Begin anew."""
'''


def device(house: House, name: str) -> dict[str, Any]:
    return asdict(next(found for found in check(house.folder) if found.file == f"devices/{name}.toml").device)
