"""One sensor: its topics, its device, and its own link to the broker, with a last will."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bootstrap.config.model import HistorySettings, SensorSettings
from bootstrap.contract.recording_word import KnownRecorders
from bootstrap.contract.timestamps import Clock
from bootstrap.contract.topics import State
from bootstrap.gateway import Gateway
from bootstrap.homeassistant.discovery import Discovery, announced
from bootstrap.logs import log
from bootstrap.mqtt.address import BrokerAddress
from bootstrap.mqtt.link import Link
from bootstrap.outbox.backlog import RESEND_S, Backlog, BacklogLimits
from bootstrap.outbox.dead_letters import DeadLetters
from bootstrap.outbox.folder import adopt_older_folder, outbox_folder
from bootstrap.outbox.outbox import Outbox
from bootstrap.outbox.segment_log import SegmentLog
from bootstrap.runtime.adoptions import Adoptions
from bootstrap.runtime.attached_device import AttachedDevice
from bootstrap.runtime.heartbeat import Heartbeat
from bootstrap.runtime.inbound import Inbound
from bootstrap.runtime.parts import ProcessParts
from bootstrap.runtime.reporter import Reporter
from bootstrap.runtime.run_record import AnnouncedTopics

if TYPE_CHECKING:
    from bootstrap.runtime.carried_out import CarriedOut

DAY_S = 86_400.0


def make_outbox(settings: SensorSettings, known: float) -> Outbox:
    """Return the outbox of a sensor, with everything that an earlier run could not deliver.

    `known` is a time that has certainly passed, in seconds since 1970: while the clock is earlier, it is not trusted.
    """
    state, keep = settings.folders.state, settings.history
    adopt_older_folder(state, settings.topics)
    folder = outbox_folder(state, settings.topics)
    backlog, dead_letters = Backlog(SegmentLog(folder), backlog_limits(keep)), DeadLetters(folder)
    recorders = KnownRecorders(settings.topics.group, wanted=is_recorded(settings))
    return Outbox(backlog, keep.rate, dead_letters, Clock(known), recorders=recorders)


def is_recorded(settings: SensorSettings) -> bool:
    """Return whether a recorder must receive each reading. A recorder's own readings prove that it does."""
    return settings.history.recorder and settings.recorded and not settings.device.records


def backlog_limits(keep: HistorySettings) -> BacklogLimits:
    """Return the limits of the backlog that `[history]` sets."""
    return BacklogLimits(records=keep.records, age_s=keep.days * DAY_S, resend_s=RESEND_S if keep.recorder else 0.0)


def _connection_settings(settings: SensorSettings) -> tuple[object, ...]:
    """Return the settings whose change needs a new connection."""
    return settings.broker, settings.homeassistant, is_recorded(settings)


def _introduced(settings: SensorSettings) -> tuple[object, ...]:
    """Return the settings, besides the device's, whose change others must be told."""
    return settings.filters, settings.heartbeat_s, settings.homeassistant


def _carried_out(settings: SensorSettings, parts: ProcessParts, outbox: Outbox, link: Link) -> "CarriedOut":
    """Return what knows the commands that have come. The import is local because few devices need it."""
    from bootstrap.runtime.carried_out import CarriedOut  # noqa: PLC0415

    return CarriedOut(outbox_folder(settings.folders.state, settings.topics), outbox.clock, parts.worker, link.pump)


class Sensor:
    """A device, and everything that makes it a sensor on the broker: link, outbox, heartbeat, actions, discovery."""

    def __init__(
        self,
        settings: SensorSettings,
        parts: ProcessParts,
        known: float,
        on_status: Callable[[], None],
        adoptions: Adoptions | None = None,
    ) -> None:
        """Call `on_status` whenever `state`, `why` or `status` has changed. `known` is as in `make_outbox`.

        `adoptions` are those of the gateway that carries it.
        """
        self.settings, self._topics, self._parts = settings, settings.topics, parts
        self._outbox = make_outbox(settings, known)
        self.link = Link(parts.loop, parts.worker, BrokerAddress.of(settings), self._outbox)
        self.reporter = Reporter(settings, self._outbox, self.link, on_status)
        facts = lambda: self.reporter.heartbeat_facts(self._device.progress())  # noqa: E731 - the device may change
        self._heartbeat = Heartbeat(parts.loop, self._topics, self._outbox, facts, self._beat)
        self._heartbeat.counted_from, self._heartbeat.period_s = parts.in_step_with, settings.heartbeat_s
        self._announced = AnnouncedTopics(outbox_folder(settings.folders.state, self._topics), self._heartbeat.run)
        self._heartbeat.twins.predecessor = self._announced.last.ended
        self._discovery = Discovery(settings.homeassistant, self._topics, parts.loop, self._outbox, self.link.pump)
        self._inbound = Inbound(self._topics, self.link, self.reporter, self._heartbeat, self._discovery)
        self._inbound.make_carried_out = lambda: _carried_out(settings, parts, self._outbox, self.link)
        self.link.owner = self._inbound
        self.reporter.introduce = self._introduce
        self.reporter.publish_state("starting")
        if isinstance(settings.device, Gateway):
            adoptions = adoptions or Adoptions(settings.device, parts.loop)
            adoptions.publish_by(self.reporter, self.link.pump)
        self.adoptions = adoptions
        self._device: AttachedDevice = self._attached()

    # The device.

    def _attached(self) -> AttachedDevice:
        """Return the device of the current settings, attached."""
        if self.adoptions is not None:
            self.adoptions.join(self._topics.sensor, self.settings.device)
        found = AttachedDevice(self.settings, self._parts, self.reporter, self.link, self._outbox.clock)
        self._inbound.use_device(self.settings.device, found.sampler)
        return found

    def attach_device(self, settings: SensorSettings) -> None:
        """Set up the device of these settings in place of the one that was detached, and read it soon.

        If its setup fails, it is detached again and the exception propagates.
        """
        self.settings = settings
        self._device = self._attached()
        try:
            self._device.set_up()
        except BaseException:
            self.detach_device()
            raise
        self.reporter.use_device(settings.device, settings.filters)
        self._introduce()
        self._device.sampler.start()

    def detach_device(self) -> None:
        """Release the device, its lines and outputs, and refuse its commands. A second call does nothing."""
        self._device.detach()
        self._inbound.drop_device()

    @property
    def subscribes(self) -> bool:
        """Whether the device has a connection of its own to the broker."""
        return self._device.subscriptions.begun

    def end_subscriptions(self) -> None:
        """Store what the device's own connection has received, then close it."""
        self._device.subscriptions.close()

    # From start to stop.

    def introduce(self) -> None:
        """Log what runs here, and queue the birth messages."""
        about, address = self.settings, BrokerAddress.of(self.settings)
        log.info("starting", kind=about.kind, settings=about.device.settings(), broker=address.facts)
        self._discovery.withdraw(self._announced.topics)
        self._introduce()
        self.publish_heartbeat()

    def _introduce(self) -> None:
        """Publish `status/about` and the announcement to Home Assistant."""
        self.reporter.publish_about(self.settings.about)
        self._discovery.introduce(announced(self.settings))
        self._announced.keep(self._discovery.topics)

    def set_up(self) -> None:
        """Run the device's setup. Its exceptions propagate."""
        self._device.set_up()

    def start_reading(self) -> None:
        """Read the device in the loop's next turn, then periodically. Reading never waits for a broker."""
        self._device.sampler.start()

    def start_link(self) -> None:
        """Connect, unless that has begun already, and stay connected."""
        if not self.link.begun:
            self._inbound.subscribe()
            self.link.start()

    def start_heartbeat(self) -> None:
        """Publish a heartbeat every period from now on."""
        self._heartbeat.start()

    def publish_heartbeat(self) -> None:
        """Publish a heartbeat, and the health if it has changed."""
        self._heartbeat.publish()
        self.reporter.publish_health()

    def _beat(self) -> None:
        self.publish_heartbeat()
        self._announced.keep(self._discovery.topics)
        self.link.pump()
        log.settle()

    @property
    def stuck(self) -> set[str]:
        """The parts that are not making progress."""
        own = self._device
        parts = (("reader", own.sampler), ("link", self.link), ("subscription", own.subscriptions), ("call", own.lent))
        return {name for name, part in parts if not part.making_progress}

    def make_safe(self) -> None:
        """Set every output to its safe value."""
        self._device.pins.make_safe()

    def stop_working(self, *, in_order: bool) -> None:
        """Stop reading and refuse commands. `in_order` also sets the outputs to safe values and publishes that."""
        self._device.sampler.stop()
        self._inbound.close()
        if in_order and self._device.pins.owns:
            self._device.rest()
            self._device.sampler.read()
        self.link.pump()

    @property
    def delivered(self) -> bool:
        """Whether no read runs, and the broker has acknowledged all readings and answers that it may receive now."""
        return self._device.sampler.idle and self.link.up and self._outbox.deliverable == 0

    @property
    def all_acknowledged(self) -> bool:
        """Whether the broker has acknowledged everything that it may receive now, including the newest state."""
        return self._outbox.state_settled and self._outbox.deliverable == 0

    def publish_last_state(self, state: State, why: str) -> None:
        """Publish the last state, connecting first if the link was never started."""
        self.reporter.publish_state(state, why)
        self.start_link()
        self.link.pump()

    def disconnect(self) -> None:
        """Close the link in order, and log what the broker has not acknowledged."""
        if not self.all_acknowledged:
            left, settled = self._outbox.queued, self._outbox.state_settled
            log.warning("the broker has not acknowledged everything", left=left, state_told=settled)
        self.link.close()

    def close(self) -> None:
        """Release everything, whatever happened before."""
        with ExitStack() as stack:
            stack.callback(self._outbox.history.close)
            stack.callback(self.link.drop)
            stack.callback(self.detach_device)

    # Reloading.

    @property
    def reloadable(self) -> bool:
        """Whether new settings can still be applied; False while the process stops."""
        return not self._inbound.closed

    def apply_settings(self, settings: SensorSettings, before: SensorSettings) -> None:
        """Apply every changed setting that is not the device's."""
        self.settings = settings
        self.reporter.apply_settings(settings)
        keep = settings.history
        self._outbox.apply_settings(backlog_limits(keep), keep.rate, recorded=is_recorded(settings))
        if settings.heartbeat_s != before.heartbeat_s:
            self._heartbeat.period_s = settings.heartbeat_s
            self._heartbeat.start()
        if settings.homeassistant != before.homeassistant:
            self._discovery.apply_settings(settings.homeassistant)
        if _introduced(settings) != _introduced(before):
            self._introduce()
        if _connection_settings(settings) != _connection_settings(before):
            self._inbound.subscribe()
            self.link.move(BrokerAddress.of(settings))

    def reloaded(self, problem: str | None) -> None:
        """Publish that a reload ended, with the problem if it failed."""
        self.reporter.set_problem("not reloaded", problem)
        self.publish_heartbeat()
        self.link.pump()
