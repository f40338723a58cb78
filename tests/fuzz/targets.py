"""What is fuzzed: a target takes any bytes, and raises what must never happen. Seeds are our own samples."""

import contextlib
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bootstrap.config.loader import Configuration, check, device_file, load, state_of
from bootstrap.config.toml_file import SettingsError
from bootstrap.contract.payload import decode, encode
from bootstrap.contract.topics import Kind, Topic
from bootstrap.errors import Exit, Fatal, Refused
from bootstrap.logs import log
from bootstrap.runtime.process import Process
from bootstrap.runtime.sensor import Sensor
from penates.fleet.fleet_view import FleetView
from penates.fleet.watch_table import cells, table

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Target:
    """A check that raises when something is wrong, and where mutation begins."""

    check: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]


def payload(data: bytes) -> None:
    """Every byte string has one meaning, and what came in can go out again."""
    try:
        value = decode(data)
    except Refused:
        return
    json.dumps(value, allow_nan=False)
    assert decode(encode(value)) == value


def watch(data: bytes) -> None:
    """Lines of `topic payload`, as the broker of somebody else may hold them, into what `penates watch` shows."""
    view = FleetView()
    for row in data.split(b"\n"):
        name, _, said = row.partition(b" ")
        topic = name.decode(errors="replace")
        for change in view.receive(topic, said, retained=len(said) % 2 == 0):
            assert change.topic == topic
        _construct(topic)
    for facts in (False, True):
        table(view, None, cells(view, facts=facts), facts=facts)


def _construct(topic: str) -> None:
    """What can be constructed is legal, and is what it was made of."""
    levels = (topic.split("/") + [""] * 4)[:4]
    try:
        made = str(Topic(levels[0], levels[1], Kind(levels[2]), levels[3]))
    except ValueError:
        return
    assert made.split("/") == levels
    assert re.fullmatch(r"[\w/-]+", made, re.ASCII)


class Nowhere(io.StringIO):
    """A log that is written, and forgotten."""

    def write(self, text: str) -> int:
        return len(text)


def command(data: bytes) -> None:
    """`name payload` to a lamp: as a command, retained or not, and as what the broker holds of it."""
    sensor, stack = lamp()
    name, _, said = data.partition(b" ")
    topic = name.decode(errors="replace")
    try:
        sensor.link.owner.on_message(f"cm/lamp/action/{topic}", said, retained=len(data) % 5 == 0)
        sensor.link.owner.on_message("cm/lamp/status/heartbeat", said, retained=False)
        sensor.link.owner.on_message("cm/lamp/status/state", said, retained=True)
    except Fatal as end:
        assert end.code is Exit.RUNNING  # noqa: PT017 - two heartbeats of an elder: that is their meaning
        stack.close()
        lamp.cache_clear()


def lock(data: bytes) -> None:
    """A command to a door's lock: none of these opens it, because none is in time."""
    sensor, _stack = lamp("doorlock")
    sensor.link.owner.on_message("cm/doorlock/action/set", data, retained=False)
    assert not [*_folder().rglob("carried_out.json")]
    assert (_folder() / "lines" / "5.held").read_text().strip() == "0"


@cache
def lamp(name: str = "lamp") -> tuple[Sensor, ExitStack]:
    """A daemon whose loop does not turn, on simulated lines."""
    folder = _folder()
    shutil.copy(ROOT / "config" / "devices" / f"{name}.toml", folder / "devices")
    (folder / "house.toml").write_text('group = "cm"\nstate = "state"\nheartbeat_s = 0\n')
    (folder / "state").mkdir(exist_ok=True)
    os.environ.update(GPIOZERO_PIN_FACTORY="simulated", PENATES_LINES=str(folder / "lines"))
    settings = load(folder, name)
    stack = ExitStack()
    stack.enter_context(log.redirect(Nowhere()))
    sensor = Process(stack).add(settings)
    sensor.set_up()
    return sensor, stack


def house(data: bytes) -> None:
    """A `house.toml` of these bytes."""
    _configuration("house.toml", data)


def device(data: bytes) -> None:
    """A device's file of these bytes."""
    _configuration("devices/cellar.toml", data)


def _configuration(file: str, data: bytes) -> None:
    folder = _folder()
    (folder / file).write_bytes(data)
    state_of(folder)
    with contextlib.suppress(SettingsError):
        load(folder, "cellar")
    judge(folder)


def judge(folder: Path) -> None:
    """A folder gives either settings, or faults that say where."""
    try:
        found = check(folder)
    except SettingsError as error:
        faults = error.faults
    else:
        assert {one.file for one in found} == {device_file(name) for name in Configuration(folder).sensors}
        return
    assert faults
    for fault in faults:
        assert str(fault).isprintable()
        file = folder / fault.file
        rows = file.read_bytes().replace(b"\r\n", b"\n").rstrip(b"\n").count(b"\n") + 1 if file.is_file() else 1
        assert 1 <= fault.line <= rows, fault


@cache
def _folder() -> Path:
    """A house without a fault, left to whoever gave us TMPDIR: libFuzzer ends without a word."""
    folder = Path(tempfile.mkdtemp(prefix="penates-fuzz-"))
    (folder / "devices").mkdir()
    (folder / "house.toml").write_text('group = "cm"\n')
    (folder / "devices" / "cellar.toml").write_text('kind = "thermometer"\nserial = "28-0316a2795fff"\n')
    return folder


def _documented() -> str:
    return (ROOT / "docs" / "TOPICS.md").read_text(encoding="utf-8")


def _objects() -> list[str]:
    """The JSON objects of docs/TOPICS.md."""
    return re.findall(r"\{\".*?\}", _documented())


def payloads() -> list[bytes]:
    """The examples of docs/TOPICS.md, and what it says is refused."""
    words = [word for word in re.findall(r"`([^`]+)`", _documented()) if len(word) < 100]
    return [word.encode() for word in (*_objects(), *words)]


def messages() -> list[bytes]:
    """Each example on each topic of docs/TOPICS.md."""
    topics = sorted(set(re.findall(r"cm/cellar/\w+/\w+", _documented())))
    about = '{"kind":"door","measures":{"open":{"unit":"bool","every_s":60.0}},"actions":{"log":{}},"host":"pi"}'
    beat = '{"time":"2026-11-20T20:31:07.1Z","uptime_s":3.5,"heartbeat_s":60.0,"last_reading":null,"rss_mb":23.1}'
    return [f"{topic} {said}".encode() for topic in topics for said in (*_objects(), about, beat, "online", "")]


def commands() -> list[bytes]:
    """Each example to each action of a lamp."""
    words = ("now", "debug", "on", "toggle", *_objects())
    return [f"{name} {word}".encode() for name in ("read", "log", "set") for word in words]


def unlockings() -> list[bytes]:
    """Commands that would open a door if they came in time."""
    times = ("2026-11-20T20:31:09Z", "2999-01-01T00:00:00Z", "2026-11-20T20:31:09+14:00", "now", "")
    heads = [f'"id":"7","before":"{time}"' for time in times] + ['"id":7', '"before":null', '"before":4e9']
    said = ('"state":"unlock"', '"value":"unlocked"', '"state":"unlocked","for_s":10,"by":"Anna"', '"value":"lock"')
    return [b"unlock", b'"unlocked"', b"lock", *(f"{{{one},{head}}}".encode() for one in said for head in heads)]


def _shown(text: str) -> list[bytes]:
    """A sample as it stands, and with all its defaults switched on."""
    return [text.encode(), re.sub(r"^# (?=\S+ = )", "", text, flags=re.MULTILINE).encode()]


def houses() -> list[bytes]:
    """config/house.toml."""
    return _shown((ROOT / "config" / "house.toml").read_text())


def devices() -> list[bytes]:
    """All of config/devices."""
    files = sorted((ROOT / "config" / "devices").glob("*.toml"))
    return [sample for file in files for sample in _shown(file.read_text())]


TARGETS = {
    "payload": Target(payload, payloads),
    "watch": Target(watch, messages),
    "command": Target(command, commands),
    "lock": Target(lock, unlockings),
    "house": Target(house, houses),
    "device": Target(device, devices),
}
