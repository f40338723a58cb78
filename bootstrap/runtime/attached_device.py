"""A device while it is attached to its sensor."""

from collections.abc import Callable
from contextlib import ExitStack

from bootstrap.config.model import SensorSettings
from bootstrap.pins.device_pins import DevicePins
from bootstrap.runtime.device_context import DeviceContext, Subscriptions, set_up
from bootstrap.runtime.parts import ProcessParts
from bootstrap.runtime.reporter import Reporter
from bootstrap.runtime.sampler import Sampler


class AttachedDevice:
    """Lends the device what it may use, from its making until `detach`."""

    def __init__(
        self,
        settings: SensorSettings,
        parts: ProcessParts,
        reporter: Reporter,
        published: Callable[[], None],
    ) -> None:
        """Call `published` whenever the device's words were put in the outbox."""
        self._device = device = settings.device
        self.sampler = Sampler(parts.loop, device, reporter, published)
        self.pins = DevicePins(parts.loop, parts.inbox, self.sampler.on_edge)
        self._lent = ExitStack()
        self._lent.callback(self.pins.close)
        self._lent.callback(device.teardown)
        self.subscriptions = Subscriptions(settings, parts.sockets, parts.inbox)
        self._lent.callback(self.subscriptions.close)
        device.attach(DeviceContext(parts.loop, self.pins, self.sampler.run_later, self.subscriptions))

    def set_up(self) -> None:
        """Run the device's setup; raises what that does."""
        set_up(self._device)

    def detach(self) -> None:
        """Let go of the device: its lines, outputs safe, and all that it opened. Doing it twice does nothing."""
        self.sampler.stop()
        self._lent.close()
