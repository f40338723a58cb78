"""Begin a house: write house.toml and devices/, and adopt what is connected to this machine.

  penates init
  penates init --yes --group cabin --broker 192.168.1.5 --username cabin

It writes into ./config, or into the folder of --config, and changes nothing that is there. On a terminal it asks for
the group (the first level of every topic), the broker, whether to record, and whether to tell Home Assistant; options
answer beforehand, and with --yes, or without a terminal, whatever they do not answer is as usual. In the files each
setting is explained.

Then it looks for what is connected, as `penates scan` does, and offers to adopt it. Without questions, it adopts what
can be nothing else, such as a thermometer on 1-Wire.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from bootstrap.config.loader import HOUSE as HOUSE_FILE
from bootstrap.config.loader import device_file, usual_folder
from bootstrap.config.model import PLAIN_PORT, TLS_PORT
from bootstrap.config.toml_file import SettingsError, Wrong
from bootstrap.contract.topics import EYES, ID_RULE, PRIVATE, is_id, is_private
from bootstrap.errors import Exit, Fatal
from bootstrap.history.stores import StoreSettings
from penates.console.arguments import ca_certificate, config_option, given_password
from penates.console.output import to_a_reader
from penates.console.questions import ask, ask_password, ask_whether, can_ask
from penates.files.gateway_sections import config_words
from penates.files.install_paths import HOUSE
from penates.files.new_device import why_not
from penates.files.new_house import GROUP, RECORDER, NewHouse
from penates.fleet.access import LOCAL, Access, access, host_and_port, trusting
from penates.fleet.probe import PATIENCE_S, NotLetIn, Unreachable, reach
from penates.scan.adopting import adopt_all
from penates.scan.machine_scan import ROOT

HERE = Path("config")
NO_STORE = "none"
STORES = ("sqlite", "influxdb1", "influxdb", NO_STORE)
LOGIN = {"influxdb": "url, database, org, token_file", "influxdb1": "url, database, username, password_file"}
INSTALL_BROKER = "on Debian `sudo apt install mosquitto` starts one, which serves this machine without any settings"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    config_option(parser)
    parser.add_argument("--yes", action="store_true", help="ask nothing, and adopt what can be nothing else")
    parser.add_argument("--group", type=a_group, metavar="NAME", help="the first level of every topic (default: home)")
    where = "the broker (default: the one on this machine)"
    parser.add_argument("--broker", type=host_and_port, metavar="HOST[:PORT]", help=where)
    parser.add_argument("--username", metavar="NAME", help="the user name at the broker, if it wants one")
    first_line = "its first line is the password, which is copied into the house's folder (default: ask for it)"
    parser.add_argument("--password-file", type=Path, metavar="FILE", help=first_line)
    ca = "the PEM certificate to trust, which is copied into the house's folder; turns TLS on"
    parser.add_argument("--ca-file", type=Path, metavar="FILE", help=ca)
    store = "where a recorder stores all readings, or none for no recorder (default: sqlite, a file on this machine)"
    parser.add_argument("--recorder", choices=STORES, help=store)
    told = "whether Home Assistant is told of each sensor (default: it is)"
    parser.add_argument("--home-assistant", action=argparse.BooleanOptionalAction, help=told)
    parser.add_argument("--scan", action=argparse.BooleanOptionalAction, default=True, help="look what is connected")
    root = "the folder that contains the machine's own sys and dev (default: /)"
    parser.set_defaults(password="")
    parser.add_argument("--root", type=Path, default=ROOT, metavar="DIR", help=root)


def main(given: argparse.Namespace) -> int:
    """Write the house, adopt what is there, and say what to do next."""
    folder = given.config or usual_folder() or HERE
    asks = can_ask() and not given.yes
    fresh = not (folder / HOUSE_FILE).exists()
    try:
        with to_a_reader():
            for line in _begun(given, folder, asks=asks, fresh=fresh):
                print(line)
            print("\n".join([_of_broker(folder), *_next(folder, config_words(given.config))]))
    except OSError as error:
        raise Fatal(Exit.SETTINGS, f"{error.filename or folder} cannot be written: {why_not(error)}") from None
    return Exit.STOPPED


def _begun(given: argparse.Namespace, folder: Path, *, asks: bool, fresh: bool) -> Iterator[str]:
    """Write the house, adopt what is there, and yield what was done."""
    new = _new_house(given, asks=asks and fresh)
    for file in new.write(folder):
        yield f"{file} was written"
        if file == folder / device_file(RECORDER) and (login := LOGIN.get(new.store)):
            yield f"  still to be set there: where {new.store} is, and who we are there: {login} (docs/STORES.md)"
    if not fresh:
        yield f"{folder / HOUSE_FILE} was there, and stays as it is"
    yield from adopt_all(folder, given.root, asks=asks) if given.scan else []


def _of_broker(folder: Path) -> str:
    """Return whether the broker lets us in, and what to do if not."""
    nothing = dict.fromkeys(("broker", "username", "password_file", "ca_file"))
    file = folder / HOUSE_FILE
    try:
        there = access(argparse.Namespace(config=folder, **nothing), EYES)
        with reach(there, PATIENCE_S):
            return f"The broker {there.name} answers."
    except SettingsError as error:
        return f"The broker was not tried: {error}"
    except Unreachable as error:
        none = there.hosts == [LOCAL] and not isinstance(error, NotLetIn)
        start = [f"If there is none: {INSTALL_BROKER}."] if none else []
        where = f"[broker] in {file} says where it is, and who we are there. Until it answers, the sensors keep trying."
        return "\n  ".join([f"There is no broker yet that lets us in: {error}", *start, where])


def _next(folder: Path, config: str) -> list[str]:
    if folder == HOUSE:
        return ["Next: sudo penates install"]
    also = f"penates new door NAME pin=17{config}` adds a device, `penates kinds` lists what there is"
    return [
        f"Next: penates check{config} && penates supervisor{config}",
        f"Then: `penates watch{config}` in another terminal shows the sensors; `{also}.",
    ]


# The house.


def _new_house(given: argparse.Namespace, *, asks: bool) -> NewHouse:
    """Return the house that the options describe, and the answers to what they leave open."""
    if given.password_file and not given.username:
        raise Fatal(Exit.SETTINGS, "--password-file needs --username NAME")
    if asks:
        _ask_the_rest(given)
    host, port = given.broker or (LOCAL, None)
    return NewHouse(
        group=given.group or GROUP,
        host=host,
        port=port,
        username=given.username or "",
        password=given_password(given.password_file) if given.password_file else given.password,
        ca=ca_certificate(given.ca_file) if given.ca_file else b"",
        store=_store(given.recorder or STORES[0]),
        homeassistant=given.home_assistant is not False,
    )


def _ask_the_rest(given: argparse.Namespace) -> None:
    """Ask for what the options leave open, and take the answers for them."""
    if given.group is None:
        given.group = ask("Group, the first level of every topic", GROUP, lambda typed: _refused(a_group, typed))
    if given.broker is None:
        typed = ask("Broker, as HOST or HOST:PORT", LOCAL, lambda typed: _refused(host_and_port, typed))
        given.broker = host_and_port(typed)
    if given.username is None:
        given.username = _user(given)
    if given.username and not given.password_file:
        given.password = ask_password(f"{given.username} at {given.broker[0]}")
    if given.recorder is None:
        wanted = ask_whether("Record all readings, in a file on this machine", usual=True)
        given.recorder = STORES[0] if wanted else NO_STORE
    if given.home_assistant is None:
        given.home_assistant = ask_whether("Tell Home Assistant of each sensor", usual=True)


def _user(given: argparse.Namespace) -> str:
    """Ask for the user name, unless the broker lets everybody in."""
    host, port = given.broker
    usual = TLS_PORT if given.ca_file else PLAIN_PORT
    try:
        with reach(Access([host], port or usual, trust=trusting(given.ca_file)), PATIENCE_S):
            return ""
    except Unreachable as error:
        print(error)
    return ask("User name at the broker, empty if it wants none")


def _store(word: str) -> str:
    """Return where a recorder is to store, or empty text."""
    try:
        return "" if word == NO_STORE else StoreSettings(store=word).store  # type: ignore[arg-type]
    except Wrong as error:
        raise Fatal(Exit.SETTINGS, f"--recorder: {'; '.join(error.reasons.values())}") from None


def _refused(meaning: Callable[[str], object], typed: str) -> str:
    """Return why an argument is refused, or empty text."""
    try:
        meaning(typed)
    except argparse.ArgumentTypeError as error:
        return str(error)
    return ""


def a_group(text: str) -> str:
    """Return a group, for argparse."""
    if not is_id(text) or is_private(text):
        raise argparse.ArgumentTypeError(f"a group must be {ID_RULE}, and not end in {PRIVATE!r}, not {text!r}")
    return text
