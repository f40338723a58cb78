"""A station, a thermometer or a remote that a receiver hears, as a sensor of its own."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bootstrap.contract.liveness import stale_s
from bootstrap.contract.payload import Json
from bootstrap.device import Measure, Reading, Value
from bootstrap.logs import log
from bootstrap.quantities import known
from bootstrap.radio import gaps, readings
from bootstrap.radio.learnt_sensor import UNTIL_LEARNT_S, LearntSensor
from bootstrap.radio.transmission import Key, Transmission, key_of


class _Measuring(LearntSensor):
    """Has each measure that a transmitter may have."""

    measures: ClassVar[Mapping[str, Measure]] = {**known(), "battery": readings.BATTERY}


@dataclass(kw_only=True)
class RadioSensor(_Measuring):
    """A station, a thermometer or a remote that a receiver hears. It measures what it has ever sent.

    Wiring: none.
    """

    model: str  # as `penates unknown` shows it, such as "AlectoV1"
    id: int | str | None = None  # what it sends as such, such as 44; most choose another one with a new battery
    channel: int | str | None = None  # as its switch in the battery compartment is set, such as 1
    follow: bool = False  # whether the only unknown one of its model and channel takes its place once it is silent
    every_s: float = UNTIL_LEARNT_S  # seconds between two transmissions; learnt, unless it is set

    identity: ClassVar = ("model", "id", "channel")
    shown_as: ClassVar[Mapping[str, str]] = {"snr": "mdi:signal", "wind_dir": "mdi:compass-outline"}

    snr = Measure("dB")  # how far it is above the noise

    @property
    def key(self) -> dict[str, Value]:
        """Who it is; what it does not send is not in it."""
        return {**key_of(self.model, self.id, self.channel)}

    def setup(self) -> None:
        """Measure what it has sent in earlier runs, and expect it as often."""
        self.sent = self.keep("sent", dict[str, Any]())
        self.expect()
        self.heard_at, self.was_heard = time.monotonic(), False
        self.successor: dict[str, Json] = {}
        self.last: Mapping[str, Any] = {}  # the newest value of each measure
        self.measures = self._declared()  # type: ignore[misc]
        self.redescribe()

    @property
    def is_remote(self) -> bool:
        """Whether it has only ever sent what buttons do."""
        return bool(self.sent.value) and {*self.sent.value.values()} == {readings.PRESS}

    @property
    def silent(self) -> bool:
        """Whether it was not heard for so long that its values are stale."""
        return hasattr(self, "heard_at") and time.monotonic() - self.heard_at > stale_s(self.period_s)

    def facts(self) -> Mapping[str, Json]:
        """Return who has taken its place, or might."""
        return self.successor if hasattr(self, "successor") else {}

    def excuses(self, name: str) -> bool:
        """Return whether its decoder cannot tell this value now, though the station is heard."""
        return not self.silent and gaps.hidden(self.model, name, self.last)

    def _declared(self) -> dict[str, Measure]:
        """Return what it measures; before it was ever heard, how well it is, which becomes stale if it never is."""
        declared = type(self).measures
        sent = self.sent.value or dict([readings.SNR])
        return {name: readings.measure(name, form, declared) for name, form in sent.items()}

    def hear(self, heard: Transmission) -> Reading:
        """Return what a transmission says, and declare what it says for the first time."""
        found = readings.of(heard)
        self.heard_at, self.was_heard = time.monotonic(), True
        changed = self.note_heard(heard.model, heard.at)
        if new := {name: form for name, (_value, form) in found.items() if self.sent.value.get(name) != form}:
            self.sent.value = {**self.sent.value, **new}
            self.measures = self._declared()  # type: ignore[misc]
            if kept := [name for name, form in new.items() if form in readings.UNKNOWN]:
                text = "sends what is not known here; it is kept as it is"
                log.info(text, sensor=self.context.sensor, fields=", ".join(kept))
        if new or changed:
            self.redescribe()
        values = {name: value for name, (value, _form) in found.items()}
        self.last = {**self.last, **values}
        return values

    def succeeded(self, what: str, key: Key | None) -> None:
        """Tell in `about` who is (`followed`), or may be (`successor`), this sensor with a new battery."""
        told: dict[str, Json] = {what: dict(key)} if key else {}
        if told != self.successor:
            self.successor = told
            self.redescribe()
