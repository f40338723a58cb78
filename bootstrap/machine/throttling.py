"""What a Raspberry Pi tells of low voltage and heat: what is so now, and whether it was so since the start."""

from pathlib import Path

from bootstrap.device import Kept
from bootstrap.sysfs import boot_id, hexadecimal

# Its bits now; the same ones shifted by 16: since the start (raspberrypi.com, vcgencmd get_throttled).
UNDER_VOLTAGE, CAPPED, THROTTLED, HOT = 0x1, 0x2, 0x4, 0x8
ANY = UNDER_VOLTAGE | CAPPED | THROTTLED | HOT
SINCE = 16
PLACE = "sys/devices/platform/soc/soc:firmware/get_throttled"
PLACES = "sys/devices/platform/soc*/soc*:firmware/get_throttled"  # of newer ones


class Throttling:
    """What the firmware has told since this machine was started.

    The kernel may clear the firmware's own memory of it whenever it looks itself, so what was once seen is kept.
    """

    def __init__(self, root: Path, kept: Kept[dict[str, str | int]], boot: str = "") -> None:
        """Read below `root`, and keep what was seen in `kept`; `boot` names this start of the machine."""
        self._root, self._kept, self._boot = root, kept, boot or boot_id()

    def look(self) -> int:
        """Return the bits now, and above them those since the start.

        Raises:
            OSError: the machine does not tell; FileNotFoundError if it is no Raspberry Pi.
            ValueError: it tells no number.
        """
        bits = hexadecimal(self._file)
        since = self._seen | bits >> SINCE & ANY | bits & ANY
        if since != self._seen:
            self._kept.value = {"boot": self._boot, "bits": since}
        return bits & ANY | since << SINCE

    @property
    def _seen(self) -> int:
        kept = self._kept.value
        return int(kept.get("bits", 0)) if kept.get("boot") == self._boot else 0

    @property
    def _file(self) -> Path:
        return next(iter(self._root.glob(PLACES)), self._root / PLACE)
