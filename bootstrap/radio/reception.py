"""What becomes of each transmission: a reading of the sensor that sent it, or a line in the list of unknown ones."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from bootstrap.device import Reading
from bootstrap.errors import NoReading
from bootstrap.gateway import Gateway
from bootstrap.radio import readings
from bootstrap.radio.decoding import Decoding
from bootstrap.radio.ignoring import ignored
from bootstrap.radio.receiver import Receiver, receiver_failure
from bootstrap.radio.repeats import Repeats
from bootstrap.radio.station import RadioSensor
from bootstrap.radio.successors import Successors
from bootstrap.radio.transmission import Key, Transmission, transmission

MOST_PRIVATE = 50  # alarms and the like that are listed in one search


class Reception:
    """Publishes what the adopted ones send, and lists the others."""

    def __init__(
        self, gateway: Gateway, receiver: Receiver, always: Sequence[int] = (), ignore: Sequence[str] = ()
    ) -> None:
        """Listen for a gateway. The decoders in `always` are on in any case; who is in `ignore` is not listed."""
        self._gateway, self._ignore = gateway, ignore
        self._repeats = Repeats()
        self._count = 0
        self._private: dict[str, Key] = {}  # alarms and the like, which are listed while somebody searches
        self._decoders = gateway.keep("decoders", dict[str, Any]())  # by the model of a station, those that hear it
        self._successors = Successors(lambda: gateway.sensors, gateway.keep("followed", dict[str, Any]()))
        self._decoding = Decoding(gateway, receiver, always, self._on_line)
        self._choose_decoders()

    def _on_line(self, line: str) -> Reading | None:
        """Take a line of rtl_433; return what is new of the gateway itself."""
        heard = transmission(line, time.time())
        if self._repeats.is_one(heard):
            return None
        self._count += 1
        if sensor := self._sensor(heard):
            self._learn_decoder(heard)
            self._gateway.publish(sensor, sensor.hear(heard), heard.at)
        elif not ignored(heard.key, self._ignore):
            self._list(heard)
        before = self._decoding.searching
        self._choose_decoders()
        return self._facts if self._decoding.searching != before else None

    def _sensor(self, heard: Transmission) -> RadioSensor | None:
        """Return the adopted sensor that has sent this."""
        if follows := self._successors.sensor(heard.key):
            return follows
        found = self._gateway.find(**heard.key)
        if not isinstance(found, RadioSensor) or not hasattr(found, "sent"):
            return None
        name = next(name for name, one in self._gateway.sensors.items() if one is found)
        if self._successors.has_left(name, heard.key):
            return None
        self._successors.returned(name, found)
        return found

    def _list(self, heard: Transmission) -> None:
        name = self._successors.consider(heard.key)
        if name and self._successors.sensor(heard.key):
            self._gateway.no_longer_unknown(heard.key)
            return
        if name is None and self._decoding.is_private(heard) and not self._may_list(heard.key):
            return
        facts = {"snr": heard.snr, "successor_of": name}
        self._gateway.unknown(
            heard.key, readings.said(heard), **{key: fact for key, fact in facts.items() if fact is not None}
        )

    def _may_list(self, key: Key) -> bool:
        """Return whether an alarm or the like may be listed: while somebody searches, as it may be their own."""
        if not self._decoding.is_asked or len(self._private) >= MOST_PRIVATE:
            return False
        self._private[str(key)] = key
        return True

    def _forget_private(self) -> None:
        """List alarms and the like no longer, once nobody searches any more."""
        while self._private and not self._decoding.is_asked:
            self._gateway.no_longer_unknown(self._private.popitem()[1])

    # Which decoders are needed.

    def _learn_decoder(self, heard: Transmission) -> None:
        model, known = str(heard.key["model"]), self._decoders.value
        if heard.protocol and heard.protocol not in known.get(model, []):
            self._decoders.value = {**known, model: [*known.get(model, []), heard.protocol]}

    def _choose_decoders(self) -> None:
        """Have those on that hear the adopted ones; all of them while there is none, or one that was never heard."""
        needed = [self._decoders.value.get(str(one.key["model"])) for one in self._gateway.sensors.values()]
        known = [numbers for numbers in needed if numbers]
        self._decoding.want(
            {one for numbers in known for one in numbers} if known and len(known) == len(needed) else None
        )

    # For the gateway.

    def search(self, for_s: float | None) -> Reading:
        """Search for so many seconds, or no longer if that is None. Returns the gateway's reading."""
        self._decoding.search(for_s)
        return self.reading()

    @property
    def counted(self) -> Mapping[str, float]:
        """What was counted of the edges on a pin, if that is where it listens."""
        return self._decoding.counted

    def reading(self) -> Reading:
        """Return how much was heard, and whether all decoders are on.

        Raises:
            NoReading: it does not listen yet.
            OSError: nothing can be heard.
        """
        if not self._decoding.begun:
            raise NoReading
        self._choose_decoders()
        self._forget_private()
        if why := self._decoding.problem:
            raise receiver_failure(why)
        return self._facts

    @property
    def _facts(self) -> Reading:
        return {"heard": self._count, "searching": self._decoding.searching}
