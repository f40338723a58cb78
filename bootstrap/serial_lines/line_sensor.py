"""A sensor or remote that a microcontroller writes lines about, as a sensor of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bootstrap.contract.liveness import stale_s
from bootstrap.device import Measure, Reading, Value
from bootstrap.quantities import known
from bootstrap.radio.learnt_sensor import UNTIL_LEARNT_S, LearntSensor
from bootstrap.serial_lines.pattern import SaidLine, sender_id

SILENCE = "silence"  # the name of a timer, and of a problem


class _Measuring(LearntSensor):
    """Has each usual measure, so that its owner may set limits of it."""

    measures: ClassVar[Mapping[str, Measure]] = known()


@dataclass(kw_only=True)
class LineSensor(_Measuring):
    """A sensor or remote that a microcontroller writes lines about. It measures what lines have ever said of it.

    Wiring: none.
    """

    id: int | str  # as the lines have it, such as 5
    every_s: float = UNTIL_LEARNT_S  # seconds between two values; learnt, unless it is set

    @property
    def key(self) -> dict[str, Value]:
        """Who it is."""
        return {"id": sender_id(str(self.id))}

    def setup(self) -> None:
        """Measure what was said of it in earlier runs, or before it was adopted, and expect it as often."""
        self.said = self.keep("said", dict[str, Any]())
        self.expect()
        self._declare(self.gateway.listener.said_of(self.key["id"]))
        self.redescribe()
        if not self.said.value:
            self.after(stale_s(self.every_s), self._unheard, SILENCE)

    def _declare(self, names: Iterable[str]) -> None:
        """Declare the measures of this and earlier runs, as far as the patterns still have them."""
        if new := {name: True for name in names if name not in self.said.value}:
            self.said.value = {**self.said.value, **new}
        self.declared_by = self.gateway.listener.measures
        found = {name: one for name, one in self.declared_by.items() if name in self.said.value}
        limited: Mapping[str, Measure] = getattr(type(self), "limited", {})
        self.measures = {**found, **{name: one for name, one in limited.items() if name in found}}  # type: ignore[misc]

    def _unheard(self) -> None:
        self.context.set_problem(SILENCE, f"no line has ever been about {self.id}")

    @property
    def is_remote(self) -> bool:
        """Whether all that was ever said of it are events, which nobody can expect."""
        return bool(self.measures) and all(one.event for one in self.measures.values())

    def hear(self, said: SaidLine, at: float) -> Reading:
        """Return what a line says, and declare what it says for the first time; `at` is the time in seconds."""
        new = said.values.keys() - self.measures.keys() or self.declared_by != self.gateway.listener.measures
        changed = self.note_heard(said.pattern, at)
        if new:
            self._declare(said.values)
        if new or changed:
            self.redescribe()
        if self.cancel(SILENCE) or new:
            self.context.set_problem(SILENCE, None)
        return said.values
