"""Setting the outputs of a sensor that is not running to their safe values."""

from contextlib import ExitStack

from bootstrap.config.model import SensorSettings
from bootstrap.errors import Exit, Fatal
from bootstrap.eventloop.loop import Loop
from bootstrap.eventloop.threads import Inbox, Sockets, Worker
from bootstrap.logs import log
from bootstrap.pins.device_pins import DevicePins, set_line_holder
from bootstrap.runtime.declared_lines import DeclaredLines
from bootstrap.runtime.device_context import DeviceContext, DeviceSetup, Subscriptions
from bootstrap.runtime.kept_values import kept_values
from bootstrap.runtime.lock import take_lock
from bootstrap.runtime.named_timers import NamedTimers
from bootstrap.runtime.parts import ProcessParts

FAILED = "cannot set the outputs to safe values"


def make_safe(settings: SensorSettings) -> Exit:
    """Set the outputs of a sensor that is not running to their safe values. Returns the exit code; never raises.

    Whoever makes several sensors safe can go on with the next one, whatever is wrong with this one.
    """
    log.start(settings.topics.client_id, settings.log.level, settings.log.format)
    try:
        with ExitStack() as stack:
            take_lock(settings, stack)
            _set_up(settings, stack)
    except Fatal as end:
        log.error(FAILED, reason=end.reason, exit=int(end.code))
        return end.code
    except OSError as error:
        log.error(FAILED, reason=str(error), exit=int(Exit.ABSENT))
        return Exit.ABSENT
    except (Exception, SystemExit) as error:  # noqa: BLE001 - anything else is a bug of the device
        log.error(FAILED, traceback=True, reason=repr(error), exit=int(Exit.BUG))
        return Exit.BUG
    return Exit.STOPPED


def _set_up(settings: SensorSettings, stack: ExitStack) -> None:
    """Set up the device, whose outputs are set to their safe values when `stack` is closed."""
    sockets = Sockets()
    stack.callback(sockets.end)
    inbox = Inbox(sockets)
    stack.callback(inbox.close)
    loop = Loop()
    set_line_holder(settings.topics.client_id)
    pins = DevicePins(loop, inbox, deliver=lambda _edge: None)
    stack.callback(pins.close)
    parts = ProcessParts(loop, sockets, inbox, Worker(inbox))
    kept = kept_values(settings, parts, lambda _what, _why: None)
    stack.callback(kept.close)
    setup = DeviceSetup(settings.device, DeclaredLines(settings.device, pins))
    stack.callback(setup.undo)
    subscriptions = Subscriptions(settings, sockets, inbox)
    stack.callback(subscriptions.close)
    timers = NamedTimers(loop, lambda _call: None)
    settings.device.attach(DeviceContext(timers, setup.lines, subscriptions, kept))
    setup.do()
