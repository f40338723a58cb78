"""What is plugged in by wires of its own: serial ports, USB sticks, SPI, transmitters of the kernel."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bootstrap.config import kinds
from bootstrap.kernel_sensors.catalog import CATALOG
from bootstrap.needs import UsbDevice, needs_of
from penates.doctor.usb import held, plugged_in, usb_fact
from penates.scan.found_device import AdoptionOffer, FoundDevice, text_of
from penates.scan.kernel_chips import spi_thing
from penates.scan.part_offers import offers_of

SERIAL, RADIO, SPI, LIRC = "serial", "radio", "SPI", "transmitter"
# What a name in /dev/serial/by-id tells of what is behind it; the kind, or why there is none.
TOLD = (
    (re.compile("u-blox", re.IGNORECASE), "gps", ""),
    (re.compile("arduino", re.IGNORECASE), "lines", ""),
    (
        re.compile("zigbee|conbee|cc2531|sonoff|skyconnect|z-?wave|zooz|aeotec|0658_0200|hubz", re.IGNORECASE),
        "",
        "of Zigbee or Z-Wave; it stays with Zigbee2MQTT or Z-Wave JS UI, whose devices `penates adopt` lists",
    ),
)
HELD = "the kernel's driver {} holds it; `penates doctor` says how to get it"
OF_PROGRAMS = "usbfs"  # the driver that has what a program has opened
IN_USE = "a program uses it, and only one can"
FIRST_SERIAL = "00000001"  # which many makers give to all
ON_A_PORT = ("lines", "smartmeter", "gps", "pzem", "modbus", "air", "co2_serial")
HEADERS_PORT = "serial0"  # as Raspberry Pi OS calls that on the header's pins 8 and 10
UNNAMED = ("ttyUSB*", "ttyACM*")


def serial_ports(root: Path) -> Iterator[FoundDevice]:
    """Yield the serial ports, by the names that stay the same where there are such."""
    dev = root / "dev"
    named = sorted((dev / "serial/by-id").glob("*"))
    known = {one.resolve() for one in named}
    for one in named:
        yield _port(one)
    for one in (*sorted(file for form in UNNAMED for file in dev.glob(form)), dev / HEADERS_PORT):
        if one.exists() and one.resolve() not in known:
            yield _port(one)


def _port(path: Path) -> FoundDevice:
    place, certainly = str(path), path.name != HEADERS_PORT
    kind, why = next(((kind, why) for name, kind, why in TOLD if name.search(path.name)), ("", ""))
    offered = () if why else (kind,) if kind else ON_A_PORT
    offers = tuple(AdoptionOffer(one, {"port": place}) for one in offered)
    what = f"a port, now {path.resolve().name}" if path.is_symlink() else "a port"
    note = why or ("" if kind else "nothing tells what is behind it")
    return FoundDevice(SERIAL, place, what, offers, note=note, thing=str(path.resolve()), present=certainly)


def radio_sticks(root: Path) -> Iterator[FoundDevice]:
    """Yield the RTL-SDR sticks."""
    stick = _stick()
    found = [*plugged_in(replace(stick, name="", serial=""), root)]
    for number, folder in enumerate(found):
        serial = usb_fact(folder, "serial")
        by_serial = len(found) > 1 and serial not in {"", FIRST_SERIAL}
        values = {"input": f":{serial}" if by_serial else str(number)} if len(found) > 1 else {}
        note = IN_USE if held(folder, OF_PROGRAMS, root) else ""
        note = HELD.format(stick.driver) if held(folder, stick.driver, root) else note
        what = f"{usb_fact(folder, 'product') or 'RTL-SDR'}{f', serial number {serial}' if serial else ''}"
        thing = f"USB device {values.get('input', '0')}"
        offers = (AdoptionOffer("radio", values),)
        yield FoundDevice(RADIO, f"USB {folder.name}", what, offers, certain=not note, note=note, thing=thing)


def _stick() -> UsbDevice:
    """Return the USB device that the kind `radio` needs unless it is told of another input."""
    (stick,) = (need for _name, need in needs_of(kinds.find("radio", None)()) if isinstance(need, UsbDevice))
    return stick


def spi_devices(root: Path) -> Iterator[FoundDevice]:
    """Yield the chip selects that no driver has; nobody can ask who is wired to them."""
    for folder in sorted((root / "sys/bus/spi/devices").glob("spi*.*")):
        driver = (folder / "driver").resolve().name if (folder / "driver").exists() else ""
        if driver in {"", "spidev"}:
            parts = [part for part, sheet in CATALOG.items() if sheet.place.startswith("spi")]
            offers = (*offers_of(parts, folder.name),)
            note = "nothing tells what is wired to it; its chip has to be named in config.txt (docs/CHIPS.md)"
            yield FoundDevice(
                SPI, folder.name, "a chip select", offers, note=note, thing=spi_thing(folder.name), present=False
            )


def transmitters(root: Path) -> Iterator[FoundDevice]:
    """Yield the transmitters and receivers that the kernel has as /dev/lirc."""
    for path in sorted((root / "dev").glob("lirc*")):
        driver = text_of(root / f"sys/class/lirc/{path.name}/device/uevent")
        what = next((line.partition("=")[2] for line in driver.splitlines() if line.startswith("DRV_NAME=")), "lirc")
        place = str(path)
        offers = (AdoptionOffer("socket", {"pin": place}),) if what != "gpio_ir_recv" else ()
        note = "for sockets that are switched by radio: docs/RADIO_SOCKETS.md" if offers else "it receives only"
        yield FoundDevice(LIRC, place, what, offers, note=note, thing=str(path.resolve()), present=False)
