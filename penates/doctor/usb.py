"""What `penates doctor` checks of a USB device that is opened as a whole, such as a radio stick."""

from collections.abc import Iterator
from pathlib import Path

from bootstrap.needs import UsbDevice
from penates.doctor.findings import Finding, bad, good, unknown
from penates.doctor.machine import SensorUser
from penates.installer.device_needs import USB, USB_GROUP

CHECK = "usb"
SYSFS = Path("sys/bus/usb")


def usb(need: UsbDevice, user: SensorUser, root: Path) -> Iterator[Finding]:
    """Check whether such a device is plugged in, whether the kernel keeps it for itself, and who may open it."""
    if user.nodes is not None and USB not in user.nodes.split():
        yield bad(CHECK, f"its unit may not open {USB}", "sudo penates install, which rewrites its unit")
    elif not need.ids:
        yield unknown(CHECK, f"which USB device {need.name} is, only its program knows", "lsusb lists all")
    elif found := [*plugged_in(need, root)]:
        yield _usable(found, need, user, root)
    else:
        which = f" with the serial number {need.serial}" if need.serial else ""
        yield bad(CHECK, f"there is no USB device {' or '.join(need.ids)}{which}", "is it plugged in? lsusb lists all")


def _usable(found: list[Path], need: UsbDevice, user: SensorUser, root: Path) -> Finding:
    """Check whether the first of some devices that is free may be opened."""
    free = [one for one in found if not held(one, need.driver, root)]
    if not free:
        unload = f"sudo modprobe -r {need.driver}"
        advice = f"echo blacklist {need.driver} | sudo tee /etc/modprobe.d/{need.driver}.conf; {unload}"
        return bad(CHECK, f"the kernel's driver {need.driver} holds it, so that nobody else can open it", advice)
    bus, device = (int(usb_fact(free[0], name) or 0) for name in ("busnum", "devnum"))
    node = root / f"dev/bus/usb/{bus:03}/{device:03}"
    if node.exists() and not user.may(node):
        return bad(CHECK, f"{user.name} may not open /{node.relative_to(root)}", _join(user))
    return good(CHECK, f"{usb_fact(free[0], 'product') or free[0].name} is plugged in")


def _join(user: SensorUser) -> str:
    return f"sudo usermod -aG {USB_GROUP} {user.name}; restart it"


def plugged_in(need: UsbDevice, root: Path) -> Iterator[Path]:
    """Yield the folder of each device that it may be."""
    for folder in sorted((root / SYSFS / "devices").glob("*")):
        numbers = f"{usb_fact(folder, 'idVendor')}:{usb_fact(folder, 'idProduct')}"
        if numbers in need.ids and need.serial in ("", usb_fact(folder, "serial")):
            yield folder


def held(folder: Path, driver: str, root: Path) -> bool:
    """Return whether a driver of the kernel holds an interface of a device."""
    return bool(driver) and any((root / SYSFS / "drivers" / driver).glob(f"{folder.name}:*"))


def usb_fact(folder: Path, name: str) -> str:
    """Return what a file of a device says; nothing if it has none."""
    try:
        return (folder / name).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
