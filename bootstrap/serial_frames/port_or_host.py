"""Where a device is, as a setting says it: the path of a serial port, or a host that passes one on over TCP."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bootstrap.hosts import a_host
from bootstrap.needs import DeviceNode, Need, NetworkHost, TextSetting
from bootstrap.streams import Serial, Tcp

HIGHEST = 65_535
ON_PINS = re.compile(r"(serial|ttyAMA|ttyS)\d+")


@dataclass(frozen=True)
class PortOrHost(TextSetting):
    """The full path of a serial port, or `HOST:PORT`. ValueError: it is neither.

    A subclass says whether several devices may share the port, which TCP port is the usual one, and which mark a host
    may have before it.
    """

    shared: ClassVar[bool] = False
    usual: ClassVar[int] = 0
    mark: ClassVar[str] = ""

    def __post_init__(self) -> None:
        if self.path is not None:
            return
        allowed = f'the full path of a serial port, or "HOST:PORT"{" or HOST" if self.usual else ""}'
        try:
            a_host(self._host)
        except ValueError as error:
            raise ValueError(f"{allowed} ({error})") from None
        if not (self._number.isdecimal() and 0 < int(self._number) <= HIGHEST):
            raise ValueError(allowed)

    def needs(self) -> list[Need]:
        """Return the port, or the host."""
        return [NetworkHost(self._host) if self.path is None else DeviceNode(self.path, self.shared)]

    def source(self, baud: int, mode: str = "8N1") -> Serial | Tcp:
        """Return what to open; speed and mode are those of a serial port."""
        return Tcp(self._host, int(self._number)) if self.path is None else Serial(self.path, baud, mode)

    @property
    def path(self) -> Path | None:
        """The path; None if it is a host."""
        return Path(self.text) if self.text.startswith("/") else None

    @property
    def on_pins(self) -> bool:
        """Whether it is a port of the Pi itself, on its pins, not one on USB or of another host."""
        return self.path is not None and any(ON_PINS.fullmatch(one.name) for one in (self.path, self.path.resolve()))

    @property
    def _parts(self) -> tuple[str, str]:
        """The host and the number of its port; an IPv6 address has more colons, and the usual port."""
        text = self.text.removeprefix(self.mark)
        host, colon, number = text.rpartition(":") if text.count(":") == 1 else (text, "", "")
        return host, number if colon else str(self.usual)

    @property
    def _host(self) -> str:
        return self._parts[0]

    @property
    def _number(self) -> str:
        return self._parts[1]
