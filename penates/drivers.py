"""How the kernel comes to know what is wired to the Pi: for a new device's file, and for `penates doctor`."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from bootstrap.config.boot_config import FILES, MODEL, Overlay, overlays
from bootstrap.needs import HEADERS_BUS, KernelChip, Need, OneWireBus

PAGE = "docs/CHIPS.md"
I2C = "dtparam=i2c_arm=on"  # what turns on the header's bus


def steps(needs: Iterable[Need]) -> Iterator[str]:
    """Yield what makes each of these known to the kernel, as a sentence without its end."""
    for need in needs:
        match need:
            case OneWireBus(overlay=overlay) | KernelChip(overlay=overlay) if overlay:
                yield f"add `dtoverlay={overlay}` to {FILES[0]}, then restart the Pi"
            case KernelChip() if need.new_device:
                on = f"add `{I2C}` to {FILES[0]}, restart the Pi, and " if need.bus == HEADERS_BUS else ""
                yield f"{on}{_told(need)}{_unshipped(need)}"
            case KernelChip():
                yield f"Raspberry Pi OS has neither an overlay nor a driver for it: see {PAGE}"


def advice(need: OneWireBus | KernelChip, root: Path = Path("/")) -> str:
    """Return what to do about something that the kernel does not know, by what its config.txt has."""
    files = tuple(root / file.relative_to("/") for file in FILES)
    file, found = overlays(files, root / MODEL.relative_to("/"))
    if not need.overlay:
        return "; ".join(steps([need]))
    if not any(one.does(Overlay.of(need.overlay), defaults=need.by_default) for one in found):
        shown = Path("/") / file.relative_to(root) if file else FILES[0]
        return f"add dtoverlay={need.overlay} to {shown}, then restart"
    return f"dtoverlay={need.overlay} is in config.txt: restart if that is new; else check the wiring"


def _told(chip: KernelChip) -> str:
    file = f"/sys/bus/i2c/devices/i2c-{chip.bus}/new_device"
    return f"after each start run `echo {chip.new_device} | sudo tee {file}`"


def _unshipped(chip: KernelChip) -> str:
    return "" if chip.shipped else f"; its driver is not in Raspberry Pi OS: see {PAGE}"
