"""What a sensor publishes: its state, its description, and what its device measures."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from bootstrap.config.model import SensorSettings
from bootstrap.contract import timestamps
from bootstrap.contract.liveness import ENDED
from bootstrap.contract.payload import encode
from bootstrap.contract.subscription import PublishedReading
from bootstrap.contract.topics import State
from bootstrap.device import Device, Measure, Value, Values
from bootstrap.errors import reason
from bootstrap.logs import log
from bootstrap.mqtt.link import Link
from bootstrap.outbox.outbox import Outbox
from bootstrap.runtime.judging import Judge, Judged
from bootstrap.runtime.measure_health import GONE, described

if TYPE_CHECKING:
    from bootstrap.filters.settings import SensorFilters

LOST = b"lost"


class Reporter:
    """Puts state and history in the outbox. The birth's order is state, about, heartbeat, health, measures."""

    def __init__(self, settings: SensorSettings, outbox: Outbox, link: Link, on_status: Callable[[], None]) -> None:
        """Call `on_status` whenever `state`, `why` or `status` has changed."""
        self._topics, self._outbox, self._clock, self._link = settings.topics, outbox, outbox.clock, link
        self.recorders = outbox.recorders
        self.recorded = settings.recorded  # whether the readings are for recorders
        self._on_status, self._judge = on_status, Judge(settings.device, settings.filters)
        self.judge, self._health = self._judge.judge, self._judge.health
        self.lend, self.close_filters = self._judge.lend, self._judge.close
        self._health_seen: list[tuple[object, ...]] = []
        self._health_payload = b""
        self._all_failing, self._unwell = False, set[str]()  # as last logged
        self._other_problems: dict[str, str] = {}
        self._run, self._seq = self._clock.run, 0
        self._last_reading: str | None = None
        self.reads = self.faults = 0
        self.state: State = "starting"
        self.why, self._flapping, self._alone_since = "", "", timestamps.now()
        self._link_status = f"connecting to the broker since {timestamps.for_people(self._alone_since)}"
        self._measured = False
        self.introduce: Callable[[], None] = lambda: None  # publish what the sensor is once more

    def use_device(self, device: Device, filters: "SensorFilters | None" = None) -> None:
        """Report on this device from now on. Run, counts and state continue; measures that it lacks are cleared."""
        before, invalid = self._judge.measures, self._health.invalid
        self._judge.use_device(device, filters, invalid)
        self._health = self._judge.health
        self._clear(before)

    def apply_settings(self, settings: SensorSettings) -> None:
        """Filter by these from now on, for recorders or not; filters that are the same go on as they are."""
        before, self.recorded = self._judge.measures, settings.recorded
        self._judge.use_filters(settings.filters)
        self._clear(before)

    def _clear(self, before: Mapping[str, Measure]) -> None:
        """Clear the topics of measures that there are no more."""
        measures = self._judge.measures
        for name in before.keys() - measures.keys():
            self.clear(name)
        self._unwell &= measures.keys()

    def clear(self, measure: str) -> None:
        """Clear what the broker has retained of a measure."""
        self._outbox.put_state(self._topics.data(measure), b"")

    # The sensor's state.

    def heartbeat_facts(self, progress: Mapping[str, float | None] | None = None) -> dict[str, Any]:
        """Return the heartbeat's fields about reading and the link; a device's `progress` may add to `invalid`."""
        own = dict(progress or {})
        invalid = self._health.invalid + int(own.pop("invalid", 0) or 0)
        return {
            **own,
            "why": "; ".join(filter(None, (self.why, self._flapping))) or None,
            "last_reading": self._last_reading,
            "reads": self.reads,
            "faults": self.faults,
            "invalid": invalid,
            "reconnects": self._link.reconnects,
        }

    @property
    def status(self) -> str:
        """One line for people: the state, the link, the time of the last reading, and how much is undelivered."""
        parts = [f"{self.state}: {self.why}" if self.why else self.state, self._link_status]
        if self._flapping:
            parts.append(self._flapping)
        if self._last_reading:
            parts.append(f"last reading {timestamps.for_people(self._last_reading)}")
        if not self._link.up and self._outbox.queued:
            parts.append(f"{self._outbox.queued} to deliver")
        return "; ".join(parts)

    def publish_state(self, state: State, why: str = "") -> None:
        """Publish `status/state`; `why` explains a fault."""
        self.state, self.why = state, why
        self._on_status()
        self._outbox.put_state(self._topics.status("state"), encode(state))

    def set_problem(self, what: str, why: str | None) -> None:
        """Enter a problem that is not a measure's; the state is `fault` while there is one. None removes it."""
        if why is None:
            self._other_problems.pop(what, None)
        else:
            self._other_problems[what] = why
        self._update_state()

    @property
    def published(self) -> PublishedReading:
        """The last reading that was published, and how much the broker has not acknowledged."""
        return PublishedReading(self._run, self._seq, self._outbox.queued if self._link.up else None)

    def set_broker(self, why: str | None) -> None:
        """Show in `status` that there is a broker, or since when and why there is none."""
        self._alone_since = "" if why is None else self._alone_since or timestamps.now()
        since = self._alone_since and timestamps.for_people(self._alone_since)
        self._link_status = "connected to the broker" if why is None else f"no broker since {since}: {why}"
        self._on_status()

    def set_flapping(self, why: str) -> bool:
        """Set what the heartbeat and `status` show of a connection that keeps breaking; empty text if it does not.

        Returns:
            Whether that has changed.
        """
        changed, self._flapping = why != self._flapping, why
        if changed:
            self._on_status()
        return changed

    def correct_state(self, retained: bytes) -> None:
        """Publish the true state at once if the broker has retained an old last will instead."""
        if retained == LOST and self.state != "lost":
            log.warning("the retained state was an old last will; corrected", state=self.state)
            self.publish_state(self.state, self.why)

    def publish_about(self, about: Mapping[str, Any]) -> None:
        """Publish `status/about`, and judge what is measured by it from now on."""
        self._judge.redescribe()
        self._outbox.put_state(self._topics.status("about"), encode(about))

    def publish_health(self) -> None:
        """Publish `status/health` if it has changed."""
        self._health_seen = self._health.fingerprint
        payload = encode(self._health.facts)
        if payload != self._health_payload:
            self._health_payload = payload
            self._outbox.put_state(self._topics.status("health"), payload)

    def publish_status(self, name: str, fact: Mapping[str, Any]) -> None:
        """Publish a fact of this sensor's own as `status/NAME`."""
        self._outbox.put_state(self._topics.status(name), encode(fact))

    def said(self, name: str) -> bytes:
        """Return what was published last as `status/NAME`; empty if nothing was."""
        return self._outbox.state(self._topics.status(name))

    def publish_answer(self, answer: dict[str, object]) -> None:
        """Publish the answer to a command."""
        self._outbox.put_once(self._topics.status("action"), encode(answer))

    # Readings.

    def publish_measured(self, judged: Judged, at_us: int | None = None, *, whole: bool = False) -> None:
        """Publish the good values, then the health: a client that trusts `online` must not find an old value.

        `whole` marks a complete read: measures that it does not name have no value. `at_us` is as in `publish_reading`.
        """
        now, good, invalid, published = time.monotonic(), judged.good, judged.invalid, judged.published
        stamp = self.publish_reading(published, at_us) if published else timestamps.now()
        self._health.record_good({**published, **good}, stamp, now)
        self._health.record_invalid({**invalid, **judged.failed})
        if whole:
            self._health.passed_over(good.keys() | invalid.keys(), now)
        self.faults += bool(invalid) and not good
        self._measured = self._measured or whole or bool(good)
        self._log_health()
        self._update_state()

    def show(self, judged: Judged, *, whole: bool = False) -> None:
        """Publish good values as state alone, since they are none of now; no event ever is. See `Context.show`."""
        measures = self._judge.measures
        for name, value in judged.published.items():
            if not measures[name].event:
                self._publish_value(name, encode(_unsigned_zero(value)))
        self._health.record_shown({**judged.published, **judged.good}, time.monotonic(), whole=whole)
        self._health.record_invalid({**judged.invalid, **judged.failed})
        self._log_health()
        self._update_state()

    def publish_failure(self, error: OSError | ValueError) -> str:
        """Publish that nothing could be measured. Returns why."""
        self.faults += 1
        why = reason(error)
        self._judge.record_failure(why, absent=isinstance(error, OSError) and error.errno in GONE)
        self._log_health()
        self._update_state()
        return why

    def publish_absent(self, error: OSError) -> None:
        """Publish that the device was absent at the start."""
        self._judge.record_failure(reason(error), absent=True)
        self._update_state()

    def publish_reading(self, reading: Values, at_us: int | None = None) -> str:
        """Publish a reading as a history record, unless it is private, and each of its values as state.

        It was made now, or at `at_us` microseconds since 1970. Returns its timestamp.
        """
        reading = {name: _unsigned_zero(value) for name, value in reading.items()}
        stamp = self._clock.stamp(at_us)
        if self._run != self._clock.run:
            self._run, self._seq = self._clock.run, 0
        self._seq += 1
        self._last_reading = stamp["time"]
        head = {"time": self._last_reading, "run": self._run, "seq": self._seq, **stamp}
        head |= self._judge.calibrations(reading)
        if self.recorded:
            self._outbox.put_history(self._topics.data("reading"), encode({**head, **reading}), time.monotonic())
        for name, value in reading.items():
            self._publish_value(name, encode(value))
        log.debug("read", seq=self._seq, reading=dict(reading))
        return self._last_reading

    def _publish_value(self, name: str, payload: bytes) -> None:
        """Publish a state always, an event only while connected: the history has it anyway."""
        if not self._judge.measures[name].event:
            self._outbox.put_state(self._topics.data(name), payload)
        elif self._link.up:
            self._outbox.put_once(self._topics.data(name), payload)

    def _log_health(self) -> None:
        """Log each failure once, and each recovery once: of the device if all measures fail, otherwise of a measure."""
        all_failing, problems = self._health.all_failing, self._health.problems
        if all_failing and not self._all_failing:
            log.error("cannot read the device", error=described(problems))
        elif self._all_failing and not all_failing:
            log.info("reading again", **({"but": described(problems)} if problems else {}))
        else:
            for name in (name for name in problems if name not in self._unwell):
                log.error("a measure has a problem", measure=name, reason=problems[name])
            for name in sorted(self._unwell - problems.keys()):
                log.info("a measure has recovered", measure=name)
        self._all_failing, self._unwell = all_failing, set(problems)

    def _update_state(self) -> None:
        """Publish the health, then the state that follows from it: a client that sees a fault can then read why."""
        if self._health_seen != self._health.fingerprint:
            self.publish_health()
        if self.state in ENDED:
            return
        why = described({**self._health.problems, **self._other_problems})
        state: State = "fault" if why else "online" if self._measured else "starting"
        if state != self.state:
            self.publish_state(state, why)
        elif why != self.why:
            self.why = why
            self._on_status()


def _unsigned_zero(value: Value) -> Value:
    """Return 0.0 for -0.0, which sensors and filters come to by their arithmetic, and any other value as it is."""
    return value + 0.0 if isinstance(value, float) else value
