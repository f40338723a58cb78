"""A folder as the kernel's 1-Wire drivers make it: masters, probes, and what answers the trigger of a conversion."""

import ctypes
import fcntl
import os
import select
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path

CONVERSION_S = 0.02
IN_OPEN = 0x20  # inotify(7)
TRIGGER = b"trigger\n"


class OneWireFiles:
    """The folder `bus`, whose entries are links into `devices`, as below /sys."""

    def __init__(self, root: Path) -> None:
        self.bus, self.devices = root / "bus", root / "devices"
        self.bus.mkdir()
        self._answering: list[AnsweredTrigger] = []

    def master(self, number: int = 1) -> Path:
        folder = self.devices / f"w1_bus_master{number}"
        folder.mkdir(parents=True)
        (self.bus / folder.name).symlink_to(folder)
        return folder

    def answer(self, master: Path) -> "AnsweredTrigger":
        """Have a master's trigger convert the temperatures, from now on."""
        self._answering.append(AnsweredTrigger(master))
        return self._answering[-1]

    def probe(self, master: Path, serial: str, millidegrees: str = "", conversion_s: float = CONVERSION_S) -> Path:
        """Plug a probe in; return its file with the temperature."""
        folder = master / serial
        folder.mkdir()
        (self.bus / serial).symlink_to(folder)
        (folder / "conv_time").write_text(f"{1000 * conversion_s:.0f}\n")
        hold(folder / "temperature", millidegrees)
        return folder / "temperature"

    def unplug(self, serial: str) -> None:
        shutil.rmtree((self.bus / serial).resolve())
        (self.bus / serial).unlink()

    def close(self) -> None:
        for one in self._answering:
            one.close()


def hold(file: Path, millidegrees: str) -> None:
    """Replace a file as a whole, since nobody reads half a number from the kernel; nothing means a wrong checksum."""
    following = file.with_name("next")
    following.write_text(f"{millidegrees}\n" if millidegrees else "")
    with suppress(FileNotFoundError):  # unplugged in between
        following.replace(file)


class AnsweredTrigger:
    """A master's `therm_bulk_read`: whoever writes into it waits for as long as the conversion takes.

    It is a pipe that is full until somebody has opened it and the conversion is over.
    """

    def __init__(self, master: Path) -> None:
        self._file = master / "therm_bulk_read"
        self.truth: dict[Path, str] = {}  # what probes will hold after the next conversion, by their files
        self.count, self._ended = 0, False
        os.mkfifo(self._file)
        self._pipe = os.open(self._file, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, 4096)
        self._fill()
        libc = ctypes.CDLL(None)
        self._events = libc.inotify_init1(os.O_CLOEXEC)
        assert libc.inotify_add_watch(self._events, bytes(self._file), IN_OPEN) >= 0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _fill(self) -> None:
        with suppress(BlockingIOError):
            while True:
                os.write(self._pipe, b".")

    def _run(self) -> None:
        while os.read(self._events, 4096) and not self._ended:
            time.sleep(1.5 * CONVERSION_S)
            for file, millidegrees in [*self.truth.items()]:
                hold(file, millidegrees)
            self.count += 1
            written = b""
            while not written.endswith(TRIGGER):
                select.select([self._pipe], [], [])
                written += os.read(self._pipe, 4096)
            assert not written.removesuffix(TRIGGER).strip(b".")
            self._fill()

    def close(self) -> None:
        self._ended = True
        os.close(os.open(self._file, os.O_RDWR | os.O_NONBLOCK))
        self._thread.join()
        os.close(self._events)
        os.close(self._pipe)
