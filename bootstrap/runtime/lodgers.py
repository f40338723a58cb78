"""The sensors of one process that are not its own: those that a gateway carries, or that share it."""

from collections.abc import Callable, Iterable

from bootstrap.config.model import SensorSettings
from bootstrap.config.toml_file import SettingsError
from bootstrap.gateway import Gateway
from bootstrap.logs import log
from bootstrap.runtime.adoptions import Adoptions
from bootstrap.runtime.lodger import Lodger
from bootstrap.runtime.parts import ProcessParts
from bootstrap.runtime.sd_notify import notify
from bootstrap.runtime.sensor import Sensor

APART_S = 0.01  # between the first connections of two sensors
AT_ONCE, LONGEST = 10, 150  # sensors in one notification, and characters of what is wrong with one
BUSY_S = 0.2  # until a supervisor that is too busy is told again
SHOWN = 3  # problems in the status


class Lodgers:
    """Starts, reloads and ends them, each on its own."""

    def __init__(self, parts: ProcessParts, on_status: Callable[[], None]) -> None:
        """Call `on_status` when `summary` may have changed."""
        self._parts, self._on_status = parts, on_status
        self.known = 0.0  # a time that has certainly passed, in seconds since 1970
        self._running: dict[str, Lodger] = {}  # by client id
        self._ending: list[Lodger] = []
        self._untold: dict[str, Lodger] = {}

    @property
    def sensors(self) -> list[Sensor]:
        """Those that run now, whatever is wrong with their devices."""
        return [one.sensor for one in self._all if one.sensor]

    @property
    def _all(self) -> list[Lodger]:
        return [*self._running.values(), *self._ending]

    def start(self, wanted: Iterable[SensorSettings], adoptions: Adoptions | None = None) -> None:
        """Start these sensors; they connect one after the other. `adoptions` are those of their gateway."""
        for number, settings in enumerate(wanted, 1):
            lodger = Lodger(settings, self._parts, self.known, self._note, adoptions)
            self._running[settings.topics.client_id] = lodger
            lodger.start(number * APART_S)

    def carry(self, gateway: Sensor) -> None:
        """Make the sensors that a gateway carries those of its settings: start, reload and end what has changed."""
        wanted, adoptions = gateway.settings.carried, gateway.adoptions
        if adoptions is None or not isinstance(gateway.settings.device, Gateway):
            return
        group = gateway.settings.topics.group
        before = {name: self._running[f"{group}/{name}"] for name in adoptions.sensors}
        unusable = gateway.settings.unusable
        for name in before.keys() - wanted.keys() - unusable.keys():
            self._end(before[name], adoptions)
        for name in before.keys() & wanted.keys():
            before[name].reloaded(None)
            before[name].apply(wanted[name])
        self.start([one for name, one in wanted.items() if name not in before], adoptions)
        for name, why in unusable.items():
            log.error("a sensor of the gateway cannot be used", sensor=name, fault=why)
            if name in before:
                before[name].reloaded(why)
        adoptions.set_unusable({name: why for name, why in unusable.items() if name not in before})
        adoptions.unknown.publish()

    def reload(self) -> None:
        """Read the files of those that have one of their own again, and apply what has changed."""
        from bootstrap.runtime.reload import read_again  # noqa: PLC0415 - few processes ever reload

        for one in [*self._running.values()]:
            if one.settings.section:
                continue
            try:
                new = read_again(one.settings)
            except SettingsError as error:
                log.error("not reloaded", sensor=one.settings.topics.client_id, fault="; ".join(map(str, error.faults)))
                one.reloaded("; ".join(map(str, error.faults)))
            else:
                one.reloaded(None)
                one.apply(new)

    def _end(self, lodger: Lodger, adoptions: Adoptions) -> None:
        topics = lodger.settings.topics
        log.info("no longer carried", sensor=topics.client_id)
        adoptions.leave(topics.sensor)
        del self._running[topics.client_id]
        self._ending.append(lodger)
        lodger.end(lambda: self._ended(lodger))

    def _ended(self, lodger: Lodger) -> None:
        self._ending.remove(lodger)
        notify(f"X_SENSOR={lodger.settings.topics.client_id}")
        self._on_status()

    def hold(self) -> None:
        """Make no further attempt to start any."""
        for one in self._all:
            one.hold()

    def end_subscriptions(self) -> None:
        """Store what devices have received by connections of their own, then close these."""
        for one in self._all:
            one.end_subscriptions()

    def close(self) -> None:
        """Release everything at once, in reverse order."""
        for one in reversed(self._all):
            one.close()

    # What supervisors are told.

    def _note(self, lodger: Lodger) -> None:
        """Tell of a new state, together with the others of this turn of the loop."""
        if not self._untold:
            self._parts.loop.call_soon(self._tell)
        self._untold[lodger.settings.topics.client_id] = lodger

    def _tell(self) -> None:
        told, self._untold = self._untold, {}
        lines = [f"X_SENSOR={name} {one.state} {one.why[:LONGEST]}".rstrip() for name, one in told.items()]
        sent = [notify(*lines[first : first + AT_ONCE]) for first in range(0, len(lines), AT_ONCE)]
        if not all(sent):
            self._untold = {**told, **self._untold}
            self._parts.loop.call_later(BUSY_S, self._tell)
        self._on_status()

    @property
    def worst(self) -> tuple[str, str]:
        """The state of the first that is not online, and why; one that waits to be started again counts as `fault`."""
        for name, one in self._running.items():
            if one.state != "online":
                return "starting" if one.state == "starting" else "fault", f"{name}: {one.why}" if one.why else name
        return "online", ""

    @property
    def summary(self) -> str:
        """One line for people: how many are online, and what is wrong with the first others; empty without any."""
        if not self._running:
            return ""
        wrong = [(name, one) for name, one in self._running.items() if one.state != "online"]
        text = f"carries {len(self._running)} sensors, {len(self._running) - len(wrong)} online"
        shown = [f"{name} {one.state}{one.why and f': {one.why}'}" for name, one in wrong[:SHOWN]]
        return "; ".join([text, *shown, *(["…"] if wrong[SHOWN:] else [])])
