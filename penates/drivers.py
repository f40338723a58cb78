"""How the kernel comes to know what is wired to the Pi: for a new device's file, and for `penates doctor`."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from bootstrap.config.boot_config import FILES, MODEL, Overlay, overlays
from bootstrap.needs import HEADERS_BUS, KernelChip, KernelPwm, Need, OneWireBus
from bootstrap.pins import header_pwm

PAGE = "docs/CHIPS.md"
PWM_OVERLAYS = ("pwm", "pwm-2chan")
I2C = "dtparam=i2c_arm=on"  # what turns on the header's bus


def steps(needs: Iterable[Need]) -> Iterator[str]:
    """Yield what makes each of these known to the kernel, as a sentence without its end."""
    for need in needs:
        match need:
            case OneWireBus(overlay=overlay) | KernelChip(overlay=overlay) if overlay:
                yield f"add `dtoverlay={overlay}` to {FILES[0]}, then restart the Pi"
            case KernelPwm(lines):
                yield f"add `dtoverlay={header_pwm.overlay(lines)}` to {FILES[0]}, then restart the Pi"
            case KernelChip() if need.new_device:
                on = f"add `{I2C}` to {FILES[0]}, restart the Pi, and " if need.bus == HEADERS_BUS else ""
                yield f"{on}{_told(need)}{_unshipped(need)}"
            case KernelChip():
                yield f"Raspberry Pi OS has neither an overlay nor a driver for it: see {PAGE}"


def pwm_advice(line: int, root: Path = Path("/")) -> str:
    """Return what to do about a line on which the kernel has no PWM, by what its config.txt has."""
    file, found = _overlays(root)
    ours = [one for one in found if one.name in PWM_OVERLAYS]
    has = sorted({driven for one in ours for driven in _driven(one)})
    shown = Path("/") / file.relative_to(root) if file else FILES[0]
    if line in has:
        return f"GPIO{line} is in config.txt: restart if that is new; else `dtparam=audio=off` may be missing"
    if not has:
        return f"add dtoverlay={header_pwm.overlay([line])} to {shown}, then restart"
    other = next((one for one in has if one != header_pwm.shared_channel(line)), None)
    wanted = header_pwm.overlay([line] if other is None else [line, other])
    return (
        f"in {shown} replace dtoverlay={ours[-1].name} by dtoverlay={wanted}, then restart: one overlay sets all lines"
    )


def _driven(one: Overlay) -> Iterator[int]:
    """Yield the lines of an overlay for PWM."""
    names = ("pin", "pin2") if one.name == PWM_OVERLAYS[1] else ("pin",)
    for name, default in zip(names, header_pwm.DEFAULTS, strict=False):
        text = one.params.get(name, str(default))
        yield from [int(text)] if text.isdecimal() else []


def _overlays(root: Path) -> tuple[Path | None, list[Overlay]]:
    files = tuple(root / file.relative_to("/") for file in FILES)
    return overlays(files, root / MODEL.relative_to("/"))


def advice(need: OneWireBus | KernelChip, root: Path = Path("/")) -> str:
    """Return what to do about something that the kernel does not know, by what its config.txt has."""
    file, found = _overlays(root)
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
