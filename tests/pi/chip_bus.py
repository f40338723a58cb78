"""The virtual Pi's I2C bus: a chip of registers on it, bound to the kernel's driver, unplugged, and stuck."""

import fcntl
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pi.chip_registers import Registers
from pi.chip_sheets import Chip

ADAPTER = Path("/sys/bus/i2c/devices/i2c-1")
STUB = Path("/sys/module/i2c_stub/parameters")
SLAVE_FORCE = 0x0706  # ioctl of /dev/i2c-*: this address, though a driver has it
REMOTE_IO, TIMED_OUT = 121, 110  # what a Pi's bus says when nobody answers, and when a line is held low
BIND_S = 10


@dataclass
class Bus:
    """A bus with one chip."""

    chip: Chip

    def write(self, registers: Registers) -> None:
        """Put bytes into the chip's registers."""
        port = os.open("/dev/i2c-1", os.O_RDWR)
        try:
            fcntl.ioctl(port, SLAVE_FORCE, self.chip.address)
            for register, held in registers.items():
                os.write(port, bytes([register]) + held)
        finally:
            os.close(port)

    def read(self, register: int) -> int:
        """Return the two bytes from a register on, the high one first."""
        port = os.open("/dev/i2c-1", os.O_RDWR)
        try:
            fcntl.ioctl(port, SLAVE_FORCE, self.chip.address)
            os.write(port, bytes([register]))
            return int.from_bytes(os.read(port, 2), "big")
        finally:
            os.close(port)

    def awake(self) -> bool:
        """Return whether its driver has told the chip to measure, where it must."""
        if not self.chip.awake:
            return True
        register, mask, value = self.chip.awake
        return self.read(register) & mask == value

    def instantiate(self) -> None:
        """Tell the kernel of the chip, as an overlay does at boot."""
        (ADAPTER / "new_device").write_text(f"{self.chip.driver} {self.chip.address:#04x}")

    def forget(self) -> None:
        (ADAPTER / "delete_device").write_text(f"{self.chip.address:#04x}")

    def bind_anew(self) -> None:
        """Let the driver begin again, as at the machine's next start."""
        self.forget()
        self.instantiate()

    def plug(self, *, plugged: bool) -> None:
        (STUB / "absent").write_text(str(int(not plugged)))

    def unplug_after(self, transfers: int) -> None:
        """Let the chip answer so many transfers more."""
        (STUB / "fuse").write_text(str(transfers))

    def stick(self, *, stuck: bool) -> None:
        """Hold a line of the bus low, or let it go."""
        (STUB / "error").write_text(str(TIMED_OUT if stuck else REMOTE_IO))
        self.plug(plugged=not stuck)

    def folder(self) -> Path | None:
        """Return the folder of files that the driver made for the chip."""
        client = ADAPTER / f"1-{self.chip.address:04x}"
        found = [*client.glob("hwmon/hwmon*"), *client.glob("iio:device*")]
        return found[0] if found else None

    def bound(self) -> Path | None:
        """Wait for the driver's folder."""
        deadline = time.monotonic() + BIND_S
        while not (folder := self.folder()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return folder


@contextmanager
def bus_with(chip: Chip) -> Iterator[Bus]:
    """Simulate a bus with this chip, powered on, that no driver knows yet.

    Raises:
        subprocess.CalledProcessError: the kernel lacks the simulation or the driver.
    """
    subprocess.run(["modprobe", "-r", "i2c-stub"], check=True)
    how = [f"chip_addr={chip.address:#04x}", f"byte_regs={int(chip.byte_registers)}"]
    subprocess.run(["modprobe", "i2c-stub", *how], check=True)
    subprocess.run(["modprobe", chip.module], check=True)
    bus = Bus(chip)
    bus.write(chip.power_on)
    try:
        yield bus
    finally:
        bus.stick(stuck=False)
        if (ADAPTER / f"1-{chip.address:04x}").exists():
            bus.forget()
