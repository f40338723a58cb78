"""The demo house's announcements to Home Assistant as text, and the entities that it makes of them as a picture."""

# ruff: noqa: E402 - as long as there is nothing to clean up, Ctrl-C must not print a traceback
import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import io
import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bootstrap.errors import NOT_DONE, Exit
from penates.console.arguments import new_folder, output_file
from penates.console.supervisor_request import PATIENCE_S
from penates.demo.house import DemoHouse, make_folder
from penates.demo.performance import cleaned_up, started
from penates.fleet.access import Access
from penates.fleet.client import Connected, FleetClient, MessageReceived

ROOT = Path(__file__).resolve().parent.parent
ANNOUNCED = "homeassistant/device/+/config"
WIDTH = 108
SHOWN = 28  # characters of a state
AWAY = ("unavailable", "unknown", None)


def arguments() -> argparse.Namespace:
    """Return the arguments of `scripts/demo --home-assistant`."""
    parser = argparse.ArgumentParser(prog="scripts/demo --home-assistant", description=__doc__)
    parser.add_argument("--home-assistant", action="store_true", required=True, help=argparse.SUPPRESS)
    keep = "put all files into this new folder, and keep them"
    parser.add_argument("--keep", type=new_folder, metavar="DIR", help=keep)
    drawn = "save a picture of what a real Home Assistant makes of it"
    parser.add_argument("--picture", type=output_file, metavar="FILE", help=drawn)
    return parser.parse_args()


def main() -> int:
    """Start the demo's house, and print the device and the entities of each announcement."""
    given = arguments()
    return cleaned_up(lambda stack: show(DemoHouse(make_folder(given.keep, stack), stack), given.picture))


def show(house: DemoHouse, drawn: Path | None) -> int:
    """Print what this house announces, and save a picture of it; return the exit code."""
    house.start_supervisor()
    if not started(house):
        return NOT_DONE
    found = announcements(house.access, len([*(house.config / "devices").iterdir()]))
    print("\n\n".join("\n".join(described(one)) for one in found))
    if drawn:
        drawn.write_text(picture(house.folder / "assistant", house.broker.port))
    return Exit.STOPPED


def announcements(access: Access, count: int) -> list[dict[str, Any]]:
    """Return the announcements that the broker holds, sorted by topic, once there are `count` of them."""
    held: dict[str, dict[str, Any]] = {}
    deadline = time.monotonic() + PATIENCE_S
    with closing(FleetClient(access)) as client:
        while len(held) < count and time.monotonic() < deadline:
            for event in client.events(1.0):
                match event:
                    case Connected():
                        client.subscribe(ANNOUNCED)
                    case MessageReceived(topic, payload):
                        held[topic] = json.loads(payload)
    return [held[topic] for topic in sorted(held)]


def described(announcement: dict[str, Any]) -> Iterator[str]:
    """Yield one device and its entities as lines of text."""
    device = announcement["dev"]
    via = f", via {device['via_device']}" if "via_device" in device else ", the host itself"
    yield f"{device['name']}: {device['mdl']}, {device['mf']} {device['sw']}{via}"
    for component in announcement["cmps"].values():
        name = component["name"] or f"({device['name']})"
        yield f"  {component['p']:<14} {name:<16} {', '.join(_facts(component))}".rstrip()


def _facts(component: dict[str, Any]) -> Iterator[str]:
    yield from (str(component[key]) for key in ("dev_cla", "unit_of_meas", "stat_cla") if key in component)
    ends = (("to", "cmd_t"), ("from", "stat_t"))
    yield from (f"{preposition} {component[key]}" for preposition, key in ends if key in component)
    if "ent_cat" in component:
        yield component["ent_cat"]
    if component.get("en") is False:
        yield "disabled"


def picture(folder: Path, port: int) -> str:
    """Connect a real Home Assistant to this broker, and return its devices and entities as an SVG."""
    sys.path.append(str(ROOT / "tests"))
    from support.assistant import Assistant  # noqa: PLC0415 - only this function needs it

    assistant = Assistant(folder, port)
    try:
        assistant.until(lambda found: _all_there(found) and found, "the house")
        devices, entities = assistant.ask("devices"), assistant.ask("entities")
    finally:
        assistant.close()
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(_table(devices, entities))
    svg = console.export_svg(title="Home Assistant: the entities of the MQTT integration")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def _all_there(found: dict[str, dict[str, Any]]) -> bool:
    states = [entity["state"] for unique, entity in found.items() if "/data_" in unique or unique.endswith("_set")]
    return bool(states) and sum(state not in AWAY for state in states) > len(states) / 2


def _table(devices: dict[str, Any], entities: dict[str, Any]) -> Table:
    """Return a table of the entities that are not disabled, by device, with diagnostics last."""
    table = Table(expand=True)
    for name in ("device", "entity", "state", "class", "category"):
        table.add_column(name)
    for device in sorted(devices.values(), key=lambda device: device["name"]):
        own = [one for one in entities.values() if devices[one["device"]] is device and not one["disabled"]]
        via = devices[device["via"]]["name"] if device["via"] else None
        heads = [f"{device['name']} ({device['model']})", *([f"  via {via}"] if via else [])]
        own.sort(key=lambda one: (one["category"] or "", one["id"]))
        for entity, head in zip_longest(own, heads):
            table.add_row(head or "", *(_row(entity) if entity else ()))
        table.add_section()
    return table


def _row(entity: dict[str, Any]) -> Iterator[Text]:
    about = entity["attributes"]
    state = f"{entity['state']} {about.get('unit_of_measurement', '')}"[:SHOWN]
    for cell in (entity["id"], state, about.get("device_class"), entity["category"]):
        yield Text(cell or "", "dim" if entity["state"] in AWAY else "")


if __name__ == "__main__":
    sys.exit(main())
