"""The outputs of a sensor that does not run."""

from contextlib import ExitStack

from bootstrap import log
from bootstrap.bench import Bench, Hearing, set_up
from bootstrap.config import Settings
from bootstrap.errors import Exit, Fatal
from bootstrap.lock import take_lock
from bootstrap.loop import Loop
from bootstrap.pins import Pins
from bootstrap.sockets import Inbox, Sockets


def make_safe(settings: Settings) -> Exit:
    """Take the lines of a sensor that does not run, set its outputs to their safe value, and let go."""
    log.start(settings.topics.client_id, settings.log.level, settings.log.format)
    try:
        with ExitStack() as stack:
            take_lock(settings, stack)
            sockets = Sockets()
            stack.callback(sockets.end)
            inbox = Inbox(sockets)
            stack.callback(inbox.close)
            loop = Loop()
            pins = Pins(settings.topics.client_id, loop, inbox, deliver=lambda _edge: None)
            stack.callback(pins.close)
            stack.callback(settings.device.teardown)
            hearing = Hearing(settings, sockets, inbox)
            stack.callback(hearing.close)
            settings.device.tools = Bench(loop, pins, lambda _call: None, hearing)  # type: ignore[misc]
            set_up(settings.device)
    except Fatal as end:
        log.error("cannot make the outputs safe", reason=end.reason, exit=int(end.code))
        return end.code
    except OSError as error:
        log.error("cannot make the outputs safe", reason=str(error), exit=int(Exit.ABSENT))
        return Exit.ABSENT
    return Exit.STOPPED
