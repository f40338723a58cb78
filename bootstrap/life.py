"""The life of a daemon, from its settings to its exit code; it reads downward."""

import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

from bootstrap import clock, log
from bootstrap.actions import Act, Actions, only
from bootstrap.backlog import RESEND_S, Backlog, Limits
from bootstrap.bench import Bench, Hearing, history_folder, set_up
from bootstrap.config import History, Settings
from bootstrap.connection import LINGER_S
from bootstrap.deadletters import DeadLetters
from bootstrap.device import Reading
from bootstrap.discovery import Discovery
from bootstrap.errors import Absent, Exit, Fatal, Refused
from bootstrap.guard import Guard
from bootstrap.link import Link
from bootstrap.lock import take_lock
from bootstrap.loop import STOP_SIGNALS, Loop, Signals, Timer, has_terminal
from bootstrap.notify import notify, notify_reloading, watchdog_s
from bootstrap.orphan import die_with
from bootstrap.outbox import Outbox
from bootstrap.payload import Json
from bootstrap.pins import Edge, Pins
from bootstrap.reporter import Reporter
from bootstrap.sampler import Sampler
from bootstrap.sockets import Inbox, Sockets, Worker
from bootstrap.spill import Spill
from bootstrap.topics import State

DRAIN_S = 5.0  # for what is still unacknowledged at a stop
LAST_WORD_S = 2.0  # for the last state to be acknowledged
ORPHAN_STOP_S = 2.5  # for a stop in order after our supervisor died
DAY_S = 86_400.0


def run(settings: Settings, supervisor: int | None = None, known: float | None = None) -> Exit:
    """Live until a signal asks us to stop, or something ends us. Returns the exit code; never raises.

    `supervisor` is a descriptor that is at its end when the process that looks after us has died: then we stop.
    `known` is a time that has been, in seconds since 1970, if it has been looked up (`known_time`).
    """
    log.start(settings.topics.client_id, settings.log.level, settings.log.format)
    try:
        if sys.stderr is not None:
            faulthandler.enable()  # every thread's stack on the watchdog's SIGABRT
        with ExitStack() as stack:
            take_lock(settings, stack)
            if supervisor is not None:
                stack.callback(os.close, die_with(supervisor))
            known = known_time(settings) if known is None else known
            daemon = Daemon(settings, stack, supervisor, known=known)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)  # a supervisor blocks them until now
            return daemon.live()
    except Fatal as end:
        log.error("cannot go on", reason=end.reason, exit=int(end.code))
        notify(f"STATUS={end.reason}")
        return end.code
    except BaseException as error:  # noqa: BLE001 - whatever it is, even sys.exit() in a device, it is a bug
        log.error("a bug ended the daemon", traceback=True, exit=int(Exit.BUG))
        notify(f"STATUS=a bug: {error!r}")
        return Exit.BUG
    finally:
        log.settle(all_of_it=True)


def _thread_died(make_safe: Callable[[], None], died: threading.ExceptHookArgs) -> None:
    """A thread's work is done in `Worker`, which brings its exceptions to the loop; what is left cannot go on."""
    with suppress(Exception):
        make_safe()
    log.error(
        "a thread died",
        thread=died.thread and died.thread.name,
        error=repr(died.exc_value),
        exit=int(Exit.BUG),
    )
    faulthandler.dump_traceback(all_threads=True)
    os._exit(Exit.BUG)


def known_time(settings: Settings) -> float:
    """A time that has been, in seconds since 1970, by what the machine keeps."""
    return clock.newest([settings.folders.state, history_folder(settings), Path(__file__)])


def _make_outbox(settings: Settings, known: float) -> Outbox:
    """With all that an earlier run could not deliver."""
    keep, folder = settings.history, history_folder(settings)
    backlog, letters = Backlog(Spill(folder), limits(keep)), DeadLetters(folder)
    return Outbox(backlog, keep.rate, letters, clock.Clock(known), recorded=keep.recorder)


def limits(keep: History) -> Limits:
    """How much is kept, as `[history]` says it."""
    return Limits(records=keep.records, age_s=keep.days * DAY_S, resend_s=RESEND_S if keep.recorder else 0.0)


class Daemon:
    """One device, its loop and its link. What `stack` holds is released in reverse order, whatever ends us."""

    def __init__(
        self, settings: Settings, stack: ExitStack, supervisor: int | None = None, *, known: float = 0.0
    ) -> None:
        """While the clock is earlier than `known`, in seconds since 1970, it is not trusted."""
        self.settings, self._topics = settings, settings.topics
        self._stopping = self._hurry = False
        self._supervised = supervisor is not None
        self._stuck: set[str] = set()
        self._sockets = Sockets()
        guard = Guard(self._sockets)
        stack.callback(guard.disarm)
        stack.callback(self._sockets.end)
        self._loop = Loop()
        stack.callback(Signals(self._loop, self._signalled).close)
        if supervisor is not None:
            self._loop.watch(supervisor, lambda _events: self._orphaned(supervisor))
        inbox = Inbox(self._sockets)
        stack.callback(inbox.close)
        self._loop.watch(inbox.socket, inbox.receive)
        worker = Worker(inbox)
        stack.callback(worker.close)
        self._outbox = _make_outbox(settings, known)
        stack.callback(self._outbox.history.close)
        self._link = Link(self._loop, worker, settings.address, self._outbox, self)
        stack.callback(self._link.drop)
        self._reporter = Reporter(self._topics, self._outbox, settings.heartbeat_s, self._link, settings.device)
        self._discovery = Discovery(settings.homeassistant, self._topics, self._loop, self._outbox, self._link.pump)
        self._inbox = inbox
        self._pins = Pins(self._topics.client_id, self._loop, inbox, self._edge)
        threading.excepthook = partial(_thread_died, self._pins.make_safe)
        self._beat_timer: Timer | None = None
        self._equip()
        stack.callback(self.put_away)
        stack.callback(guard.arm)
        stack.callback(self._hear_no_more)  # what it has heard is stored first, however long that takes

    def _equip(self) -> None:
        """Put together what our device needs; `_lent` is what it must give back."""
        device = self.settings.device
        self._lent = ExitStack()
        self._lent.callback(self._pins.close)
        self._lent.callback(device.teardown)
        self._sampler = Sampler(self._loop, device, self._reporter, self._link.pump)
        self._actions = Actions(self._acts(), self._reporter.say_answer)
        hearing = Hearing(self.settings, self._sockets, self._inbox)
        self._lent.callback(hearing.close)
        self._bench = Bench(self._loop, self._pins, self._sampler.later, hearing)
        device.tools = self._bench  # type: ignore[misc]  # the instance's own

    def _edge(self, edge: Edge) -> None:
        self._sampler.edge(edge)

    def _hear_no_more(self) -> None:
        self._bench.hearing.close()

    def live(self) -> Exit:
        """Start, turn, stop."""
        self._introduce()
        try:
            set_up(self.settings.device)
        except Fatal:
            raise
        except OSError as error:
            return self._end_absent(error)
        except Exception as error:  # noqa: BLE001 - a bug before the broker knows us: tell it, there is no will yet
            log.error("a bug in setup", traceback=True, exit=int(Exit.BUG))
            return self._end("lost", Exit.BUG, f"a bug in setup: {error!r}")
        try:
            self._start()
            self._loop.run(until=lambda: self._stopping)
        except Fatal:
            raise
        except Absent as end:
            return self._end_absent(end)
        except Exception as error:
            if self._link.up:
                raise  # hanging up without a word makes the broker say it
            log.error("a bug before the broker knew us", traceback=True, exit=int(Exit.BUG))
            return self._end("lost", Exit.BUG, f"a bug: {error!r}")
        return self._end("stopped", Exit.STOPPED)

    def _end_absent(self, error: OSError) -> Exit:
        log.error("the device is absent; telling the broker, then ending", error=str(error), exit=int(Exit.ABSENT))
        self._reporter.say_absent(error)
        return self._end("fault", Exit.ABSENT, f"the device is absent: {error}")

    def _introduce(self) -> None:
        """Say once, in the log, what runs here; and prepare the birth."""
        about = self.settings
        log.info("starting", kind=about.kind, settings=about.device.settings(), broker=about.address.facts)
        self._present()
        self._reporter.say_heartbeat()

    def _present(self) -> None:
        """Say what we are, to everybody and to Home Assistant."""
        self._reporter.say_about(self.settings.about)
        self._discovery.introduce(self.settings.announcement)

    def _start(self) -> None:
        """READY says that the device is set up, not that a broker is there."""
        self._sampler.start()
        notify("READY=1")
        self._start_link()
        self._await_beat()
        if watchdog := watchdog_s():
            self._loop.every(watchdog, self._prove_progress)

    def _prove_progress(self) -> None:
        """That we are here shows that the loop turns; a part that stands still twice in a row is as good as hung."""
        stuck = {name for name, part in (("reader", self._sampler), ("link", self._link)) if not part.moves}
        before, self._stuck = self._stuck, stuck
        if stuck & before:
            log.error("no progress; the watchdog is not told", stuck=sorted(stuck))
        else:
            notify("WATCHDOG=1", self._reporter.status)

    def _start_link(self) -> None:
        self._hear()
        self._link.start()

    def _hear(self) -> None:
        """Whoever sees us online may send commands; what is held of us is heard before, or after, we replace it."""
        state, heartbeat = self._topics.status("state"), self._topics.status("heartbeat")
        self._link.hear([self._topics.commands, heartbeat, *self._discovery.filters], [state])

    def _beat(self) -> None:
        self._reporter.say_heartbeat()
        self._link.pump()
        log.settle()
        self._await_beat()

    def _await_beat(self) -> None:
        if self._beat_timer is not None:
            self._beat_timer.cancel()
        period_s = self.settings.heartbeat_s
        self._beat_timer = self._loop.after(period_s, self._beat) if period_s else None

    def _signalled(self, name: str) -> None:
        """SIGHUP says that the terminal is gone; where that is not ours, that the settings have changed."""
        if name == "SIGHUP" and (self._supervised or not has_terminal()):
            self._reload()
        else:
            self._stop(name)

    def _reload(self) -> None:
        """Go by the files as they are now, as far as that can be, and say what of it cannot."""
        if self._stopping or self._actions.closed:
            return
        from bootstrap.reload import reload  # noqa: PLC0415 - few ever do

        notify_reloading()
        self._loop.soon(partial(self._reloaded, reload(self)))  # after the first read of a new device

    def _reloaded(self, trouble: str | None) -> None:
        self._reporter.say_trouble("not reloaded", trouble)
        self._reporter.say_heartbeat()
        self._reporter.say_status()
        self._link.pump()
        notify("READY=1")

    def _stop(self, why: str) -> None:
        """A signal: stop in order; a second one: at once."""
        if self._stopping:
            log.info("stopping at once", why=why)
        else:
            log.info("stopping; a second signal stops at once", why=why, connected=self._link.up)
        self._stopping, self._hurry = True, self._stopping

    def _orphaned(self, supervisor: int) -> None:
        """Make room for those the next supervisor starts: in order, but soon."""
        self._loop.unwatch(supervisor)
        self._loop.after(ORPHAN_STOP_S, lambda: self._stop("the supervisor died"))
        self._stop("the supervisor died")

    def _end(self, state: State, code: Exit, why: str = "") -> Exit:
        """No new work, deliver what there is, say the last word, hang up."""
        notify("STOPPING=1")
        self._sampler.stop()
        self._actions.closed = True
        if state == "stopped":
            if self._pins.owns:
                self._pins.make_safe()
                self._sampler.read()
            self._link.pump()
            self._wait(lambda: self._link.up and self._outbox.queued == 0, DRAIN_S)
            self._reporter.say_state(state)
        else:
            self._reporter.say_state(state, why)
            if not self._link.begun:
                self._start_link()
            self._wait(lambda: self._link.up, LAST_WORD_S)
        self._link.pump()
        self._wait(lambda: not self._link.up or self._told(), LAST_WORD_S)
        if not self._told():
            log.warning("the broker was not told all", left=self._outbox.queued, state_told=self._outbox.state_settled)
        self._link.close()
        self._wait(lambda: self._link.closed, LINGER_S + 1)
        if why:
            notify(f"STATUS={why}")
        return code

    def _told(self) -> bool:
        return self._outbox.state_settled and self._outbox.queued == 0

    def _wait(self, until: Callable[[], bool], limit_s: float) -> bool:
        return self._loop.run(lambda: self._hurry or until(), limit_s)

    # What a reload asks of us.

    @property
    def hears(self) -> bool:
        """Whether our device hears what others say, by a connection of its own."""
        return self._bench.hearing.begun

    def put_away(self) -> None:
        """Be without a device: let go of its lines, outputs safe, and of all that it opened. Twice does nothing."""
        self._sampler.stop()
        self._lent.close()

    def fit(self, settings: Settings) -> None:
        """Have the device of these settings set up in the place of the one that was put away, and read it soon.

        Raises what its setup does; then it is put away again.
        """
        self.settings = settings
        try:
            self._equip()
            set_up(settings.device)
        except BaseException:
            self.put_away()
            raise
        self._reporter.take(settings.device)
        self._present()
        self._sampler.start()

    def go_by(self, settings: Settings, before: Settings) -> None:
        """Take over all that is no device's, and is not as it was."""
        self.settings = settings
        log.settle(all_of_it=True)
        log.start(self._topics.client_id, settings.log.level, settings.log.format)
        self._outbox.go_by(limits(settings.history), settings.history.rate, recorded=settings.history.recorder)
        if settings.heartbeat_s != before.heartbeat_s:
            self._reporter.heartbeat_s = settings.heartbeat_s
            self._await_beat()
            self._present()
        if settings.homeassistant != before.homeassistant:
            self._discovery.go_by(settings.homeassistant)
            self._hear()
            self._present()
        if (settings.address, settings.homeassistant) != (before.address, before.homeassistant):
            self._link.move(settings.address)

    # What the link tells us.

    def connected(self) -> None:
        """The broker has us: make the birth's heartbeat a fresh one."""
        self._discovery.connected()
        self._reporter.say_link("connected to the broker")
        self._reporter.say_heartbeat()

    def disconnected(self, why: str) -> None:
        """Nobody listens; the device is read all the same."""
        self._reporter.say_link(f"no broker: {why}")

    def received(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """A command, or what the broker holds of us."""
        place, _, name = topic.rpartition("/")
        if topic == self._topics.status("heartbeat"):
            if where := self._reporter.elder(payload):
                self._link.taken_over(f"{self._topics.client_id} runs already {where}")
        elif topic == self._topics.status("state"):
            self._reporter.correct(payload)
        elif f"{place}/+" == self._topics.commands:
            self._actions.handle(name, payload, retained=retained)
        else:
            self._discovery.received(topic, payload, retained=retained)
        self._link.pump()

    def denied(self, topic: str, why: str | None) -> None:
        """A fault, until it is mended at the broker; but that nobody minds Home Assistant is the house's affair."""
        if topic == self._discovery.topic:
            return
        self._reporter.say_trouble(topic, why and f"the broker does not let us publish it: {why}")
        self._reporter.say_heartbeat()

    # The actions every device has.

    def _acts(self) -> dict[str, Act]:
        own = {name: partial(self._act, act) for name, act in self.settings.device.actions().items()}
        return {"log": self._act_log, "read": self._act_read, **own}

    def _act(self, act: Callable[[Json], Reading | None], value: Json) -> None:
        if (reading := act(value)) is not None:
            self._sampler.take(reading)

    def _act_log(self, value: Json) -> None:
        log.set_level(only(value, "level"))

    def _act_read(self, value: Json) -> None:
        if value not in ("now", {}):
            raise Refused("say now")
        if error := self._sampler.read():
            raise Refused(error)
