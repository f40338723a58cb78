"""Write the file of a new device from the data sheet of its kind.

  penates new door frontdoor pin=17
  penates new DS18B20 cellar serial=28-0316a2795fff every_s=30

The kind is a name of `penates kinds`, or the number of a part that one of them serves.

The file contains every setting with its meaning and default, commented out; `penates kinds KIND` shows them beforehand.
On a terminal, the command asks for each setting without a default. Elsewhere, or after an empty answer, the setting is
left to be set in the file: `penates check` reports it as missing, and the exit code is 78. If a GPIO line belongs to
another device, or the name is taken, nothing is written.

  penates new shed --from home/radio 3
  penates new shed --from home/radio --id 44

With --from, a gateway adopts a sensor that it hears, by its number in `penates unknown` or by its settings: its file
gets the section [sensors.shed], and starts to carry it. To forget a sensor, remove its section, and run the same
command that is printed here as the next one.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bootstrap.config.kinds import KindError
from bootstrap.config.loader import folder_or_default
from bootstrap.contract.topics import EYES, ID_RULE, is_id
from bootstrap.errors import NOT_DONE, Exit, Fatal
from penates.console.arguments import config_option, sensor_name
from penates.console.questions import ask_settings, can_ask
from penates.datasheet import settings_of, sheet
from penates.files.install_paths import HOUSE
from penates.files.new_device import NewDevice, values_of, why_not
from penates.parts import kind_for

HOUSE_BROKER = {"broker": None, "username": None, "password_file": None, "ca_file": None}
OPTIONS = ("config", "set", "from", "help")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    config_option(parser)
    parser.add_argument(
        "kind", metavar="KIND", help="such as door, DS18B20 for a part, or mine.Rain for a class of your own"
    )
    new = "the sensor's name, such as frontdoor; its file will be NEW.toml"
    parser.add_argument("new", metavar="NEW", nargs="?", help=new)
    parser.add_argument("given", metavar="SETTING=VALUE", nargs="*", default=[], help="such as pin=17")
    anywhere = "a setting, at any position in the command"
    carrier = "the gateway that adopts the sensor; then its name is the only one, and settings may be options: --id 44"
    parser.add_argument("--from", dest="gateway", type=sensor_name, metavar="GROUP/SENSOR", help=carrier)
    parser.add_argument("--set", action="append", default=[], metavar="SETTING=VALUE", help=anywhere)


def main(given: argparse.Namespace) -> int:
    """Compose the file, check that it fits into the house, write it, and print the next step."""
    folder = folder_or_default(given.config)
    if given.gateway:
        return _adopt(folder, given)
    if given.new is None:
        raise Fatal(Exit.SETTINGS, "the sensor's name is missing: penates new KIND NEW")
    if not is_id(given.new):
        raise Fatal(Exit.SETTINGS, f"a sensor's name must be {ID_RULE}, not {given.new!r}")
    try:
        found = sheet(kind_for(given.kind), folder)
    except KindError as error:
        raise Fatal(Exit.SETTINGS, str(error)) from None
    values = found.of_part(given.kind) | values_of(found.settings, [*given.given, *given.set], folder)
    if can_ask():
        values |= ask_settings(found, values, folder)
    driver = found.driver(values)
    new = NewDevice(folder, given.new, found, values)
    try:
        new.write()
    except OSError as error:
        print(f"penates new: {new.file} cannot be written: {why_not(error)}", file=sys.stderr)
        return NOT_DONE
    if found.kind != given.kind:
        print(f"{given.kind} is served by the kind {found.kind}.")
    print("\n".join([f"{new.file} was written.", f"Wiring: {found.wiring}", *(f"Driver: {step}." for step in driver)]))
    if new.missing:
        print(f"penates new: still to be set in that file: {', '.join(new.missing)}", file=sys.stderr)
    print(f"Next: {_next(folder, given)}")
    return Exit.SETTINGS if new.missing else Exit.STOPPED


def prepared(words: Sequence[str]) -> list[str]:
    """Return the command line with each setting of an adopted sensor, such as `--id 44`, as `--set id=44`.

    So is its number in the list of unknown ones.
    """
    if not any(word.partition("=")[0] == "--from" for word in words):
        return [*words]
    found, rest = list[str](), iter(words)
    for word in rest:
        if word.isdecimal() and "--from" in " ".join(found):
            found += ["--set", word]
            continue
        name, equals, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and name not in OPTIONS:
            found += ["--set", f"{name}={value if equals else next(rest, '')}"]
        else:
            found.append(word)
    return found


def _adopt(folder: Path, given: argparse.Namespace) -> int:
    """Have a gateway adopt a sensor: write its section, then apply it."""
    from penates.files.gateway_sections import Adopting  # noqa: PLC0415 - needed for a gateway alone

    if folder == HOUSE:
        from penates.installer import requirements  # noqa: PLC0415

        requirements.require_root()
    adopting = Adopting.at(folder, given.gateway.client_id, given.kind)
    arguments = [*([given.new] if given.new else []), *given.given, *given.set]
    for number in [word for word in arguments if word.isdecimal()]:
        arguments.remove(number)
        arguments = [*_listed_as(given, int(number)), *arguments]
    values = values_of(settings_of(adopting.adopts), arguments, folder)
    adopting.apply(values, given.config)
    return Exit.STOPPED


def _listed_as(given: argparse.Namespace, number: int) -> list[str]:
    """Return the settings of the sensor that has this number in the gateway's list of unknown ones."""
    from penates.fleet.access import access  # noqa: PLC0415 - as above
    from penates.fleet.unknown_sensors import listed  # noqa: PLC0415

    gateway = given.gateway.client_id
    heard = listed(access(argparse.Namespace(config=given.config, **HOUSE_BROKER), EYES)).get(gateway, [])
    found = next((one.key for one in heard if one.number == number), None)
    if found is None:
        raise Fatal(Exit.SETTINGS, f"{gateway} has no number {number} in its list; `penates unknown` shows it")
    return [f"{name}={value}" for name, value in found.items()]


def _next(folder: Path, given: argparse.Namespace) -> str:
    """Return the command that starts the new sensor, in an installed house or from a checkout."""
    if folder == HOUSE:
        return "sudo penates install"
    where = f" --config {given.config}" if given.config else ""
    return f"penates run {given.new}{where}"
