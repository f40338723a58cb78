"""Arguments that several sub-commands share."""

import argparse
from contextlib import suppress
from pathlib import Path

from bootstrap.config.loader import DEVICES, NO_DEVICE, Configuration, folder_or_default, open_house, unknown_names
from bootstrap.config.model import House, a_certificate
from bootstrap.config.secrets import read_password
from bootstrap.config.toml_file import Fault, SettingsError
from bootstrap.contract.topics import ID_RULE, Topics, is_id
from bootstrap.errors import Exit, Fatal
from bootstrap.hosts import a_host
from bootstrap.paths import Folders

DAY_S = 86_400
ROOT_ONLY = "this changes the machine; run it with sudo"


def sensor_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--config DIR NAME`."""
    config_option(parser)
    parser.add_argument("name", metavar="NAME", help="the sensor's file in devices/, such as lamp for lamp.toml")


def names_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--config DIR [NAME…|--all] --json`."""
    config_option(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("names", nargs="*", default=[], metavar="NAME", help="sensor's file in devices/ (default: all)")
    which.add_argument("--all", action="store_true", help="all sensors, as without NAME")
    json_option(parser)


def house_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--config DIR --json`."""
    config_option(parser)
    json_option(parser)


def json_option(parser: argparse.ArgumentParser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def config_option(parser: argparse.ArgumentParser) -> None:
    """Add `--config DIR`."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="DIR",
        help="folder with house.toml and devices/ (default: /etc/penates, else ./config)",
    )


def output_file(text: str) -> Path:
    """Return the path of a file to be written later, for argparse."""
    file = Path(text)
    if file.is_dir() or not file.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text} cannot be a file; name one in an existing folder")
    return file


def house(given: argparse.Namespace) -> tuple[Configuration, House, Folders]:
    """Return the configuration that `--config` names, its house, and the folders of this house.

    Raises:
        SettingsError: `house.toml` has faults.
    """
    configuration, house = open_house(folder_or_default(given.config))
    return configuration, house, Folders.usual(house.state)


def chosen(configuration: Configuration, names: list[str]) -> list[str]:
    """Return the named sensors, or all if there are no names.

    Raises:
        SettingsError: there is no such sensor, or no sensor at all.
    """
    if faults := unknown_names(names, configuration.processes):
        raise SettingsError(faults)
    if not configuration.sensors:
        raise SettingsError([Fault(DEVICES, 1, NO_DEVICE)])
    return names or [*configuration.processes]


def seconds(text: str) -> float:
    """Return a duration of at most a day in seconds, for argparse."""
    with suppress(ValueError):
        if 0 < (found := float(text)) <= DAY_S:
            return found
    raise argparse.ArgumentTypeError(f"enter seconds, above 0 and at most {DAY_S}, not {text!r}")


def new_folder(text: str) -> Path:
    """Return an empty folder, for argparse; make it if it does not exist."""
    folder = Path(text)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        empty = not any(folder.iterdir())
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error.strerror}") from None
    if not empty:
        raise argparse.ArgumentTypeError(f"{text} is not empty; use a new folder")
    return folder.resolve()


def an_id(text: str) -> str:
    """Return a level of a topic, for argparse."""
    if not is_id(text):
        raise argparse.ArgumentTypeError(f"{text!r} must be {ID_RULE}")
    return text


def host(text: str) -> str:
    """Return a host name or an address, for argparse."""
    try:
        a_host(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} must be {error}") from None
    return text


def sensor_name(text: str) -> Topics:
    """Return the topics of the sensor that `GROUP/SENSOR` names, for argparse."""
    group, slash, sensor = text.partition("/")
    if not slash:
        raise argparse.ArgumentTypeError(f"enter GROUP/SENSOR, such as home/lamp, not {text!r}")
    try:
        return Topics(group, sensor)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"enter GROUP/SENSOR: {error}") from None


def ca_certificate(file: Path) -> bytes:
    """Return the content of the file given by --ca-file; raise Fatal if it holds no certificate."""
    try:
        a_certificate(file)
    except ValueError as error:
        raise Fatal(Exit.SETTINGS, f"--ca-file {file} must be {error}") from None
    return file.read_bytes()


def given_password(file: Path) -> str:
    """Return the password in the file given by --password-file; raise Fatal if none can be read there."""
    try:
        return read_password(file)
    except (OSError, ValueError) as error:
        raise Fatal(Exit.SETTINGS, f"--password-file {file}: {error}") from None
