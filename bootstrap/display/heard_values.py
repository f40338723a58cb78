"""The newest values that a display shows, as text; what may not be true any more is marked."""

import json
import time
from collections.abc import Callable, Iterable
from math import inf

from bootstrap.contract import timestamps
from bootstrap.contract.heard import VOUCHERS, Heard, ListeningHandle, Silence, sender_of
from bootstrap.contract.liveness import is_silent, patience_s
from bootstrap.contract.payload import Json
from bootstrap.contract.topics import Kind
from bootstrap.device import Device, Reading
from bootstrap.display.template import HEARTBEAT, WORDS, Line, TextField, formatted
from bootstrap.errors import Refused

DOUBTFUL, NOTHING = "?", "--"  # before what may be old, as it may be cut at its end; in place of what is not known
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
UNITS = ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min"))
MOST_AGE_S = 1000 * DAY_S
MOMENT_S = 0.01
SKEW_S = 60.0  # by which two clocks may differ before an age says nothing


class HeardValues:
    """Listens to topics for one device, and writes what it hears."""

    def __init__(self, device: Device, changed: Callable[[], Reading | None], silent_s: float | None) -> None:
        """Call `changed` after each message that may change a text. `silent_s` is for topics not of penates."""
        self._device, self._changed, self._silent_s = device, changed, silent_s
        self._handles: dict[str, ListeningHandle] = {}
        self._measured_at: dict[str, float] = {}  # by sensor: when its newest value was measured, in s since 1970
        self._ended = False

    def follow(self, fields: Iterable[TextField]) -> None:
        """Listen to what these fields need."""
        for topic in dict.fromkeys(topic for one in fields for topic in one.topics):
            silent_s = None if is_ours(topic) else self._silent_s
            self._handles[topic] = self._device.listen(topic, self._on_message, self._on_silence, silent_s)

    def end(self) -> None:
        """Count every value as one that may not be true any more: nobody listens from now on."""
        self._ended = True

    def _on_message(self, heard: Heard) -> Reading | None:
        sensor, _, name = heard.topic.partition(f"/{Kind.STATUS}/")
        if name == HEARTBEAT and isinstance(heard.value, dict):
            self._note(sensor, heard.value.get("last_reading"))
        elif not name and not heard.retained:
            self._measured_at[heard.topic.partition(f"/{Kind.DATA}/")[0]] = heard.at_us / 1e6
        return self._changed()

    def _on_silence(self, _silence: Silence) -> Reading | None:
        return self._changed()

    def _note(self, sensor: str, measured: Json) -> None:
        """Note when a sensor says that it has measured last.

        A later time counts, because a stored heartbeat may be older than a value; but none that is yet to come, as
        before a clock was set right.
        """
        try:
            at = timestamps.parse(measured).timestamp() if isinstance(measured, str) else -inf
        except (Refused, OverflowError):
            at = -inf
        before = self._measured_at.get(sensor, -inf)
        self._measured_at[sensor] = max(at, before) if before < time.time() + SKEW_S or at == -inf else at

    def value(self, field: TextField) -> Json:
        """Return the value of a field, or None if there is none."""
        found = self._handles[field.topic].value
        for key in field.keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def doubtful(self, field: TextField) -> bool:
        """Return whether the value of a field may not be true any more."""
        if self._ended or self._handles[field.topic].problem is not None:
            return True
        return field.fact == "state" and is_silent(*self._beat(field))

    def _beat(self, field: TextField) -> tuple[float | None, float]:
        """Return the age of the newest heartbeat of a sensor, and their period, in seconds."""
        handle = self._handles[f"{field.sensor}/{Kind.STATUS}/{HEARTBEAT}"]
        period_s = handle.value.get("heartbeat_s") if isinstance(handle.value, dict) else None
        return handle.age_s, float(period_s) if isinstance(period_s, int | float) else 0.0

    def written(self, line: Line) -> str:
        """Return a line with the values of its fields."""
        return "".join(part if isinstance(part, str) else self._text(part) for part in line)

    def _text(self, field: TextField) -> str:
        if field.fact == "age":
            age_s = self._age_s(field.sensor)
            text = NOTHING if age_s is None else age_text(age_s)
        else:
            value = self.value(field)
            text = NOTHING if value is None else value_text(value, field.form)
        return text if text == NOTHING or not self.doubtful(field) else f"{DOUBTFUL}{text}"

    def _age_s(self, sensor: str) -> float | None:
        """Return the age of the newest value; None if nobody can tell, because there is none, or clocks differ."""
        age_s = time.time() - self._measured_at.get(sensor, -inf)
        return max(0.0, age_s) if -SKEW_S < age_s < MOST_AGE_S else None

    def due_s(self, fields: Iterable[TextField]) -> float:
        """Return in how many seconds the text of one of these fields changes by itself."""
        return min(map(self._due_s, fields), default=inf)

    def _due_s(self, field: TextField) -> float:
        if field.fact == "age" and (age_s := self._age_s(field.sensor)) is not None:
            unit_s = next((unit for unit, _name in UNITS if age_s >= unit), MINUTE_S)
            return unit_s - age_s % unit_s + MOMENT_S
        if field.fact == "state":
            age_s, period_s = self._beat(field)
            left_s = patience_s(period_s) - age_s + MOMENT_S if period_s and age_s is not None else -1.0
            return left_s if left_s > 0 else inf
        return inf


def is_ours(topic: str) -> bool:
    """Return whether a sensor of penates publishes to a topic, so that it is known when it is late or gone."""
    group_and_sensor, _, name = topic.rpartition(f"/{Kind.STATUS}/")
    return sender_of(topic) is not None or (group_and_sensor.count("/") == 1 and name in (*VOUCHERS, "health"))


def age_text(age_s: float) -> str:
    """Return an age in whole minutes, hours or days."""
    for unit_s, name in UNITS:
        if age_s >= unit_s:
            return f"{age_s // unit_s:.0f} {name}"
    return "0 min"


def value_text(value: Json, form: str) -> str:
    """Return a value as people read it. A form that is for another type of value does not count."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, str):
        return _formatted(" ".join(value.split()), form)
    if WORDS in form or isinstance(value, bool):
        yes, _, no = form.partition(WORDS) if WORDS in form else ("yes", "", "no")
        return yes if value else no
    return _formatted(value or 0, form)


def _formatted(value: float | str, form: str) -> str:
    found = formatted(value, form) if form and WORDS not in form else None
    return found if found is not None else f"{value:.6g}" if isinstance(value, float) else str(value)
