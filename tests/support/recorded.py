"""Recorded messages of other makes, and what a profile must make of them: a file for each profile."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bootstrap.adapter.adopted_device import AdoptedDevice
from bootstrap.config.toml_file import TomlFile
from bootstrap.eventloop.loop import Loop
from bootstrap.runtime.adoptions import Adoptions
from daemons.adapter import Adapter

FOLDER = Path(__file__).parent / "recorded"
EXPOSED = FOLDER / "zigbee2mqtt-devices.json"  # as Zigbee2MQTT lists ten devices, but for what we do not look at
HOUSE = Path("/nowhere")  # beside which no profiles are
TIME = re.compile(rb"NOW([+-]\d+)?")  # in milliseconds
ISO = re.compile(rb"ISO(?:\+(\d+))?")  # in seconds


@dataclass(frozen=True)
class RecordedMessage:
    """A message, whether the broker had stored it, and what must be published of it: a reading, or state alone."""

    topic: str
    payload: bytes
    retained: bool = False
    reading: Mapping[str, Any] | None = None
    state: Mapping[str, Any] | None = None
    gone: str = ""  # why the device is not there from this message on
    still: str = ""  # why it is not there, as before


@dataclass(frozen=True)
class RecordedDevice:
    """A device, with the settings of its section, and what was heard of it."""

    profile: str
    settings: Mapping[str, Any]
    messages: tuple[RecordedMessage, ...]
    tells: tuple[tuple[str, Any, str, str], ...] = ()  # an action, its value, and the topic and payload that tell it

    @property
    def name(self) -> str:
        """Which it is."""
        return f"{self.profile} {self.settings['address']}"

    def made(self) -> AdoptedDevice:
        """Return the device, adopted by an adapter."""
        source = TomlFile(HOUSE, "devices/adapter.toml", b"")
        found = source.fill(AdoptedDevice, {"profile": self.profile, **self.settings})
        assert found is not None, source.faults
        gateway = Adapter()
        adoptions = Adoptions(gateway, Loop())
        adoptions.join("adapter", gateway)
        adoptions.join("device", found)
        return found


def _message(row: Mapping[str, Any]) -> RecordedMessage:
    payload = row["payload"]
    return RecordedMessage(
        **{**row, "payload": (payload if isinstance(payload, str) else json.dumps(payload)).encode()}
    )


def recorded() -> Iterator[RecordedDevice]:
    """Yield the devices in all files."""
    for file in sorted(FOLDER.glob("*.toml")):
        for device in tomllib.loads(file.read_text(encoding="utf-8"))["device"]:
            messages = tuple(map(_message, device.pop("message")))
            tells = tuple(map(tuple, device.pop("told", [])))
            yield RecordedDevice(file.stem, device, messages, tells)


def dated(payload: bytes, now: float) -> bytes:
    """A payload with times around this one."""
    payload = TIME.sub(lambda found: b"%d" % (round(now * 1000) + int(found[1] or 0)), payload)
    iso = lambda found: datetime.fromtimestamp(now + int(found[1] or 0), UTC).isoformat().encode()  # noqa: E731
    return ISO.sub(iso, payload)
