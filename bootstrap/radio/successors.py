"""New batteries: most transmitters choose another id then: an adopted one falls silent, and an unknown one appears."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from bootstrap.device import Kept
from bootstrap.logs import log
from bootstrap.radio.station import RadioSensor
from bootstrap.radio.transmission import Key

TIMES = 2  # that an unknown one must be heard before it takes a place: noise is heard once
MOST = 200  # unknown ones that are remembered
Sensors: TypeAlias = Callable[[], Mapping[str, Any]]


class Successors:
    """Finds which unknown transmitter may be an adopted one with a new battery, and remembers which is."""

    def __init__(self, sensors: Sensors, kept: Kept[dict[str, Any]]) -> None:
        """`kept` has, by the name of an adopted one, its key in the file and that under which it is heard."""
        self._sensors, self._kept = sensors, kept
        self._heard: dict[str, list[Key]] = {}  # candidates by the name of the silent one, as often as they were heard
        self._first: dict[str, float] = {}  # when each unknown one was heard first, in seconds (monotonic)

    def sensor(self, key: Key) -> RadioSensor | None:
        """Return the adopted sensor that is heard under this key now."""
        for name, taken in self._kept.value.items():
            sensor = self._sensors().get(name)
            if taken["to"] == key and isinstance(sensor, RadioSensor) and sensor.key == taken["from"]:
                sensor.succeeded("followed", key)
                return sensor
        return None

    def has_left(self, name: str, key: Key) -> bool:
        """Return whether the sensor of this name is heard under another key than the one in the file."""
        return bool(self._kept.value.get(name, {}).get("from") == key)

    def consider(self, key: Key) -> str | None:
        """Return the name of the adopted one whose place an unknown one may take; take it if its owner wants that.

        One that was there before the other fell silent is somebody else's.
        """
        since = self._first.pop(str(key), time.monotonic())
        self._first[str(key)] = since  # the one heard last comes last
        if len(self._first) > MOST:
            del self._first[next(iter(self._first))]
        silent = [name for name, one in self._sensors().items() if _may_be(one, key) and since > one.heard_at]
        if len(silent) != 1:
            return None
        name = silent[0]
        heard = self._heard.setdefault(name, [])
        heard.append(key)
        del heard[:-20]
        if any(other != key for other in heard):
            return None  # two might be it: nobody but their owner knows
        sensor: RadioSensor = self._sensors()[name]
        if not sensor.follow or not sensor.was_heard:
            self._offer(name, sensor, key)
        elif len(heard) >= TIMES:
            self._take(name, sensor, key)
        return name

    def _offer(self, name: str, sensor: RadioSensor, key: Key) -> None:
        if sensor.facts().get("successor") != key:
            log.warning("is silent, and one that nobody has adopted may be it with a new battery", sensor=name, new=key)
            sensor.succeeded("successor", key)

    def _take(self, name: str, sensor: RadioSensor, key: Key) -> None:
        log.warning("is silent; from now on this one is it, with a new battery", sensor=name, new=key)
        self._kept.value = {**self._kept.value, name: {"from": sensor.key, "to": key}}
        sensor.succeeded("followed", key)
        self._heard.pop(name, None)

    def returned(self, name: str, sensor: RadioSensor) -> None:
        """Note that an adopted one is heard again: nobody is to take its place."""
        if self._heard.pop(name, None):
            sensor.succeeded("successor", None)


def _may_be(sensor: object, key: Key) -> bool:
    """Return whether a sensor is silent, and of the same model and channel as an unknown transmitter."""
    return isinstance(sensor, RadioSensor) and sensor.silent and {**sensor.key, "id": 0} == {**key, "id": 0}
