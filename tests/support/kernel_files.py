"""A folder that stands for /sys, with devices as the drivers of the kernel offer them: links, names, channels."""

from pathlib import Path
from typing import Any

from bootstrap.device import Device

BUSES = {"spi": "soc/spi0", "0-": "soc/i2c-0", "1-": "soc/i2c-1"}
GONE = Path("nowhere")  # what a link leads to whose file is gone between two reads


class KernelFiles:
    """The files below a `/sys` of our own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def iio(self, name: str, place: str, /, **files: str) -> Path:
        """Add a device of IIO; `place` is what it is part of, such as 1-0076, spi0.0 or dht11@4."""
        return self._device("bus/iio/devices", "iio:device{}", (name, place), files)

    def hwmon(self, name: str, place: str, /, **files: str) -> Path:
        return self._device("class/hwmon", "hwmon/hwmon{}", (name, place), files)

    def counter(self, name: str, place: str, /, **files: str) -> Path:
        return self._device("bus/counter/devices", "counter{}", (name, place), files)

    def one_wire(self, serial: str, temperature: str) -> Path:
        return self._device("bus/w1/devices", serial, ("", "w1_bus_master1"), {"temperature": temperature})

    def _device(self, folder: str, form: str, called: tuple[str, str], files: dict[str, str]) -> Path:
        name, place = called
        links = self.root / folder
        links.mkdir(parents=True, exist_ok=True)
        number = len([*links.iterdir()])
        bus = next((path for start, path in BUSES.items() if place.startswith(start)), "soc")
        device = self.root / "devices/platform" / bus / place / form.format(number)
        device.mkdir(parents=True)
        (links / device.name).symlink_to(device)
        for file, text in {**({"name": name} if name else {}), **files}.items():
            self.write(device / file, text)
        return links / device.name

    @staticmethod
    def write(file: Path, text: str) -> None:
        """Write as a driver does: with the end of a line."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n" if text else "")

    @staticmethod
    def fail(file: Path) -> None:
        """Have reads of this file fail: a folder is in its place."""
        file.unlink(missing_ok=True)
        file.mkdir()

    @staticmethod
    def lose(file: Path) -> None:
        """Have this file be listed, and gone when it is read."""
        file.unlink()
        file.symlink_to(GONE)


def values(device: Device) -> dict[str, Any]:
    """What a device reads and would be published, without what is refused."""
    reading = device.read()
    wrong = device.check(reading)
    return {name: value for name, value in reading.items() if name not in wrong}
