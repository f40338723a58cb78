"""A device while it is attached to its sensor."""

from functools import partial

from bootstrap.config.model import SensorSettings
from bootstrap.contract.timestamps import MachineClock
from bootstrap.device import Device
from bootstrap.mqtt.link import Link
from bootstrap.outbox.folder import outbox_folder
from bootstrap.pins.device_pins import DevicePins
from bootstrap.runtime.conversation import Conversation
from bootstrap.runtime.declared_lines import DeclaredLines
from bootstrap.runtime.device_context import DeviceContext, DeviceSetup, Subscriptions
from bootstrap.runtime.kept_values import kept_values
from bootstrap.runtime.lent_parts import LentParts
from bootstrap.runtime.named_timers import NamedTimers
from bootstrap.runtime.parts import ProcessParts, SensorParts
from bootstrap.runtime.releases import Releases
from bootstrap.runtime.reporter import Reporter
from bootstrap.runtime.sampler import Sampler, phase_of

OUTPUTS = "outputs"  # the name of a problem


def _sampler(settings: SensorSettings, parts: ProcessParts, reporter: Reporter, link: Link) -> Sampler:
    """Return the sampler of a device. Those that are only heard are all looked at in one turn of the loop."""
    if not settings.device.is_heard:
        return Sampler(parts.loop, settings.device, reporter, link.pump, phase_of(settings.topics.client_id))
    found = Sampler(parts.loop, settings.device, reporter, link.pump)
    found.counted_from = parts.in_step_with
    return found


class AttachedDevice:
    """Gives a device its pins, timers and subscriptions, from construction until `detach`."""

    def __init__(
        self,
        settings: SensorSettings,
        parts: ProcessParts,
        reporter: Reporter,
        link: Link,
        clock: MachineClock,
    ) -> None:
        """Publish over this link; `clock` tells how far the time can be trusted."""
        device, sensor = settings.device, settings.topics.client_id
        self.sampler = _sampler(settings, parts, reporter, link)
        self.pins = DevicePins(parts.loop, parts.inbox, self.sampler.on_edge, partial(self._tell, reporter))
        self.lent = LentParts(device, parts, self.sampler, reporter.set_problem)
        self.lent.sensor, self.lent.folder = sensor, outbox_folder(settings.folders.state, settings.topics)
        if type(device).blocks is True:  # a setting of that name is a user's own
            self.sampler.read_elsewhere(self.lent.calls)
        self.sampler.awaits_stream = self.lent.awaits_stream
        self._resources = Releases()
        self._resources.callback(self.pins.close)
        self._resources.callback(self.lent.end_streams)
        kept = kept_values(settings, parts, reporter.set_problem)
        self._resources.callback(kept.close)
        setup = DeviceSetup(device, DeclaredLines(device, self.pins))
        self.set_up, self.progress, self._stopping = setup.do, setup.progress, device.stopping
        self._resources.callback(setup.undo)
        self.subscriptions = Subscriptions(settings, parts.sockets, parts.inbox, clock.known)
        self._resources.callback(self.subscriptions.close)
        self._resources.callback(self.lent.end_calls)
        timers = NamedTimers(parts.loop, self.sampler.run_later)
        around = SensorParts(sensor, parts.loop, link, reporter, clock, self.sampler.run_later)
        conversation = self._conversation(device, around)
        reporter.lend(kept.keep, conversation.follow)
        context = DeviceContext(timers, setup.lines, self.subscriptions, kept, reporter, lent=self.lent)
        context.use(conversation, self.sampler.run_later)
        device.attach(context)

    def _tell(self, reporter: Reporter, why: str | None) -> None:
        """Publish that outputs could not be set; or that they could, and what they are now."""
        reporter.set_problem(OUTPUTS, why)
        if why is None:
            self.sampler.read_soon()

    def _conversation(self, device: Device, around: SensorParts) -> Conversation:
        """Return what listens and tells for the device. Before it ends, formulas keep what they have summed up."""
        conversation = Conversation(device, around)
        self._resources.callback(conversation.close)
        self._resources.callback(around.reporter.close_filters)
        return conversation

    def rest(self) -> None:
        """Set its outputs to safe values at an orderly stop, after what it does then by itself."""
        self._stopping()
        self.pins.make_safe()

    def detach(self) -> None:
        """Release the device: set its outputs to safe values, free its lines and close all that it opened.

        A second call does nothing.
        """
        self.sampler.abandon()
        self._resources.close()
