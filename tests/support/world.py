"""The world around a daemon, for tests: a real broker, a house in a folder, real processes, and eyes on the wire."""

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, AnyStr, TypeAlias

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from bootstrap.config.loader import state_of
from bootstrap.contract.payload import decode, encode
from bootstrap.contract.recording_word import KnownRecorders
from bootstrap.contract.timestamps import Clock
from bootstrap.outbox.backlog import RESEND_S, Backlog, BacklogLimits
from bootstrap.outbox.dead_letters import DeadLetters
from bootstrap.outbox.outbox import Outbox
from bootstrap.outbox.segment_log import SegmentLog
from bootstrap.paths import Folders
from bootstrap.pins.simulated_lines import SimulatedLine
from bootstrap.supervisor.control_socket import Unavailable, ask
from penates.console.supervisor_request import control_request
from support import warm
from support.paths import ROOT, TESTS, WHEN_COVERED

PATIENCE_S = 90.0
DRAIN_RATE = 200.0
SAVE_S = 2.0
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


_given_ports: set[int] = set()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses, and the kernel gives to nobody: a broker may leave it for a while.

    None is given twice, because one may be asked for before the one before it is in use.
    """
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(lowest // 2, lowest)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _given_ports:
                _given_ports.add(port)
                return port


_segment_logs: list[SegmentLog] = []


def segment_log(folder: Path) -> SegmentLog:
    """One whose files are closed when the test is over, as the kernel does for a process that was killed."""
    _segment_logs.append(SegmentLog(folder))
    return _segment_logs[-1]


def close_segment_logs() -> None:
    """Close the files of all that this test has opened."""
    while _segment_logs:
        _segment_logs.pop().close()


def make_outbox(folder: Path, records: int = 1000, *, recorded: bool = False) -> Outbox:
    """One that finds in its folder what an earlier run has left."""
    backlog = Backlog(segment_log(folder), BacklogLimits(records=records, resend_s=RESEND_S if recorded else 0.0))
    recorders = KnownRecorders("cm", wanted=recorded)
    return Outbox(backlog, DRAIN_RATE, DeadLetters(folder), Clock(), recorders=recorders)


def pipe(stream: IO[AnyStr] | None) -> IO[AnyStr]:
    """A stream of a process that was started with one."""
    assert stream
    return stream


def covered() -> bool:
    """Whether the processes that are started now measure their coverage."""
    return "COVERAGE_PROCESS_CONFIG" in os.environ


def python_path() -> str:
    """Where a process of a test finds its modules."""
    return os.pathsep.join(map(str, [*([WHEN_COVERED] if covered() else []), TESTS, ROOT]))


def may_be_forked(env: Mapping[str, str]) -> bool:
    """Whether a process with this environment may be forked: what is for Python's own start is as in the warm one."""
    return covered() and warm.started_like(env)


def end_covered(processes: Callable[[], list[int]]) -> None:
    """Have these processes end with what they have measured; give up on those that cannot."""
    for pid in processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGUSR2)
    with contextlib.suppress(AssertionError):
        eventually(lambda: not processes(), "all have ended", SAVE_S)


def eventually(true: Callable[[], Any], what: str, limit_s: float = PATIENCE_S) -> Any:
    """Wait for what no event tells of, such as a listening port or a number in /proc."""
    deadline = time.monotonic() + limit_s
    while not (result := true()):
        assert time.monotonic() < deadline, f"not within {limit_s} s: {what}"
        time.sleep(0.01)
    return result


class Broker:
    """A mosquitto of our own on a free port, which can be stopped, killed, frozen and started again."""

    def __init__(self, folder: Path, *lines: str, listener: bool = True, port: int = 0) -> None:
        assert MOSQUITTO, "mosquitto is not installed; run scripts/test, which installs it"
        self.program, self.port = MOSQUITTO, port or free_port()
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        opening = [f"listener {self.port} 127.0.0.1"] if listener else []
        usual = [] if any(line.startswith("allow_anonymous") for line in lines) else ["allow_anonymous true"]
        self.conf = folder / "mosquitto.conf"
        config = [*opening, *usual, "user root", "set_tcp_nodelay true", *lines]
        self.conf.write_text("\n".join(line.replace("{port}", str(self.port)) for line in config) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process, "it was not started"
        return self._process

    def start(self) -> "Broker":
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([self.program, "-v", "-c", str(self.conf)], stdout=log, stderr=log)
        eventually(self._serves, "mosquitto serves")
        return self

    def _serves(self) -> bool:
        """Whether its main loop runs, which answers or refuses what no client sends: a SIGTERM before that is lost."""
        assert self.process.poll() is None, self.log()
        with socket.socket() as probe:
            probe.settimeout(PATIENCE_S)
            with contextlib.suppress(ConnectionRefusedError):
                probe.connect(("127.0.0.1", self.port))
                with contextlib.suppress(ConnectionResetError):
                    probe.sendall(bytes(16))
                    probe.recv(1)
                return True
        return False

    def log(self) -> str:
        return (self.folder / "mosquitto.log").read_text(errors="replace")

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._process and self._process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            self.process.wait(PATIENCE_S)


@dataclass(frozen=True)
class Seen:
    """One message as a subscriber got it."""

    topic: str
    payload: bytes
    retain: bool
    qos: int
    at: float

    @property
    def value(self) -> Any:
        return decode(self.payload)


Wanted: TypeAlias = Callable[[list[Seen]], Any]


class Eyes:
    """A subscriber to everything; `retain` is as published. With a `name` its session outlives the connection."""

    def __init__(self, port: int, name: str = "", filters: str = "#", **login: str) -> None:
        self.seen: list[Seen] = []
        self.port = port
        self.group = "cm"  # of the sensors that are named without theirs
        self._listeners: dict[str, Callable[[float], Any]] = {}
        self._news = threading.Condition()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, name, protocol=mqtt.MQTTv5)
        self._client.on_message = self._on_message
        self._client.on_connect = self._on_connect
        self._ready = threading.Event()
        self.greeting: tuple[str, bytes] | None = None  # published, retained, at each connect
        self._client.on_subscribe = self._on_subscribe
        self._client.reconnect_delay_set(1, 1)
        if login:
            self._client.username_pw_set(**login)
        self._filters = filters
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types here
        properties.SessionExpiryInterval = 3600 if name else 0
        self._client.connect("127.0.0.1", port, keepalive=120, clean_start=not name, properties=properties)
        self._client.loop_start()
        assert self._ready.wait(PATIENCE_S)

    def _on_connect(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe(self._filters, options=SubscribeOptions(qos=1, retainAsPublished=True))

    def _on_subscribe(self, *_: Any) -> None:
        self._ready.set()
        self.greet()

    def greet(self) -> None:
        """Publish the greeting, if there is one."""
        if self.greeting:
            self._client.publish(*self.greeting, qos=1, retain=True)

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        with self._news:
            self.seen.append(
                Seen(message.topic, bytes(message.payload), bool(message.retain), message.qos, time.monotonic())
            )
            self._news.notify_all()
        if heard := self._listeners.get(message.topic):
            heard(self.seen[-1].at)

    def listen(self, topic: str, heard: Callable[[float], Any]) -> Callable[[], None]:
        """Call `heard(monotonic time)` at each message on a topic, from now until the returned function is called."""
        self._listeners[topic] = heard

        def end() -> None:
            del self._listeners[topic]

        return end

    def wait(self, wanted: Wanted, what: str, limit_s: float = PATIENCE_S) -> Any:
        """Until `wanted(all messages so far)` is true; returns what it returned."""
        result = None

        def met() -> bool:
            nonlocal result
            result = wanted(self.seen)
            return bool(result)

        with self._news:
            tail = [(seen.topic, seen.payload[:80]) for seen in self.seen[-8:]]
            assert self._news.wait_for(met, limit_s), f"not seen within {limit_s} s: {what}; last: {tail}"
        return result

    def wait_value(self, topic: str, value: Any, since: int = 0, limit_s: float = PATIENCE_S) -> Seen:
        """Until this value is seen on this topic, counting from message number `since`."""

        def found(seen: list[Seen]) -> Seen | None:
            return next((one for one in seen[since:] if one.topic == topic and _decoded(one) == value), None)

        one: Seen = self.wait(found, f"{topic} {value!r}", limit_s)
        return one

    def wait_online(self, *sensors: str, since: int = 0) -> None:
        """Until each of these sensors says that it is online."""
        for sensor in sensors:
            self.wait_value(f"{self.group}/{sensor}/status/state", "online", since)

    def wait_why(self, sensor: str, why: str) -> None:
        """Until a heartbeat of this sensor has a reason with this pattern."""
        topic = f"{self.group}/{sensor}/status/heartbeat"
        self.wait(lambda _: [one for one in self.on(topic) if re.search(why, one.value["why"] or "")], why)

    def on(self, topic: str) -> list[Seen]:
        with self._news:
            return [one for one in self.seen if one.topic == topic]

    def publish(self, topic: str, payload: bytes | str | None, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def retain_all(self, values: list[tuple[str, str]]) -> None:
        """Publish a retained value on each of these topics, and wait until the broker has them all."""
        published = [self._client.publish(topic, value, qos=1, retain=True) for topic, value in values]
        for one in published:
            one.wait_for_publish(PATIENCE_S)

    def pour(self, topic: str, payloads: list[str]) -> None:
        """Publish without waiting for anything."""
        for payload in payloads:
            self._client.publish(topic, payload, qos=0)

    def flood(self, topic: str, payloads: list[str]) -> Callable[[], None]:
        """Publish without waiting for acknowledgements; the returned function waits for them all."""
        published = [self._client.publish(topic, payload, qos=1) for payload in payloads]
        return lambda: published[-1].wait_for_publish(10 * PATIENCE_S)

    def ask(self, sensor: str, action: str, payload: bytes | str | None, *, retain: bool = False) -> dict[str, Any]:
        """Send a command and return the answer to it."""
        before = len(self.seen)
        self.publish(f"{sensor}/action/{action}", payload, retain=retain)
        topic = f"{sensor}/status/action"
        answers = lambda seen: [one.value for one in seen[before:] if one.topic == topic]  # noqa: E731
        answer: dict[str, Any] = self.wait(answers, f"an answer to {action}")[0]
        return answer

    def ask_soon(self, sensor: str, action: str, value: Any, within_s: float = 50) -> dict[str, Any]:
        """Send a command that is to be carried out within this time, and return the answer to it."""
        before = (datetime.now(UTC) + timedelta(seconds=within_s)).isoformat()
        return self.ask(sensor, action, encode({"value": value, "before": before}))

    def connected(self) -> bool:
        return self._client.is_connected()

    def close(self) -> None:
        self._client.disconnect()
        with contextlib.suppress(AttributeError):  # paho's thread may just be ending by itself
            self._client.loop_stop()
        self._client._reset_sockets()  # noqa: SLF001 - the pair of them by which paho wakes its thread, left open


def _decoded(one: Seen) -> Any:
    with contextlib.suppress(ValueError):
        return one.value
    return one.payload


def retained_once(port: int, wanted: Callable[[dict[str, Any]], Any], what: str) -> dict[str, Any]:
    """What a newcomer is told, once it is as wanted."""
    told: dict[str, Any] = {}

    def met() -> Any:
        told.clear()
        told.update(retained(port))
        return wanted(told)

    eventually(met, what)
    return told


def retained(port: int, filters: str = "#", **login: str) -> dict[str, Any]:
    """What a newcomer is told now."""
    eyes = Eyes(port, filters=filters, **login)
    try:
        # A message of our own marks the end of what was retained.
        eyes.publish("test/end/of/retained", b"now")
        eyes.wait_value("test/end/of/retained", "now")
        return {one.topic: _decoded(one) for one in eyes.seen if one.retain}
    finally:
        eyes.close()


class Running:
    """A daemon's process; what it logs is read as it comes."""

    def __init__(self, command: list[str], env: dict[str, str], cwd: Path | None = None) -> None:
        self.process: subprocess.Popen[str] | warm.Forked
        if command[0] == sys.executable and may_be_forked(env):
            self.process = warm.with_errors(command[1:], env, cwd)
        else:
            self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env, cwd=cwd)
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    def _read(self) -> None:
        for line in pipe(self.process.stderr):
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()

    @property
    def log(self) -> str:
        with self._news:
            return "\n".join(self.lines)

    def logged(self, text: str) -> list[str]:
        with self._news:
            return [line for line in self.lines if text in line]

    def wait_log(self, text: str, count: int = 1, limit_s: float = PATIENCE_S) -> list[str]:
        with self._news:
            met = self._news.wait_for(lambda: sum(text in line for line in self.lines) >= count, limit_s)
        assert met, f"not logged within {limit_s} s: {text}\n{self.log}"
        return self.logged(text)

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self, limit_s: float = PATIENCE_S) -> int:
        """The exit code, when there is one."""
        code = self.process.wait(limit_s)
        self._reader.join(PATIENCE_S)
        return code

    def stop(self, number: int = signal.SIGTERM, limit_s: float = PATIENCE_S) -> int:
        if self.process.poll() is None:
            self.send(number)
        return self.wait(limit_s)

    def close(self) -> None:
        self.stop(signal.SIGKILL)
        pipe(self.process.stderr).close()

    def wakeups(self) -> int:
        """Voluntary context switches so far, over all threads."""
        total = 0
        for status in Path(f"/proc/{self.pid}/task").glob("*/status"):
            total += int(status.read_text().split("\nvoluntary_ctxt_switches:")[1].split()[0])
        return total


class House:
    """A configuration folder, with a bus of our own and processes that run from it."""

    def __init__(self, folder: Path, group: str = "cm") -> None:
        self.folder, self.group = folder, group
        self.bus = folder / "bus"
        (folder / "devices").mkdir(parents=True)
        self._running: list[Running] = []

    def write(self, port: int, top: str = "", broker: str = "", log: str = 'level = "debug"', host: str = "") -> None:
        host = host or '"127.0.0.1"'
        (self.folder / "house.toml").write_text(
            f'group = "{self.group}"\n{top}\n[broker]\nhost = {host}\nport = {port}\n{broker}\n[log]\n{log}\n'
        )

    def device(self, sensor: str, text: str) -> Path:
        path = self.folder / "devices" / f"{sensor}.toml"
        path.write_text(text)
        return path

    def thermometer(self, sensor: str = "cellar", millidegrees: str | int = 21500, every_s: float = 1) -> Path:
        """A device file, and the probe's file in our bus, which is returned."""
        self.device(sensor, f'kind = "thermometer"\nserial = "28-{sensor}"\nbus = "bus"\nevery_s = {every_s}\n')
        return self.probe(sensor, millidegrees)

    def probe(self, sensor: str, millidegrees: str | int) -> Path:
        """Replaced as a whole, as sysfs does: nobody reads half a number."""
        file = self.bus / f"28-{sensor}" / "temperature"
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "next").write_text(f"{millidegrees}\n" if millidegrees != "" else "")
        (file.parent / "next").replace(file)
        return file

    def env(self, **more: str) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("NOTIFY", "XDG", "GPIOZERO", "PENATES"))
        }
        return {
            **kept,
            "STATE_DIRECTORY": str(self.folder / "state"),
            "PYTHONWARNINGS": "error",
            "PYTHONPATH": python_path(),
            **more,
        }

    def run(self, sensor: str = "cellar", *, program: list[str] | None = None, **env: str) -> Running:
        command = [sys.executable, *(program or ["-m", "penates"]), "run", sensor, "--config", str(self.folder)]
        running = Running(command, self.env(**env))
        self._running.append(running)
        return running

    def penates(self, *words: str, program: list[str] | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        config = [] if "--config" in words else ["--config", str(self.folder)]
        words = (*(program or ["-m", "penates"]), *words, *config)
        full = self.env(**env)
        if may_be_forked(full):
            return warm.run(words, full, 120)
        command = [sys.executable, *words]
        return subprocess.run(command, capture_output=True, text=True, env=full, timeout=120, check=False)

    def supervise(self, *names: str, program: list[str] | None = None, **env: str) -> Running:
        """A supervisor in the foreground, once every sensor has come to rest."""
        command = [sys.executable, *(program or ["-m", "penates"]), "supervisor", "--config", str(self.folder), *names]
        running = Running(command, self.env(**env))
        self._running.append(running)
        eventually(lambda: running.process.poll() is None and self._at_rest(), "all sensors come to rest")
        return running

    def _at_rest(self) -> bool:
        with contextlib.suppress(Unavailable):
            return not {row["state"] for row in self.status().values()} & {"starting", "stopping"}
        return False

    def status(self) -> dict[str, dict[str, Any]]:
        """What the supervisor says of each sensor."""
        runtime = Folders.usual(state_of(self.folder) or self.folder / "state").runtime
        answer = ask(runtime, control_request("status", self.folder), PATIENCE_S)
        return {row["name"]: row for row in answer["sensors"]}

    def pids(self) -> dict[str, int]:
        return {name: row["pid"] for name, row in self.status().items()}

    def processes(self) -> list[int]:
        """Every process that was started with this configuration and has not ended."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and int(entry.name) != os.getpid():
                with contextlib.suppress(OSError):
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                    state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                    if str(self.folder).encode() in words and state != "Z":
                        found.append(int(entry.name))
        return found

    def close(self) -> None:
        if covered():
            end_covered(self.processes)
        for running in self._running:
            running.close()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def killed_ten_times(house: House, flood: Callable[[int, int], Callable[[], None]]) -> None:
    """Have 100 000 readings published, and the recorder killed after each ten thousand, whatever it has of them.

    `flood` publishes so many, from a number on, and returns what waits until the broker has them.
    """
    running = house.run("recorder")
    running.wait_log("subscribed")
    for first in range(0, 100_000, 10_000):
        flooded = flood(first, 10_000)
        running.send(signal.SIGKILL)
        running.wait()
        running = house.run("recorder")
        flooded()


class Wires:
    """A house on simulated lines, and the world at their other end."""

    def __init__(self, house: House) -> None:
        self.folder = house.folder / "lines"
        self.env = {"GPIOZERO_PIN_FACTORY": "simulated", "PENATES_LINES": str(self.folder)}
        self.house = house

    def line(self, number: int) -> SimulatedLine:
        return SimulatedLine(number, self.folder)

    def held(self, number: int) -> str:
        """What a line's holder said last, dead or alive."""
        return (self.folder / f"{number}.held").read_text().strip()

    def run(self, sensor: str, text: str) -> Running:
        self.house.device(sensor, text)
        return self.house.run(sensor, program=None, **self.env)

    def penates_gpio(self, *words: str) -> str:
        command = [sys.executable, "-m", "penates", "gpio", *words]
        env = self.house.env(**self.env)
        return subprocess.run(command, env=env, check=True, capture_output=True, text=True, timeout=120).stdout.strip()


class Supervisor:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.settimeout(PATIENCE_S)

    def wait(self, line: str) -> float:
        """Until it is told this line; returns when that was."""
        self.told_until(line)
        return time.monotonic()

    def told_until(self, line: str) -> list[str]:
        """All lines up to this one."""
        told: list[str] = []
        while line not in told:
            told += self._socket.recv(4096).decode().splitlines()
        return told

    def falls_silent(self, seconds: float) -> None:
        """Until nothing has been said for so long."""
        deadline = time.monotonic() + PATIENCE_S
        self._socket.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            while self._socket.recv(4096):
                assert time.monotonic() < deadline, "it does not fall silent"
        self._socket.settimeout(PATIENCE_S)

    def close(self) -> None:
        self._socket.close()


class FakeBroker:
    """Accepts one client and answers as told: packet type to bytes, or to a function of the packet."""

    def __init__(self, answers: dict[int, Callable[[bytes], bytes]]) -> None:
        usual = {0x10: lambda _: b"\x20\x03\x00\x00\x00", 0x30: puback, 0x80: suback, 0xC0: lambda _: b"\xd0\x00"}
        self._answers = {**usual, **answers}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                client, _ = self._listener.accept()
                with client, client.makefile("rb") as stream, contextlib.suppress(EOFError):
                    while True:
                        kind, body = packet(stream)
                        client.sendall(self._answers.get(kind & 0xF0, lambda _: b"")(body))

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def packet(stream: Any) -> tuple[int, bytes]:
    """The next MQTT packet: its first byte and its body."""
    head = stream.read(1)
    if not head:
        raise EOFError
    length = shift = 0
    while True:
        byte = stream.read(1)[0]
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return head[0], stream.read(length)


def puback(body: bytes) -> bytes:
    """Acknowledge a publish at QoS 1."""
    end = 2 + int.from_bytes(body[:2], "big")
    return b"\x40\x02" + body[end : end + 2]


def suback(body: bytes) -> bytes:
    """Grant a subscription, by MQTT 5."""
    return b"\x90\x04" + body[:2] + b"\x00\x01"


@contextlib.contextmanager
def swallow_syns() -> Iterator[int]:
    """A port that answers nothing: its queue of connections is full, so Linux drops every further SYN."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(2):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        yield port
