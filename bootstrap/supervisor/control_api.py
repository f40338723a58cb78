"""The requests that the supervisor executes. Each reads and checks the settings before it changes anything."""

from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bootstrap.config.loader import DEVICES, HOUSE, Configuration, device_file, unknown_names
from bootstrap.config.model import House, ProcessSettings
from bootstrap.config.toml_file import Fault, SettingsError, contents
from bootstrap.errors import NOT_DONE, Exit
from bootstrap.logs import log
from bootstrap.logs.rotating_stderr import RotatingStderr
from bootstrap.paths import Folders
from bootstrap.runtime.sd_notify import notify, notify_reloading
from bootstrap.supervisor.child import RUNNING, ChildState
from bootstrap.supervisor.control_socket import ControlMessage, ControlReply, ControlServer
from bootstrap.supervisor.supervisor import Supervisor


def supervise(
    configuration: Configuration,
    house: House,
    names: Collection[str],
    log_file: RotatingStderr | None = None,
    ready: Callable[[], None] = lambda: None,
) -> Exit:
    """Supervise these sensors until a signal or a request ends it. The caller holds the lock.

    `ready` is called once every sensor has settled, which means that it is not starting, reloading or stopping.
    """
    try:
        with ExitStack() as stack:
            supervisor = Supervisor(house, stack, log_file)
            api = ControlApi(supervisor, configuration, Folders.usual(house.state))
            stack.callback(ControlServer(supervisor.loop, api.folders.runtime, api.handle).close)
            log.info("starting", sensors=[*names], house=str(configuration.folder))
            supervisor.run(names, ready)
            log.info("stopped")
    except BaseException:  # noqa: BLE001 - a bug; the children notice the supervisor's end and stop
        log.error("a bug ended the supervisor", traceback=True, exit=int(Exit.BUG))
        return Exit.BUG
    finally:
        log.settle(all_of_it=True)
    return Exit.STOPPED


@dataclass(frozen=True)
class ProcessFiles:
    """The files of one process as last read, by name. A text is None if it could not be read.

    `settings` is None if a file has faults.
    """

    texts: Mapping[str, bytes | None]
    settings: ProcessSettings | None


class ControlApi:
    """Reads the configuration and makes the supervisor act on it."""

    def __init__(self, supervisor: Supervisor, configuration: Configuration, folders: Folders) -> None:
        self._supervisor = supervisor
        self._folder = configuration.folder
        self._files: dict[str, ProcessFiles] = {}
        self._gone: set[str] = set()  # names whose file is gone, while their process may still be ending
        self.folders = folders
        supervisor.reload = self._on_hangup
        supervisor.on_ended = lambda child: self._forget(child.name)
        for name, read in _read_all(configuration).items():
            why = _faults_of(configuration, [name])
            self._use_file(name, ProcessFiles(read.texts, None) if why else read)
            if why:
                self._supervisor.child(name).fail("; ".join(map(str, why)))

        for fault in _of_no_device(configuration):
            log.warning("a file is not used", file=fault.file, reason=fault.text)

    def _on_hangup(self) -> None:
        """Reload because of a signal. Only systemd is notified of the end."""
        notify_reloading()
        self.handle({"do": "reload"}, _on_reloaded)

    def _use_file(self, name: str, read: ProcessFiles) -> None:
        self._gone.discard(name)
        self._files[name] = read
        self._supervisor.child(name).settings = read.settings

    def handle(self, request: ControlMessage, reply: ControlReply) -> None:
        """Execute a request, and reply when the children it concerns have settled."""
        acts = {"start": self._start, "stop": self._stop, "restart": self._restart, "reload": self._reload}
        names = request.get("names", [])
        house = request.get("house", str(self._folder))
        if house != str(self._folder):
            why = f"this supervisor runs {self._folder}, not {house}; give each house its own `state`"
            reply(_refusal(why, NOT_DONE))
        elif request.get("do") == "status":
            reply(self._answer(self._supervisor.children))
        elif self._supervisor.stopping and request.get("do") != "stop":
            reply(_refusal("the supervisor is stopping", NOT_DONE))
        elif act := acts.get(request["do"]):
            act(names, reply)
        else:
            reply(_refusal(f"unknown request: {request!r}", NOT_DONE))

    def _answer(self, names: Collection[str], **more: object) -> ControlMessage:
        """Return the reply that describes these children."""
        children = self._supervisor.children
        return {"sensors": [children[name].row() for name in sorted(children) if name in names], **more}

    def _answer_later(self, names: Collection[str], reply: ControlReply, **more: object) -> None:
        self._supervisor.when_settled(names, lambda: reply(self._answer(names, **more)))

    def _start(self, names: list[str], reply: ControlReply) -> None:
        running = [
            name for name, child in self._supervisor.children.items() if child.state in RUNNING - {ChildState.STOPPING}
        ]
        self._act_on_fresh_settings(names, reply, lambda name: self._supervisor.child(name).start(), leave=running)

    def _restart(self, names: list[str], reply: ControlReply) -> None:
        self._act_on_fresh_settings(names, reply, lambda name: self._supervisor.child(name).restart())

    def _act_on_fresh_settings(
        self, names: list[str], reply: ControlReply, act: Callable[[str], None], leave: Collection[str] = ()
    ) -> None:
        """Read the settings and call `act` for each child but those in `leave`. If any has a fault, refuse instead."""
        configuration = Configuration(self._folder)
        reads = _read_all(configuration)
        names = names or [*reads]
        if faults := [*unknown_names(names, reads), *self._faults(configuration, names)]:
            reply(_refusal(str(SettingsError(faults)), Exit.SETTINGS))
            return
        for name in set(names).difference(leave):
            self._use_file(name, reads[name])
            act(name)
        self._answer_later(names, reply)

    def _stop(self, names: list[str], reply: ControlReply) -> None:
        children = self._supervisor.children
        if faults := unknown_names(names, children):
            reply(_refusal(str(SettingsError(faults)), Exit.SETTINGS))
            return
        if names:
            for name in names:
                children[name].stop()
        else:
            self._supervisor.stop_all("requested")
        self._answer_later(names or [*children], reply)

    def _reload(self, _names: list[str], reply: ControlReply) -> None:
        """Reload what changed: a device's file for its own child, house.toml for every child that it affects."""
        configuration = Configuration(self._folder)
        reads = _read_all(configuration)
        faults = self._faults(configuration, None)
        if faults or configuration.house is None:
            reply(_refusal(str(SettingsError(faults)), Exit.SETTINGS))
            return
        self._supervisor.apply_settings(configuration.house)
        changed = sorted(name for name, read in reads.items() if self._files.get(name) != read or name in self._gone)
        removed = sorted(self._files.keys() - reads.keys() - self._gone)
        log.info("reloading", changed=changed, removed=removed)
        for name in changed:
            self._change(name, reads[name])
        for child in self._supervisor.children.values():
            if child.state is ChildState.FAULT:  # perhaps because its last reload failed
                child.reload()
        self._gone.update(removed)
        for name in removed:
            self._supervisor.child(name).stop()
            self._forget(name)
        self._answer_later([*changed, *removed], reply, changed=changed, removed=removed)

    def _change(self, name: str, read: ProcessFiles) -> None:
        """Apply a changed file to its child. A stopped child stays stopped; one with a new id is restarted."""
        is_new = name not in self._files or name in self._gone
        child = self._supervisor.child(name)
        before = child.settings
        self._use_file(name, read)
        same = before and read.settings and before.names == read.settings.names
        if is_new or (child.wanted and not same):
            child.restart()
        elif child.wanted:
            child.reload()
        else:
            child.clear_failure()

    def _forget(self, name: str) -> None:
        """Remove a child whose file is gone, once its process has ended."""
        if name in self._gone and self._supervisor.child(name).pid is None:
            self._gone.discard(name)
            del self._supervisor.children[name], self._files[name]

    def _faults(self, configuration: Configuration, names: Collection[str] | None) -> list[Fault]:
        """Return the faults of the house and of these devices; None is all devices."""
        house = configuration.house
        if house and Folders.usual(house.state) != self.folders:
            return [Fault(HOUSE, 1, "'state' cannot change while the supervisor runs; stop it and start it again")]
        return _major(configuration) if names is None else _faults_of(configuration, names)


def _read_all(configuration: Configuration) -> dict[str, ProcessFiles]:
    """Return every device's file and its settings, by name."""
    valid = configuration.all()
    found = {}
    for name, sensors in configuration.processes.items():
        texts = {one: _text(configuration.folder, one) for one in sensors}
        settings = tuple(valid[one] for one in sensors if one in valid)
        together = name in configuration.together
        whole = len(settings) == len(sensors)
        found[name] = ProcessFiles(
            texts, ProcessSettings(name=name, sensors=settings, together=together) if whole else None
        )
    return found


def _text(folder: Path, name: str) -> bytes | None:
    try:
        return contents(folder / device_file(name))
    except OSError:
        return None


def _faults_of(configuration: Configuration, names: Collection[str]) -> list[Fault]:
    sensors = [one for name in names for one in configuration.processes.get(name, [name])]
    files = {HOUSE, DEVICES, *map(device_file, sensors)}
    return [fault for fault in _major(configuration) if fault.file in files]


def _major(configuration: Configuration) -> list[Fault]:
    """Return the faults that cost more than one sensor of a gateway; that one tells of its own."""
    return [fault for fault in configuration.faults if fault not in configuration.minor]


def _of_no_device(configuration: Configuration) -> list[Fault]:
    """Return the faults of files that are neither the house's nor a device's."""
    used = {HOUSE, DEVICES, *map(device_file, configuration.sensors)}
    return [fault for fault in configuration.faults if fault.file not in used]


def _refusal(why: str, code: int) -> ControlMessage:
    return {"error": why, "exit": code}


def _on_reloaded(answer: ControlMessage) -> None:
    if why := answer.get("error"):
        log.error("not reloaded; nothing has changed", reason=why)
    notify("READY=1")
