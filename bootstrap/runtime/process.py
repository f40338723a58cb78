"""A sensor process, from its settings to its exit code."""

import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bootstrap.config.model import ProcessSettings, SensorSettings
from bootstrap.contract import timestamps
from bootstrap.contract.topics import State
from bootstrap.errors import Absent, Exit, Fatal
from bootstrap.eventloop.loop import STOP_SIGNALS, Loop, Signals, has_terminal
from bootstrap.eventloop.threads import Inbox, Sockets, Worker
from bootstrap.logs import log
from bootstrap.mqtt.connection import LINGER_S
from bootstrap.outbox.folder import outbox_folder
from bootstrap.pins.device_pins import set_line_holder
from bootstrap.runtime.lock import ProcessLock, take_lock
from bootstrap.runtime.lodgers import Lodgers
from bootstrap.runtime.orderly_end import DRAIN_S, LAST_STATE_S
from bootstrap.runtime.parent_death import die_with
from bootstrap.runtime.parts import ProcessParts
from bootstrap.runtime.sd_notify import notify, notify_reloading, watchdog_s
from bootstrap.runtime.sensor import Sensor
from bootstrap.runtime.shutdown_guard import ShutdownGuard
from bootstrap.runtime.status_report import StatusReport

ORPHAN_STOP_S = 2.5  # longest orderly stop after the supervisor died


class Inherited(NamedTuple):
    """What a supervisor passes to a process that it forks.

    Attributes:
        supervisor: a descriptor that reads end-of-file once the supervisor has died; then the process stops.
        known: a time that has certainly passed, in seconds since 1970, as `known_time` finds it.
    """

    supervisor: int | None = None
    known: float | None = None


def run(settings: ProcessSettings, inherited: Inherited | None = None) -> Exit:
    """Run a process until a signal or a fault ends it. Returns the exit code; never raises."""
    supervisor, known = inherited or Inherited()
    first = settings.sensors[0]
    log.start(settings.label, first.log.level, first.log.format)
    try:
        if sys.stderr is not None:
            faulthandler.enable()  # prints every thread's stack on the watchdog's SIGABRT
        with ExitStack() as stack:
            if settings.together:
                stack.callback(ProcessLock(first.folders, f"together-{settings.name}").close)
            else:
                take_lock(first, stack)
            if supervisor is not None:
                stack.callback(os.close, die_with(supervisor))
            process = Process(stack, supervisor)
            known = known_time(settings) if known is None else known
            if settings.together:
                process.share(settings, known)
            else:
                process.add(first, known)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)  # blocked by a supervisor at the fork
            return process.run()
    except Fatal as end:
        log.error("cannot continue", reason=end.reason, exit=int(end.code))
        notify(f"STATUS={end.reason}")
        return end.code
    except BaseException as error:  # noqa: BLE001 - anything else is a bug, even sys.exit() in a device
        log.error("a bug ended the daemon", traceback=True, exit=int(Exit.BUG))
        notify(f"STATUS=a bug: {error!r}")
        return Exit.BUG
    finally:
        log.settle(all_of_it=True)


def known_time(settings: ProcessSettings) -> float:
    """Return a time that has certainly passed, in seconds since 1970, from the newest file the machine keeps."""
    state = settings.sensors[0].folders.state
    return timestamps.newest([state, *(outbox_folder(state, one) for one in settings.names), Path(__file__)])


def _thread_died(make_safe: Callable[[], None], died: threading.ExceptHookArgs) -> None:
    """End the process at once. `Worker` passes exceptions to the loop, so this one left something that cannot go on."""
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


class Process:
    """An event loop with its signals and threads, and the sensors that run on it.

    `stack` releases everything in reverse order, whatever ends the process.
    """

    def __init__(self, stack: ExitStack, supervisor: int | None = None) -> None:
        self.sensors: list[Sensor] = []
        self._sharing: Sequence[SensorSettings] = ()
        self._stack, self._supervised = stack, supervisor is not None
        self._stopping = self._hurry = False
        sockets = Sockets()
        self._guard = ShutdownGuard(sockets)
        stack.callback(self._guard.disarm)
        stack.callback(sockets.end)
        self._loop = Loop()
        stack.callback(Signals(self._loop, self._on_signal).close)
        if supervisor is not None:
            self._loop.add_reader(supervisor, lambda _events: self._orphaned(supervisor))
        inbox = Inbox(sockets)
        stack.callback(inbox.close)
        self._loop.add_reader(inbox.socket, inbox.receive)
        worker = Worker(inbox)
        stack.callback(worker.close)
        self._parts = ProcessParts(self._loop, sockets, inbox, worker)
        self._lodgers = Lodgers(self._parts, self._notify_status)
        self._report = StatusReport(self.sensors, self._lodgers)
        threading.excepthook = partial(_thread_died, self._make_safe)

    def add(self, settings: SensorSettings, known: float = 0.0) -> Sensor:
        """Add a sensor, which is set up when the process runs; what is wrong with it is wrong with the process.

        `known` is a time that has certainly passed, in seconds since 1970.
        """
        set_line_holder(settings.topics.client_id)
        sensor = Sensor(settings, self._parts, known, self._notify_status)
        self._lodgers.known = known
        self.sensors.append(sensor)
        self._release_by(sensor)
        return sensor

    def share(self, settings: ProcessSettings, known: float = 0.0) -> None:
        """Run these sensors when the process runs; what is wrong with one is its own affair. `known` is as in `add`."""
        set_line_holder(settings.name)
        self._lodgers.known, self._sharing = known, settings.sensors

    def _release_by(self, held: Sensor | Lodgers) -> None:
        """Close a sensor at the end. Storing what it has received may take long, so that is before the guard."""
        self._stack.callback(held.close)
        self._stack.callback(self._guard.arm)
        self._stack.callback(held.end_subscriptions)

    @property
    def _all(self) -> list[Sensor]:
        """The sensors that run, including those whose faults are their own."""
        return [*self.sensors, *self._lodgers.sensors]

    def run(self) -> Exit:
        """Set up every sensor, run the loop until a stop, and shut down. Returns the exit code."""
        for sensor in self.sensors:
            sensor.introduce()
        try:
            for sensor in self.sensors:
                sensor.set_up()
            self._release_by(self._lodgers)
            self._lodgers.start(self._sharing)
            self._carry()
        except Fatal:
            raise
        except OSError as error:
            return self._end_absent(error)
        except Exception as error:  # noqa: BLE001 - no connection yet, so no last will: publish `lost` ourselves
            log.error("a bug in setup", traceback=True, exit=int(Exit.BUG))
            return self._end("lost", Exit.BUG, f"a bug in setup: {error!r}")
        return self._serve()

    def _carry(self) -> None:
        """Start, reload and end the sensors that gateways carry, as their settings say."""
        for sensor in self._all:
            self._lodgers.carry(sensor)

    def _serve(self) -> Exit:
        try:
            self._start()
            self._loop.run(until=lambda: self._stopping)
        except Fatal:
            raise
        except Absent as end:
            return self._end_absent(end)
        except Exception as error:
            if any(sensor.link.up for sensor in self._all):
                raise  # closing without a DISCONNECT makes the broker publish the last will
            log.error("a bug before the first connection", traceback=True, exit=int(Exit.BUG))
            return self._end("lost", Exit.BUG, f"a bug: {error!r}")
        return self._end("stopped", Exit.STOPPED)

    def _start(self) -> None:
        """Start reading, connecting and heartbeats. READY means that the devices are set up, not that a broker is."""
        for sensor in self.sensors:
            sensor.start_reading()
        notify("READY=1")
        for sensor in self.sensors:
            sensor.start_link()
            sensor.start_heartbeat()
        if watchdog := watchdog_s():
            self._loop.call_every(watchdog, self._report.prove_progress)

    # systemd, or the supervisor.

    def _notify_status(self) -> None:
        """Notify the supervisor of our status, once there is a sensor."""
        if self._all:
            self._report.notify()

    def _on_signal(self, name: str) -> None:
        """Stop or reload. SIGHUP means that our terminal is gone, or without a terminal, that the settings changed."""
        if name == "SIGHUP" and (self._supervised or not has_terminal()):
            self._reload()
        else:
            self._stop(name)

    def _reload(self) -> None:
        """Reload the settings of every sensor and report those that could not be reloaded."""
        if self._stopping or not all(sensor.reloadable for sensor in self.sensors):
            return
        from bootstrap.runtime.reload import reload  # noqa: PLC0415 - few processes ever reload

        notify_reloading()
        problems = [(sensor, reload(sensor)) for sensor in self.sensors]
        self._lodgers.reload()
        self._carry()
        self._loop.call_soon(partial(self._reloaded, problems))  # after the first read of a new device

    def _reloaded(self, problems: list[tuple[Sensor, str | None]]) -> None:
        for sensor, problem in problems:
            sensor.reloaded(problem)
        self._notify_status()
        notify("READY=1")

    # The end.

    def _stop(self, why: str) -> None:
        """Stop in order; at the second call, at once."""
        if self._stopping:
            log.info("stopping at once", why=why)
        else:
            connected = all(sensor.link.up for sensor in self._all)
            log.info("stopping; a second signal stops at once", why=why, connected=connected)
        self._stopping, self._hurry = True, self._stopping

    def _orphaned(self, supervisor: int) -> None:
        """Stop in order but soon, to make room for the processes that the next supervisor starts."""
        self._loop.remove_reader(supervisor)
        self._loop.call_later(ORPHAN_STOP_S, lambda: self._stop("the supervisor died"))
        self._stop("the supervisor died")

    def _make_safe(self) -> None:
        """Set the outputs of every sensor to their safe values, even if that fails for another one."""
        with ExitStack() as stack:
            for sensor in self._all:
                stack.callback(sensor.make_safe)

    def _end_absent(self, error: OSError) -> Exit:
        log.error("the device is absent; publishing the fault, then ending", error=str(error), exit=int(Exit.ABSENT))
        for sensor in self.sensors:
            sensor.reporter.publish_absent(error)
        return self._end("fault", Exit.ABSENT, f"the device is absent: {error}")

    def _end(self, state: State, code: Exit, why: str = "") -> Exit:
        """Stop working, deliver what is queued, publish the last state, disconnect."""
        notify("STOPPING=1")
        in_order = state == "stopped"
        self._lodgers.hold()
        for sensor in self._all:
            sensor.stop_working(in_order=in_order)
        if in_order:
            self._wait(lambda sensor: sensor.delivered, DRAIN_S)
        for sensor in self._all:
            sensor.publish_last_state(state, why)
        if not in_order:
            self._wait(lambda sensor: sensor.link.up, LAST_STATE_S)
        self._wait(lambda sensor: not sensor.link.up or sensor.all_acknowledged, LAST_STATE_S)
        for sensor in self._all:
            sensor.disconnect()
        self._wait(lambda sensor: sensor.link.closed, LINGER_S + 1)
        if why:
            notify(f"STATUS={why}")
        return code

    def _wait(self, until: Callable[[Sensor], bool], limit_s: float) -> None:
        """Run the loop until `until` is true of every sensor, for at most `limit_s` seconds; in a hurry, not at all."""
        self._loop.run(lambda: self._hurry or all(map(until, self._all)), limit_s)
