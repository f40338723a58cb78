"""What systemd, or the supervisor, is told of a process: its status, and that it makes progress."""

from collections.abc import Sequence

from bootstrap.logs import log
from bootstrap.runtime.lodgers import Lodgers
from bootstrap.runtime.sd_notify import notify
from bootstrap.runtime.sensor import Sensor


class StatusReport:
    """Reports on the sensors of a process; `sensors` are its own, and may still be added to."""

    def __init__(self, sensors: Sequence[Sensor], lodgers: Lodgers) -> None:
        self._sensors, self._lodgers = sensors, lodgers
        self._stuck: set[str] = set()

    def prove_progress(self) -> None:
        """Notify the watchdog, unless a part is stuck twice in a row: then the process counts as hung."""
        stuck = set[str]().union(*(sensor.stuck for sensor in (*self._sensors, *self._lodgers.sensors)))
        before, self._stuck = self._stuck, stuck
        if stuck & before:
            log.error("no progress; the watchdog is not notified", stuck=sorted(stuck))
        else:
            notify("WATCHDOG=1", f"STATUS={self._status}")

    def notify(self) -> None:
        """Notify the supervisor of our status."""
        state, why = self._worst
        notify(f"STATUS={self._status}", f"X_STATE={state}", f"X_WHY={why}")

    @property
    def _worst(self) -> tuple[str, str]:
        """The state of the first sensor that is not online, and why: of the process's own, if it has any."""
        if not self._sensors:
            return self._lodgers.worst
        reporters = [sensor.reporter for sensor in self._sensors]
        worst = next((one for one in reporters if one.state != "online"), reporters[0])
        return worst.state, worst.why

    @property
    def _status(self) -> str:
        """One line for people, which begins with the state."""
        own = [sensor.reporter.status for sensor in self._sensors]
        return "; ".join(filter(None, [*(own or [": ".join(filter(None, self._worst))]), self._lodgers.summary]))
