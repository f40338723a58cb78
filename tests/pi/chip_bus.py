"""The virtual Pi's buses: a simulated chip on one of them, bound to the kernel's driver, unplugged, and stuck."""

import fcntl
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pi.chip_registers import Registers
from pi.chip_sheets import ONE_WIRE, Chip

ADAPTER = Path("/sys/bus/i2c/devices/i2c-1")
STUB = Path("/sys/module/i2c_stub/parameters")
W1_DEVICES = Path("/sys/bus/w1/devices")
W1_SIMULATION = Path("/sys/kernel/w1_sim")
SLAVE_FORCE = 0x0706  # ioctl of /dev/i2c-*: this address, though a driver has it
REMOTE_IO, TIMED_OUT = 121, 110  # what a Pi's bus says when nobody answers, and when a line is held low
BIND_S = 10
MANY = 1000  # reads with a damaged answer, more than a driver tries


@dataclass
class Bus:
    """A bus with one chip."""

    chip: Chip
    sticks = False  # whether one of its lines can be held low
    cuts = False  # whether the chip can be unplugged in the midst of a read

    def setting(self) -> str:
        """Return the line of a device's file by which it finds the chip."""
        raise NotImplementedError

    def write(self, registers: Registers) -> None:
        """Put bytes into the chip's registers."""
        raise NotImplementedError

    def awake(self) -> bool:
        """Return whether its driver has told the chip to measure, where it must."""
        return True

    def damage(self, registers: Registers) -> None:
        """Have the chip's answers arrive with a wrong checksum; writing to it heals them."""
        raise NotImplementedError

    def instantiate(self) -> None:
        """Let the kernel find the chip, as at boot."""
        raise NotImplementedError

    def forget(self) -> None:
        raise NotImplementedError

    def plug(self, *, plugged: bool) -> None:
        raise NotImplementedError

    def unplug_after(self, transfers: int) -> None:
        """Let the chip answer so many transfers more."""
        raise NotImplementedError

    def stick(self, *, stuck: bool) -> None:
        """Hold a line of the bus low, or let it go."""
        raise NotImplementedError

    def folder(self) -> Path | None:
        """Return the folder of files that the driver made for the chip."""
        raise NotImplementedError

    def bind_anew(self) -> None:
        """Let the driver begin again, as at the machine's next start."""
        self.forget()
        self.instantiate()

    def bound(self) -> Path | None:
        """Wait for the driver's folder."""
        deadline = time.monotonic() + BIND_S
        while not (folder := self.folder()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return folder


@dataclass
class I2cBus(Bus):
    """The kernel's i2c-stub, with what the virtual Pi's has beyond Debian's."""

    def __post_init__(self) -> None:
        self.sticks, self.cuts = (STUB / "error").exists(), (STUB / "fuse").exists()
        self.client = ADAPTER / f"1-{self.chip.address:04x}"

    def setting(self) -> str:
        return f'chip = "{self.chip.part} at {self.chip.address:#04x}"'

    @contextmanager
    def port(self) -> Iterator[int]:
        opened = os.open("/dev/i2c-1", os.O_RDWR)
        try:
            fcntl.ioctl(opened, SLAVE_FORCE, self.chip.address)
            yield opened
        finally:
            os.close(opened)

    def write(self, registers: Registers) -> None:
        with self.port() as port:
            for register, held in registers.items():
                os.write(port, bytes([register]) + held)

    def awake(self) -> bool:
        if not self.chip.awake:
            return True
        register, mask, value = self.chip.awake
        with self.port() as port:
            os.write(port, bytes([register]))
            return int.from_bytes(os.read(port, 2), "big") & mask == value

    def damage(self, registers: Registers) -> None:
        last = max(registers, key=lambda register: (register + 1) % 256)
        self.write({**registers, last: registers[last][:-1] + bytes([registers[last][-1] ^ 1])})

    def instantiate(self) -> None:
        (ADAPTER / "new_device").write_text(f"{self.chip.driver} {self.chip.address:#04x}")

    def forget(self) -> None:
        if self.client.exists():
            (ADAPTER / "delete_device").write_text(f"{self.chip.address:#04x}")

    def plug(self, *, plugged: bool) -> None:
        (STUB / "absent").write_text(str(int(not plugged)))

    def unplug_after(self, transfers: int) -> None:
        (STUB / "fuse").write_text(str(transfers))

    def stick(self, *, stuck: bool) -> None:
        (STUB / "error").write_text(str(TIMED_OUT if stuck else REMOTE_IO))
        self.plug(plugged=not stuck)

    def folder(self) -> Path | None:
        found = [*self.client.glob("hwmon/hwmon*"), *self.client.glob("iio:device*")]
        return found[0] if found else None


@dataclass
class OneWireBus(Bus):
    """The virtual Pi's simulated 1-Wire bus."""

    plugged = True

    def __post_init__(self) -> None:
        self.serial = f"28-{self.chip.address:012x}"
        self.simulated = W1_SIMULATION / self.serial

    def setting(self) -> str:
        return f'serial = "{self.serial}"'

    def write(self, registers: Registers) -> None:
        (self.simulated / "corrupt").write_text("0")
        for held in registers.values():
            (self.simulated / "temp").write_text(held.decode())

    def damage(self, registers: Registers) -> None:
        self.write(registers)
        (self.simulated / "corrupt").write_text(str(MANY))

    def instantiate(self) -> None:
        if not self.simulated.exists():
            (W1_SIMULATION / "add").write_text(self.serial)
        self.plug(plugged=self.plugged)
        (W1_DEVICES / "w1_bus_master1" / "w1_master_search").write_text("-1")

    def forget(self) -> None:
        if self.simulated.exists():
            (W1_SIMULATION / "remove").write_text(self.serial)
        if (W1_DEVICES / self.serial).exists():
            (W1_DEVICES / "w1_bus_master1" / "w1_master_remove").write_text(self.serial)

    def plug(self, *, plugged: bool) -> None:
        self.plugged = plugged
        if self.simulated.exists():
            (self.simulated / "present").write_text(str(int(plugged)))

    def folder(self) -> Path | None:
        folder = W1_DEVICES / self.serial
        return folder if (folder / "temperature").exists() else None


@contextmanager
def bus_with(chip: Chip) -> Iterator[Bus]:
    """Simulate a bus with this chip, powered on, that no driver knows yet.

    Raises:
        subprocess.CalledProcessError: the kernel lacks the simulation or the driver.
    """
    subprocess.run(["modprobe", chip.module], check=True)
    bus: Bus
    if chip.module == ONE_WIRE:
        bus = OneWireBus(chip)
    else:
        subprocess.run(["modprobe", "-r", "i2c-stub"], check=True)
        how = [f"chip_addr={chip.address:#04x}", f"byte_regs={int(chip.byte_registers)}"]
        subprocess.run(["modprobe", "i2c-stub", *how], check=True)
        bus = I2cBus(chip)
        bus.write(chip.power_on)
    try:
        yield bus
    finally:
        if bus.sticks:
            bus.stick(stuck=False)
        bus.plug(plugged=True)
        bus.forget()
