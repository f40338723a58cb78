"""A sensor that shares its process with others: what is wrong with it ends neither them nor the process."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from bootstrap.config.model import SensorSettings
from bootstrap.errors import Absent, Fatal
from bootstrap.eventloop.backoff import Backoff
from bootstrap.eventloop.loop import Timer
from bootstrap.logs import log
from bootstrap.runtime.adoptions import Adoptions
from bootstrap.runtime.lock import take_lock
from bootstrap.runtime.named_parts import named
from bootstrap.runtime.orderly_end import OrderlyEnd
from bootstrap.runtime.parts import ProcessParts
from bootstrap.runtime.releases import Releases
from bootstrap.runtime.sensor import Sensor

FIRST_RETRY_S, LAST_RETRY_S, JITTER = 1.0, 60.0, 0.3
SETUP = "setup"  # the problem of a device that cannot be set up


class Lodger:
    """Runs one sensor and its lock: starts it, tries again after a failure, reloads it, and ends it.

    A device that cannot be set up leaves its sensor on the broker, in `fault`. A `Fatal` ends the sensor, until it is
    started again.
    """

    def __init__(
        self,
        settings: SensorSettings,
        parts: ProcessParts,
        known: float,
        on_status: Callable[["Lodger"], None],
        adoptions: Adoptions | None = None,
    ) -> None:
        """Call `on_status` whenever `state` or `why` may have changed. The others are as in `Sensor`."""
        self.settings, self._known, self._adoptions = settings, known, adoptions
        self._parts = named(parts, settings.topics.client_id)
        self._on_status = on_status
        self._resources = Releases()
        self._backoff = Backoff(FIRST_RETRY_S, LAST_RETRY_S, JITTER)
        self._timer: Timer | None = None  # of the next attempt, or of the first connection
        self._ending: OrderlyEnd | None = None
        self._failed = ""  # why its device is not set up, or the sensor does not run
        self.sensor: Sensor | None = None
        if adoptions is not None:
            adoptions.join(settings.topics.sensor, settings.device)

    @property
    def state(self) -> str:
        """The state of the sensor, or `waiting` for the next attempt to start it."""
        return self.sensor.reporter.state if self.sensor else "waiting"

    @property
    def why(self) -> str:
        """What is wrong with it."""
        return self.sensor.reporter.why if self.sensor else self._failed

    # From start to end.

    def start(self, connect_after_s: float = 0.0) -> None:
        """Set up the sensor and read its device; connect in `connect_after_s` seconds."""
        log.call_as(self.settings.topics.client_id, self._start, connect_after_s)

    def _start(self, connect_after_s: float) -> None:
        try:
            take_lock(self.settings, self._resources)
            sensor = Sensor(self.settings, self._parts, self._known, self._tell, self._adoptions)
        except Fatal as end:
            self._on_fatal(end)
            return
        self.sensor, self._failed, self._adoptions = sensor, "", sensor.adoptions
        self._resources.callback(sensor.close)
        sensor.link.end_by = self._on_fatal
        sensor.introduce()
        self._set_up(sensor, sensor.set_up)
        if not self._failed:
            sensor.start_reading()
            self._timer = self._parts.loop.call_later(connect_after_s, sensor.start_link)
        else:
            sensor.start_link()
        sensor.start_heartbeat()

    def _tell(self) -> None:
        self._on_status(self)

    def _set_up(self, sensor: Sensor, set_up: Callable[[], None]) -> None:
        """Set up the device, or show why that fails and try again later."""
        try:
            set_up()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one device, the others work
            self._failed = str(error) or repr(error)
            bug = not isinstance(error, Fatal | OSError)
            log.error("cannot be set up; it will be tried again", traceback=bug, reason=self._failed)
            sensor.detach_device()
            self._retry(lambda: self._set_up_again(sensor))
        else:
            self._failed = ""
            self._backoff.reset()
        sensor.reporter.set_problem(SETUP, self._failed or None)
        sensor.link.pump()

    def _set_up_again(self, sensor: Sensor) -> None:
        settings = replace(self.settings, device=replace(self.settings.device))  # a device is set up only once
        self._set_up(sensor, lambda: sensor.attach_device(settings))

    def _retry(self, call: Callable[[], None]) -> None:
        self._timer = self._parts.loop.call_later(self._backoff.advance(), call)

    def _on_fatal(self, end: Fatal) -> None:
        """End the sensor, whose process goes on, and start it again later."""
        self._failed = end.reason
        log.error("this sensor cannot continue; it will be tried again", reason=end.reason, exit=int(end.code))
        self.close()
        self._retry(self.start)
        self._tell()

    def hold(self) -> None:
        """Make no further attempt."""
        if self._timer is not None:
            self._timer.cancel()

    def end_subscriptions(self) -> None:
        """Store what the device's own connection has received, then close it."""
        if self.sensor:
            self.sensor.end_subscriptions()

    def end(self, ended: Callable[[], None]) -> None:
        """End the sensor in order, then call `ended`. A second call does nothing."""
        self.hold()
        if self.sensor is None:
            ended()
        elif self._ending is None:
            self._ending = OrderlyEnd(self._parts.loop, self.sensor, partial(self._ended, ended))

    def _ended(self, then: Callable[[], None]) -> None:
        self.close()
        then()

    def close(self) -> None:
        """Release everything at once."""
        self.hold()
        self.sensor = None
        self._resources.close()

    # Reloading.

    def apply(self, new: SensorSettings) -> None:
        """Apply changed settings; a sensor that has failed is tried with them at once."""
        if new == self.settings or self._ending:
            return
        self._backoff.reset()
        if self.sensor is None:
            self.hold()
            self.settings = new
            self.start()
        elif self._failed:
            self.hold()
            self.settings = new
            self.sensor.apply_settings(new, self.sensor.settings)
            self._set_up_again(self.sensor)
        else:
            log.call_as(new.topics.client_id, self._reload, self.sensor, new)

    def _reload(self, sensor: Sensor, new: SensorSettings) -> None:
        from bootstrap.runtime.reload import apply  # noqa: PLC0415 - few processes ever reload

        try:
            problem = apply(sensor, new)
        except Absent as error:
            absent = error  # as `error` ends with this block
            self.settings, problem = new, None
            self._set_up(sensor, lambda: _raise(absent))
        else:
            self.settings = sensor.settings
        self.reloaded(problem)

    def reloaded(self, problem: str | None) -> None:
        """Publish that a reload ended, with the problem if it failed, once a new device was read."""
        if sensor := self.sensor:
            self._parts.loop.call_soon(lambda: sensor.reloaded(problem))


def _raise(error: Exception) -> None:
    raise error
