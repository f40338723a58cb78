"""What Home Assistant's own schemas say of announcements: a list of them on standard input, the faults of each out.

Versions before 2024.12 do not know the device's form: each component is judged by its platform's schema alone.
"""

import asyncio
import importlib
import json
import logging
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import voluptuous as vol
from homeassistant.components.mqtt.abbreviations import ABBREVIATIONS, DEVICE_ABBREVIATIONS
from homeassistant.components.sensor.const import DEVICE_CLASS_STATE_CLASSES, DEVICE_CLASS_UNITS
from homeassistant.core import HomeAssistant
from homeassistant.helpers import frame

try:
    from homeassistant.components.mqtt.discovery import _replace_all_abbreviations
    from homeassistant.components.mqtt.schemas import DEVICE_DISCOVERY_SCHEMA
except ImportError:
    DEVICE_DISCOVERY_SCHEMA = None

LATER = {"command_template", "options"}  # of a switch and a sensor: before, they are passed over
SHARED = ("availability", "availability_mode")
NAMES = {"cmps": "components", "p": "platform", **ABBREVIATIONS}


class Complaints(logging.Handler):
    """What is only warned of is as good as forbidden: the next version forbids it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record.getMessage())


def spelt_out(short: dict[str, Any], names: dict[str, str] = NAMES) -> dict[str, Any]:
    """With the whole names of what is abbreviated."""
    return {names.get(key, key): value for key, value in short.items()}


def components(told: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, platform and configuration of each, with what it shares with the others."""
    told = spelt_out(told)
    device = spelt_out(told["device"], DEVICE_ABBREVIATIONS)
    for name, short in told["components"].items():
        one = {**{key: told[key] for key in SHARED}, **spelt_out(short), "device": device}
        one["availability"] = [spelt_out(place) for place in one["availability"]]
        yield name, one.pop("platform"), one


def faults(told: dict[str, Any]) -> Iterator[str]:
    """What is wrong with one announcement."""
    unknown = set() if DEVICE_DISCOVERY_SCHEMA else LATER
    for name, platform, config in components(told):
        module = importlib.import_module(f"homeassistant.components.mqtt.{platform}")
        try:
            understood = module.DISCOVERY_SCHEMA(dict(config))
        except vol.Invalid as error:
            yield f"{name}: {error}"
        else:
            for key in config.keys() - understood.keys() - unknown:
                yield f"{name}: {key} means nothing to a {platform}"
            if platform == "sensor":
                yield from misfits(name, understood)
    if DEVICE_DISCOVERY_SCHEMA:
        _replace_all_abbreviations(told)
        try:
            DEVICE_DISCOVERY_SCHEMA(told)
        except vol.Invalid as error:
            yield f"the device: {error}"


def misfits(name: str, config: dict[str, Any]) -> Iterator[str]:
    """What the schema lets pass and a sensor then complains of: a unit or state class that is none of its class."""
    kind = config.get("device_class")
    for key, allowed in (("unit_of_measurement", DEVICE_CLASS_UNITS), ("state_class", DEVICE_CLASS_STATE_CLASSES)):
        if kind in allowed and key in config and config[key] not in allowed[kind]:
            yield f"{name}: {key} {config[key]} is none of {kind}"


async def main() -> None:
    """Templates are understood only by somebody who is there."""
    assistant = HomeAssistant(tempfile.gettempdir())
    getattr(frame, "async_setup", lambda _: None)(assistant)
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    verdicts = []
    for told in json.load(sys.stdin):
        complaints.found.clear()
        verdicts.append([*faults(told), *complaints.found])
    print(json.dumps(verdicts))


if __name__ == "__main__":
    asyncio.run(main())
