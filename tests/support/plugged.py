"""A microcontroller on a serial port: a pseudo-terminal behind a link, as udev makes them in /dev/serial/by-id."""

import os
import pty
import tty
from pathlib import Path


class Plugged:
    """A device that can be pulled out and plugged in again; its path stays the same."""

    def __init__(self, folder: Path, name: str = "port") -> None:
        self.path = folder / name
        self.plug_in()

    def plug_in(self) -> None:
        self._far, self._near = pty.openpty()
        tty.setraw(self._far)
        self.path.symlink_to(os.ttyname(self._near))

    def write(self, *lines: str) -> None:
        self.send("".join(f"{line}\r\n" for line in lines).encode())

    def send(self, data: bytes) -> None:
        os.write(self._far, data)

    def unplug(self) -> None:
        self.path.unlink()
        os.close(self._near)
        os.close(self._far)

    def close(self) -> None:
        if self.path.is_symlink():
            self.unplug()
