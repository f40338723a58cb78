"""On the machine itself, as root: an RTL-SDR stick in its USB, which hears what it is told, and is pulled out and back.

There is no such stick: the kernel's dummy_hcd is the socket, and this program is the device behind FunctionFS. It
answers as the chips RTL2832U and R820T do, as far as librtlsdr asks, and sends samples as they would.

Each line of standard input is `send ID CHANNEL CELSIUS` (a thermometer), `pull` or `plug`; each is answered by `done`.
With the last line it ends. A `pull` takes the device away from whoever has it open, as a hand would.
"""

import os
import queue
import struct
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from support.transmitters import RATE, nexus, samples

GADGET = Path("/sys/kernel/config/usb_gadget/stick")
FUNCTION = Path("/dev/ffs-stick")
NAMES = {"manufacturer": "Realtek", "product": "RTL2838UHIDIR", "serialnumber": "00000001"}
SOCKET = "dummy_udc.0"
MAGIC_DESCRIPTORS, MAGIC_STRINGS = 3, 2
FULL_SPEED, HIGH_SPEED, ALL_REQUESTS = 1, 2, 64  # flags: descriptors that follow; requests of any recipient are ours
INTERFACE = struct.pack("<9B", 9, 4, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0)
ENDPOINT = "<BBBBHB"
BULK_IN, BULK = 0x81, 2
EVENT = struct.Struct("<BBHHHB3x")
SETUP = 4
IN = 0x80
I2C_BLOCK, TUNER = 6, 0x34
TUNER_SAYS = bytes([0x69, 0, 0x02, 0, 0x10])  # that it is an R820T, its loop is locked, its filter is calibrated
CHUNK = 16_384  # bytes of samples that are sent at once
CHUNK_S = CHUNK / 2 / RATE
SILENCE = bytes([127, 128]) * (CHUNK // 2)


def descriptors() -> bytes:
    """Return what the stick says of itself: one interface of its own class, with one endpoint for samples."""
    speeds = [INTERFACE + struct.pack(ENDPOINT, 7, 5, BULK_IN, BULK, most, 0) for most in (64, 512)]
    body = struct.pack("<II", 2, 2) + b"".join(speeds)
    flags = FULL_SPEED | HIGH_SPEED | ALL_REQUESTS
    return struct.pack("<III", MAGIC_DESCRIPTORS, 12 + len(body), flags) + body


def answer(value: int, index: int, length: int) -> bytes:
    """Return what a register holds: of those that librtlsdr reads, only the tuner's mean something."""
    is_tuner = index >> 8 == I2C_BLOCK and value & 0xFF == TUNER
    return (TUNER_SAYS if is_tuner else b"").ljust(length, b"\0")[:length]


class Stick:
    """The device. A context manager: it is gone after it."""

    def __init__(self) -> None:
        subprocess.run(["modprobe", "-a", "dummy_hcd", "libcomposite", "usb_f_fs"], check=True)
        self._air: queue.Queue[bytes] = queue.Queue()
        self._stack = ExitStack()
        self._make()
        self._control = os.open(FUNCTION / "ep0", os.O_RDWR)
        os.write(self._control, descriptors())
        os.write(self._control, struct.pack("<IIII", MAGIC_STRINGS, 16, 0, 0))
        self._samples = os.open(FUNCTION / "ep1", os.O_WRONLY)
        for work in (self._obey, self._receive):
            threading.Thread(target=work, daemon=True).start()
        self.plug()

    def _make(self) -> None:
        """Describe the device to the kernel."""
        for folder in ("strings/0x409", "configs/c.1", "functions/ffs.stick"):
            (GADGET / folder).mkdir(parents=True)
        for name, value in {"idVendor": "0x0bda", "idProduct": "0x2838", "bcdDevice": "0x0100"}.items():
            (GADGET / name).write_text(value)
        for name, value in NAMES.items():
            (GADGET / "strings/0x409" / name).write_text(value)
        (GADGET / "configs/c.1/ffs.stick").symlink_to(GADGET / "functions/ffs.stick")
        FUNCTION.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "functionfs", "stick", FUNCTION], check=True)

    def plug(self) -> None:
        (GADGET / "UDC").write_text(SOCKET)

    def pull(self) -> None:
        (GADGET / "UDC").write_text("\n")

    def hear(self, transmission: bytes) -> None:
        self._air.put(transmission)

    def _obey(self) -> None:
        """Answer requests; whatever is written to a register is taken."""
        while True:
            event = os.read(self._control, EVENT.size)
            kind, _request, value, index, length, what = EVENT.unpack(event)
            if what != SETUP:
                continue
            with suppress(OSError):  # whoever asked is gone
                if kind & IN:
                    os.write(self._control, answer(value, index, length))
                else:
                    os.read(self._control, length)

    def _receive(self) -> None:
        """Send samples in real time, as long as somebody fetches them."""
        due, rest = time.monotonic(), b""
        while True:
            while len(rest) < CHUNK and not self._air.empty():
                rest += self._air.get()
            chunk, rest = (rest + SILENCE)[:CHUNK], rest[CHUNK:]
            try:
                os.write(self._samples, chunk)
            except OSError:  # it is pulled out
                time.sleep(CHUNK_S)
            due = max(due + CHUNK_S, time.monotonic() - 1)
            time.sleep(max(0.0, due - time.monotonic()))

    def close(self) -> None:
        """Take it away, and all that was made for it."""
        with suppress(OSError):
            self.pull()
        os.close(self._samples)
        os.close(self._control)
        (GADGET / "configs/c.1/ffs.stick").unlink()
        subprocess.run(["umount", "--lazy", FUNCTION], check=True)
        for folder in ("functions/ffs.stick", "configs/c.1", "strings/0x409", "."):
            (GADGET / folder).rmdir()


def main() -> None:
    """Serve until standard input ends."""
    stick = Stick()
    print("done", flush=True)
    for line in sys.stdin:
        match line.split():
            case ["send", id_, channel, celsius]:
                stick.hear(samples([nexus(int(id_), int(channel), float(celsius))]))
            case ["pull"]:
                stick.pull()
            case ["plug"]:
                stick.plug()
        print("done", flush=True)
    stick.close()


if __name__ == "__main__":
    main()
