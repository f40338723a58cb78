"""Where a Modbus is, as a setting says it: the path of a serial port, or a host for Modbus TCP."""

from dataclasses import dataclass
from pathlib import Path

from bootstrap.hosts import a_host
from bootstrap.needs import DeviceNode, Need, NetworkHost
from bootstrap.streams import Serial, Tcp

USUAL = 502
ALLOWED = 'the full path of a serial port, or "HOST" or "HOST:PORT" for Modbus TCP'


@dataclass(frozen=True)
class BusPort:
    """A serial port that several devices may share, or a host. ValueError: it is neither."""

    text: str

    def __post_init__(self) -> None:
        try:
            if not self._is_path:
                a_host(self._host)
        except ValueError as error:
            raise ValueError(f"{ALLOWED} ({error})") from None
        if not self._is_path and not (self._number.isdecimal() and 0 < int(self._number) < 0x10000):  # noqa: PLR2004
            raise ValueError(ALLOWED)

    def __str__(self) -> str:
        return self.text

    def needs(self) -> list[Need]:
        """Return the port, or the host."""
        return [DeviceNode(Path(self.text), shared=True) if self._is_path else NetworkHost(self._host)]

    def source(self, baud: int, mode: str) -> Serial | Tcp:
        """Return what to open; speed and mode are those of a serial port."""
        return Serial(self.text, baud, mode) if self._is_path else Tcp(self._host, int(self._number))

    @property
    def _is_path(self) -> bool:
        return self.text.startswith("/")

    @property
    def _host(self) -> str:
        return self.text.rpartition(":")[0] if self.text.count(":") == 1 else self.text

    @property
    def _number(self) -> str:
        return self.text.rpartition(":")[2] if self.text.count(":") == 1 else str(USUAL)
