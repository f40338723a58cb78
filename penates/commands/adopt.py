"""Show the devices of other makes on the broker that a profile recognises, and adopt one as a sensor.

  sudo penates adopt
  sudo penates adopt 3 as plug

It listens for some seconds, and prints a number, the profile, the address and what was heard of each device that no
adapter of this house, or of any other on this broker, has adopted. Devices that seldom speak need a longer --wait.

A device that announces itself to Home Assistant, and that no profile recognises, is listed by its announcement, with
what of that is not understood.

With a number it adopts that device of the last list as a sensor of this name, with the measures that were heard: its
section is added to the adapter's file, or to that of a new adapter, devices/adapter.toml. docs/ADAPTER.md says more.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bootstrap.adapter.adopted_device import AdoptedDevice
from bootstrap.config.gateway_file import ANNOUNCEMENT
from bootstrap.config.loader import Configuration, folder_or_default
from bootstrap.config.model import SensorSettings
from bootstrap.contract.payload import encode
from bootstrap.contract.topics import EYES
from bootstrap.errors import Exit, Fatal
from bootstrap.gateway import Gateway
from bootstrap.paths import read_own, rewrite
from penates.console.arguments import an_id, house, json_option, seconds, sensor_name
from penates.console.output import columns, counted, shown, to_a_reader
from penates.console.text import on_a_line
from penates.files.gateway_sections import Adopting, config_words, new_gateway
from penates.files.install_paths import HOUSE
from penates.files.toml_edit import toml
from penates.fleet.access import access, access_arguments
from penates.fleet.recognised_devices import AdoptedAs, RecognisedDevice, RecognisedDevices, look, shapes

KIND = "adapter"
LIST = "adopt.json"  # in the state folder: what the numbers stand for
WAIT_S = 5.0
FEW = 4  # of the values that are shown
ADVICE = "end its own announcement in its program, and remove the line `homeassistant` of its section"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    access_arguments(parser)
    parser.add_argument("number", nargs="?", type=int, metavar="NUMBER", help="adopt this one of the last list")
    parser.add_argument("as_", nargs="?", choices=("as",), metavar="as", help="the word as")
    parser.add_argument("new", nargs="?", type=an_id, metavar="NAME", help="what the sensor is to be called")
    which = "the adapter that adopts it, if there are several"
    parser.add_argument("--from", dest="gateway", type=sensor_name, metavar="GROUP/SENSOR", help=which)
    wait = f"seconds to listen (default: {WAIT_S:g})"
    parser.add_argument("--wait", type=seconds, default=WAIT_S, metavar="S", help=wait)
    base = "the first levels of their topics, if they are not those of the profiles, such as zigbee2"
    parser.add_argument("--base", metavar="TEXT", help=base)
    json_option(parser)


def main(given: argparse.Namespace) -> int:
    """List what could be adopted, or adopt it."""
    if given.number is None:
        return _list(given)
    if given.new is None:
        raise Fatal(Exit.SETTINGS, f"what is it to be called? penates adopt {given.number} as NAME")
    return _adopt(given)


# The list.


def _list(given: argparse.Namespace) -> int:
    """Look for devices, print them, and keep what their numbers stand for."""
    configuration, settings, folders = house(given)
    profiles = shapes(configuration.folder, given.base)
    found = RecognisedDevices(profiles, _adopted(configuration), settings.homeassistant.prefix)
    look(access(given, EYES), found, given.wait)
    devices = found.devices()
    listed = [one.settings for one in devices]
    with to_a_reader():
        if given.json:
            values = [{"number": number, **one} for number, one in enumerate(listed, 1)]
            print(json.dumps(values, indent=2, ensure_ascii=False))
        else:
            print("\n".join(map(on_a_line, _table(found, devices, given.wait))))
    try:
        rewrite(folders.state / LIST, json.dumps(listed))
    except OSError as error:
        raise Fatal(Exit.SETTINGS, f"the numbers cannot be kept, use sudo? {error}") from None
    return Exit.STOPPED


def _table(found: RecognisedDevices, devices: list[RecognisedDevice], wait_s: float) -> list[str]:
    rows = [("NO", "PROFILE", "ADDRESS", "MEASURES"), *(_row(number, one) for number, one in enumerate(devices, 1))]
    lines = columns(rows) if devices else [f"nothing that a profile recognises was heard in {wait_s:g} s"]
    for number, one in enumerate(devices, 1):
        lines += [f"not understood of {number}: {shown(why.encode())}" for why in one.unclear]
    if own := [str(number) for number, one in enumerate(devices, 1) if one.own_name]:
        lines.append(f"in Home Assistant already, by their own announcement: {', '.join(own)}")
    if found.is_full:
        lines.append("there are more; adopt some of these, and look again")
    if silent := [f"{address} ({profile})" for address, profile in found.only_there()]:
        lines.append(f"there, but silent: {_some(silent)}; listen for longer: penates adopt --wait 320")
    if unclear := found.not_understood():
        lines.append(f"announced, but nothing of it is understood: {_some(unclear)}")
    return [*lines, *(["to adopt one: penates adopt 1 as NAME"] if devices else [])]


def _some(names: list[str]) -> str:
    """Return the first few names, and how many more there are."""
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return ", ".join(shown(name.encode()) for name in names[:FEW]) + more


def _row(number: int, one: RecognisedDevice) -> tuple[str, ...]:
    values = [name if value is None else f"{name} {shown(encode(value))}" for name, value in sorted(one.values.items())]
    more = [f"and {len(values) - FEW} more"] if len(values) > FEW else []
    where = f"{one.address}, {one.channel}" if one.channel else one.address
    return str(number), one.profile, shown(where.encode()), ", ".join([*values[:FEW], *more])


def _adopted(configuration: Configuration) -> list[AdoptedAs]:
    """Return what the adapters of this house have adopted."""
    sensors = [one for settings in configuration.all().values() for one in settings.carried.values()]
    devices = [one.device for one in sensors if isinstance(one.device, AdoptedDevice)]
    return [AdoptedAs(one.key, tuple(one.topics.values)) for one in devices]


# Adopting.


def _adopt(given: argparse.Namespace) -> int:
    """Write the section of a device from the last list, and apply it."""
    folder = folder_or_default(given.config)
    if folder == HOUSE:
        from penates.installer import requirements  # noqa: PLC0415 - needed in an installed house alone

        requirements.require_root()
    values = _kept(given)
    _write(given, folder, values)
    if ANNOUNCEMENT in values:
        print(f"It announces itself to Home Assistant, so we do not; to turn that round: {ADVICE}")
    return Exit.STOPPED


def _write(given: argparse.Namespace, folder: Path, values: Mapping[str, str]) -> None:
    """Write the section of a sensor into the adapter's file, or into that of a new one."""
    adapters = _adapters(folder)
    if not (adapters or given.gateway):
        file = new_gateway(folder, KIND, given.new, values)
        print(f"{file} was written, with [sensors.{given.new}]")
        print(
            "Next: sudo penates install" if folder == HOUSE else f"Next: penates run {KIND}{config_words(given.config)}"
        )
        return
    adopting = Adopting.at(folder, _adapter(given, adapters), given.new)
    if not issubclass(adopting.adopts, AdoptedDevice):
        raise Fatal(Exit.SETTINGS, f"{given.gateway.client_id} is no {KIND}")
    adopting.apply(values, given.config)


def _adapters(folder: Path) -> list[str]:
    """Return the adapters of this house, as `group/sensor`."""
    found = Configuration(folder, secrets=False).all().values()
    return sorted(one.topics.client_id for one in found if _is_adapter(one))


def _is_adapter(settings: SensorSettings) -> bool:
    return isinstance(settings.device, Gateway) and issubclass(settings.device.adopts, AdoptedDevice)


def _adapter(given: argparse.Namespace, adapters: list[str]) -> str:
    if given.gateway:
        return str(given.gateway.client_id)
    if len(adapters) > 1:
        raise Fatal(Exit.SETTINGS, f"there are {counted(len(adapters), 'adapter')}; add --from {' or '.join(adapters)}")
    return adapters[0]


def _kept(given: argparse.Namespace) -> dict[str, str]:
    """Return the settings of the device that has this number in the last list, as TOML."""
    configuration, _, folders = house(given)
    try:
        listed = json.loads(read_own(folders.state / LIST))
        one = listed[given.number - 1] if given.number > 0 else None
    except (OSError, ValueError, LookupError):
        one = None
    if not isinstance(one, dict):
        raise Fatal(Exit.SETTINGS, f"the last list has no number {given.number}; penates adopt makes a new one")
    return {name: toml(value) for name, value in _settings(configuration.folder, one).items()}


def _settings(folder: Path, one: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a device, without those that are as its profile has them."""
    usual = next((found.profile for found in shapes(folder, None) if found.name == one["profile"]), None)
    same = {"base": usual.base, "channel": usual.channel} if usual else {}
    return {name: value for name, value in one.items() if same.get(name) != value}
