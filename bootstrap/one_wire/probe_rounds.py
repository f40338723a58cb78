"""What becomes of the answers of probes: readings of adopted ones, and the list of those that nobody has adopted."""

import errno

from bootstrap.device import Reading
from bootstrap.gateway import Gateway
from bootstrap.logs import log
from bootstrap.one_wire.bus_reader import BusReader, BusRound

SHOWN = 5  # serial numbers
WAYS = ("bulk", "each", "both", "none")


class ProbeRounds:
    """Publishes for one gateway what each round over its bus has brought."""

    def __init__(self, gateway: Gateway, reader: BusReader) -> None:
        self._gateway, self._reader = gateway, reader
        self._last = BusRound()
        self._strangers = set[str]()
        self._told = dict[str, bool]()  # by master: whether the log says that its probes are converted at once

    def read(self) -> Reading:
        """Read the bus; this may run in a worker thread. `complete` then publishes what that has brought."""
        self._last = self._reader.read()
        return {"probes": self._last.answered, "conversion": self._last.conversion}

    def complete(self, reading: Reading) -> Reading:
        """Publish for each probe, list those that nobody has adopted, and return the reading.

        Raises:
            OSError: there is no bus.
        """
        found = self._last
        self._publish(found)
        self._list_strangers(found)
        for name, why in found.why_each.items():
            self._tell(name, why)
        if found.problem:
            raise found.problem
        return reading

    def _publish(self, found: BusRound) -> None:
        """Publish for the adopted probes; nothing for one whose turn has not come."""
        for sensor in self._gateway.sensors.values():
            serial = str(sensor.key["serial"])
            if answer := found.values.get(serial):
                self._gateway.publish(sensor, {"temperature": answer.temperature}, answer.at)
            elif serial not in found.serials:
                self._gateway.publish(sensor, {"temperature": found.problem or _absent(serial, found)})

    def _list_strangers(self, found: BusRound) -> None:
        for serial in self._strangers - found.serials:
            self._gateway.no_longer_unknown({"serial": serial})
        self._strangers = {one for one in found.serials if self._gateway.find(serial=one) is None}
        for serial in sorted(self._strangers & found.values.keys()):
            value = found.values[serial].temperature
            shown = f"{value:g} °C" if isinstance(value, float) else f"no answer: {value}"
            self._gateway.unknown({"serial": serial}, shown)

    def _tell(self, master: str, why: str) -> None:
        """Log how the probes are converted, once and whenever that changes."""
        if self._told.get(master) != (at_once := not why):
            self._told[master] = at_once
            if at_once:
                log.info("its probes are converted all at once", bus=master)
            else:
                log.warning("its probes are converted one after the other, 0.8 s each", bus=master, why=why)


def _absent(serial: str, found: BusRound) -> OSError:
    there = ", ".join(sorted(found.serials)[:SHOWN])
    return FileNotFoundError(errno.ENOENT, f"{serial} is not on the bus, which has {there or 'no probe'}")
