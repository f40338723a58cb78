"""One sensor: its topics, its device, and a link of its own to the broker, with a last will."""

from collections.abc import Callable
from contextlib import ExitStack

from bootstrap.config.model import HistorySettings, SensorSettings
from bootstrap.contract.timestamps import Clock
from bootstrap.contract.topics import State
from bootstrap.homeassistant.discovery import Discovery, announced
from bootstrap.logs import log
from bootstrap.mqtt.address import BrokerAddress
from bootstrap.mqtt.link import Link
from bootstrap.outbox.backlog import RESEND_S, Backlog, BacklogLimits
from bootstrap.outbox.dead_letters import DeadLetters
from bootstrap.outbox.folder import adopt_older_folder, outbox_folder
from bootstrap.outbox.outbox import Outbox
from bootstrap.outbox.segment_log import SegmentLog
from bootstrap.runtime.attached_device import AttachedDevice
from bootstrap.runtime.heartbeat import Heartbeat
from bootstrap.runtime.inbound import Inbound
from bootstrap.runtime.parts import ProcessParts
from bootstrap.runtime.reporter import Reporter

DAY_S = 86_400.0


def make_outbox(settings: SensorSettings, known: float) -> Outbox:
    """Return the outbox of a sensor, with all that an earlier run could not deliver.

    `known` is a time that has been, in seconds since 1970: while the clock is earlier, it is not trusted.
    """
    state, keep = settings.folders.state, settings.history
    adopt_older_folder(state, settings.topics)
    folder = outbox_folder(state, settings.topics)
    backlog, letters = Backlog(SegmentLog(folder), backlog_limits(keep)), DeadLetters(folder)
    return Outbox(backlog, keep.rate, letters, Clock(known), recorded=keep.recorder)


def backlog_limits(keep: HistorySettings) -> BacklogLimits:
    """Return how much is kept, as `[history]` says it."""
    return BacklogLimits(records=keep.records, age_s=keep.days * DAY_S, resend_s=RESEND_S if keep.recorder else 0.0)


class Sensor:
    """A device, and everything that makes it a sensor on the broker."""

    def __init__(
        self, settings: SensorSettings, parts: ProcessParts, known: float, on_status: Callable[[], None]
    ) -> None:
        """Call `on_status` whenever `state`, `why` or `status` has changed. `known` is as in `make_outbox`."""
        self.settings, self._topics, self._parts = settings, settings.topics, parts
        self._outbox = make_outbox(settings, known)
        self.link = Link(parts.loop, parts.worker, BrokerAddress.of(settings), self._outbox, self)
        self.reporter = Reporter(self._topics, self._outbox, self.link, settings.device, on_status)
        facts = self.reporter.heartbeat_facts
        self._heartbeat = Heartbeat(parts.loop, self._topics, self._outbox, facts, self._beat)
        self._heartbeat.period_s = settings.heartbeat_s
        self._discovery = Discovery(settings.homeassistant, self._topics, parts.loop, self._outbox, self.link.pump)
        self._inbound = Inbound(self._topics, self.link, self.reporter, self._heartbeat, self._discovery)
        self.reporter.begin(self._heartbeat.run)
        self._device = self._attached()

    # The device.

    def _attached(self) -> AttachedDevice:
        """Attach the device of our settings."""
        found = AttachedDevice(self.settings, self._parts, self.reporter, self.link.pump)
        self._inbound.use_device(self.settings.device, found.sampler)
        return found

    def attach_device(self, settings: SensorSettings) -> None:
        """Set up the device of these settings in place of the one that was detached, and read it soon.

        Raises what its setup does; then it is detached again.
        """
        self.settings = settings
        self._device = self._attached()
        try:
            self._device.set_up()
        except BaseException:
            self.detach_device()
            raise
        self.reporter.use_device(settings.device)
        self._introduce()
        self._device.sampler.start()

    def detach_device(self) -> None:
        """Let go of the device, as `AttachedDevice.detach` does."""
        self._device.detach()

    @property
    def subscribes(self) -> bool:
        """Whether the device has a connection of its own to the broker."""
        return self._device.subscriptions.begun

    def end_subscriptions(self) -> None:
        """Store what the device's own connection has received, and end it."""
        self._device.subscriptions.close()

    # From start to stop.

    def introduce(self) -> None:
        """Log once what runs here, and prepare the birth."""
        about, address = self.settings, BrokerAddress.of(self.settings)
        log.info("starting", kind=about.kind, settings=about.device.settings(), broker=address.facts)
        self._introduce()
        self.publish_heartbeat()

    def _introduce(self) -> None:
        """Tell everybody, and Home Assistant, what this is."""
        self.reporter.publish_about(self.settings.about)
        self._discovery.introduce(announced(self.settings))

    def set_up(self) -> None:
        """Run the device's setup; raises what that does."""
        self._device.set_up()

    def start_reading(self) -> None:
        """Read the device soon, and go on; reading never waits for a broker."""
        self._device.sampler.start()

    def start_link(self) -> None:
        """Connect, if that has not begun yet, and stay connected."""
        if not self.link.begun:
            self._inbound.subscribe()
            self.link.start()

    def start_heartbeat(self) -> None:
        """Publish a heartbeat every period from now on."""
        self._heartbeat.start()

    def publish_heartbeat(self) -> None:
        """Publish a heartbeat, and the health if there is anything new in it."""
        self._heartbeat.publish()
        self.reporter.publish_health()

    def _beat(self) -> None:
        self.publish_heartbeat()
        self.link.pump()
        log.settle()

    @property
    def stuck(self) -> set[str]:
        """The parts that do not go on by themselves."""
        parts = (("reader", self._device.sampler), ("link", self.link))
        return {name for name, part in parts if not part.making_progress}

    def make_safe(self) -> None:
        """Set every output to its safe value."""
        self._device.pins.make_safe()

    def stop_working(self, *, in_order: bool) -> None:
        """Read no more and refuse commands. In order means: outputs are made safe first, and that is published."""
        self._device.sampler.stop()
        self._inbound.close()
        if in_order and self._device.pins.owns:
            self._device.pins.make_safe()
            self._device.sampler.read()
        self.link.pump()

    @property
    def delivered(self) -> bool:
        """Whether the broker is there and has acknowledged all readings and answers."""
        return self.link.up and self._outbox.queued == 0

    @property
    def told(self) -> bool:
        """Whether the broker has acknowledged all there is, the newest state included."""
        return self._outbox.state_settled and self._outbox.queued == 0

    def say_goodbye(self, state: State, why: str) -> None:
        """Publish the last state, over a new link if there is none yet."""
        self.reporter.publish_state(state, why)
        self.start_link()
        self.link.pump()

    def disconnect(self) -> None:
        """Close the link in order, and log what the broker was not told."""
        if not self.told:
            left, state_told = self._outbox.queued, self._outbox.state_settled
            log.warning("the broker was not told all", left=left, state_told=state_told)
        self.link.close()

    def close(self) -> None:
        """Let go of everything, whatever has happened before."""
        with ExitStack() as stack:
            stack.callback(self._outbox.history.close)
            stack.callback(self.link.drop)
            stack.callback(self.detach_device)

    # New settings, while it runs.

    @property
    def reloadable(self) -> bool:
        """Whether new settings can still be taken over."""
        return not self._inbound.closed

    def apply_settings(self, settings: SensorSettings, before: SensorSettings) -> None:
        """Take over everything that is not the device's and has changed."""
        self.settings = settings
        self._outbox.apply_settings(
            backlog_limits(settings.history), settings.history.rate, recorded=settings.history.recorder
        )
        if settings.heartbeat_s != before.heartbeat_s:
            self._heartbeat.period_s = settings.heartbeat_s
            self._heartbeat.start()
            self._introduce()
        if settings.homeassistant != before.homeassistant:
            self._discovery.apply_settings(settings.homeassistant)
            self._inbound.subscribe()
            self._introduce()
        if (settings.broker, settings.homeassistant) != (before.broker, before.homeassistant):
            self.link.move(BrokerAddress.of(settings))

    def reloaded(self, trouble: str | None) -> None:
        """Report that new settings were taken over, or why not."""
        self.reporter.set_trouble("not reloaded", trouble)
        self.publish_heartbeat()
        self.link.pump()

    # What the link reports.

    def on_connected(self) -> None:
        """Make the birth's heartbeat a fresh one."""
        self._discovery.on_connected()
        self.reporter.set_link("connected to the broker")
        self.publish_heartbeat()

    def on_disconnected(self, why: str) -> None:
        """Note it; the device is read all the same."""
        self.reporter.set_link(f"no broker: {why}")

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Hand it on."""
        self._inbound.on_message(topic, payload, retained=retained)

    def on_denied(self, topic: str, why: str | None) -> None:
        """Be in fault until it is allowed again. That nobody minds Home Assistant is the house's own affair."""
        if topic == self._discovery.topic:
            return
        self.reporter.set_trouble(topic, why and f"the broker does not let us publish it: {why}")
        self.publish_heartbeat()
