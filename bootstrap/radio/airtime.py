"""How much of each hour a transmitter may occupy the air, and how much it has."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from bootstrap.errors import Refused

HOUR_S = 3600.0
PART_S = 60.0  # what was sent within it is counted as one
EUROPE: Mapping[tuple[float, float], float] = {  # parts of an hour, by MHz: ERC/REC 70-03, annex 1
    (433.05, 434.79): 0.10,
    (868.0, 868.6): 0.01,
    (868.7, 869.2): 0.001,
    (869.4, 869.65): 0.10,
}


def share_in_europe(frequency_mhz: float) -> float:
    """Return which part of an hour one may send at a frequency.

    Raises:
        ValueError: everybody may send at others only; it says at which.
    """
    for (low, high), share in EUROPE.items():
        if low <= frequency_mhz <= high:
            return share
    raise ValueError(f"within {', '.join(f'{low:g}-{high:g}' for low, high in EUROPE)} MHz in Europe")


def since_boot_s() -> float:
    """Return for how long this machine has been up, in seconds."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class KeptRecord(Protocol):
    """Where the count survives a restart."""

    value: dict[str, Any]


class Airtime:
    """Counts for how long a transmitter was on the air in the last hour.

    The clock is the machine's since it was started, as nobody sets that one. After another start of the machine all
    that was counted is taken for sent just now: how long the machine was off is not known.
    """

    def __init__(self, kept: KeptRecord, share: float, boot: str, now: Callable[[], float] = since_boot_s) -> None:
        """`share` is the part of an hour that may be used; `boot` names this start of the machine."""
        self._kept, self._now, self._boot = kept, now, boot
        self.allowed_s = share * HOUR_S
        self.reserved_s = 0.0
        parts = {int(part): float(used) for part, used in kept.value.get("parts", {}).items()}
        same = kept.value.get("boot") == boot
        self._parts = parts if same else {self._part: sum(parts.values())}

    @property
    def _part(self) -> int:
        return int(self._now() // PART_S)

    def _recent(self) -> dict[int, float]:
        """Return what was sent in each minute of the last hour, in seconds."""
        first = self._now() - HOUR_S - PART_S  # a minute counts until all of it is an hour old
        self._parts = {part: used for part, used in self._parts.items() if part * PART_S > first}
        return self._parts

    @property
    def used_s(self) -> float:
        """How long it was on the air in the last hour, in seconds."""
        return sum(self._recent().values())

    def reserve(self, seconds: float) -> None:
        """Reserve time for a transmission.

        Raises:
            Refused: it would be more than is allowed; it says from when on not.
        """
        over = self.used_s + self.reserved_s + seconds - self.allowed_s
        if over > 0:
            raise Refused(
                f"{self.used_s:.1f} of {self.allowed_s:.1f} s that are allowed in an hour were sent; "
                f"this one may be sent in {self._wait_s(over):.0f} s"
            )
        self.reserved_s += seconds

    def _wait_s(self, over: float) -> float:
        """Return when so much will be more than an hour old, in seconds from now."""
        for part, used in sorted(self._recent().items()):
            over -= used
            if over <= 0:
                return (part + 1) * PART_S + HOUR_S - self._now()
        return HOUR_S

    def count(self, reserved: float, sent: float) -> None:
        """Count what was sent in place of what was reserved for it, both in seconds."""
        self.reserved_s -= reserved
        parts = self._recent()
        parts[self._part] = parts.get(self._part, 0.0) + sent
        self._kept.value = {"boot": self._boot, "parts": {str(part): round(used, 3) for part, used in parts.items()}}
