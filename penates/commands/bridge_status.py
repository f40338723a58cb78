"""Show the links to other sites: whether they are up, and what is known here of the sensors there.

The exit code is 1 if one is down.
"""

import argparse
import json
from collections import Counter
from typing import Any

from bootstrap.config.loader import Configuration, folder_or_default
from bootstrap.config.toml_file import SettingsError
from bootstrap.contract.topics import EYES
from bootstrap.errors import NOT_DONE, Exit
from bootstrap.supervisor.control_socket import Unavailable
from penates.broker.far_sites import LinkedSite, far_sites
from penates.console.arguments import json_option
from penates.console.output import counted, to_a_reader
from penates.fleet.access import access, access_arguments
from penates.fleet.link_state import Connections, LinkState, link_state
from penates.fleet.probe import PATIENCE_S, Silent, Unreachable, reach

WORDS = {True: "up", False: "down", None: "never up"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    access_arguments(parser)
    json_option(parser)


def main(given: argparse.Namespace) -> int:
    """Ask the broker here, and print a line for each site."""
    configuration = Configuration(folder_or_default(given.config), secrets=False)
    settings = configuration.all().values()
    if configuration.house is None or configuration.faults:
        raise SettingsError(configuration.faults)
    sites = far_sites(settings, configuration.house)
    if not sites:
        print("this site knows no other: sudo penates bridge invite SITE")
        return Exit.STOPPED
    try:
        with reach(access(given, EYES), PATIENCE_S) as probe:
            found = [(site, link_state(probe, site.callers, site.groups)) for site in sites]
    except (Unreachable, Silent) as error:
        raise Unavailable(str(error)) from None
    with to_a_reader():
        print(json.dumps({"sites": [_facts(*one) for one in found]}, indent=2) if given.json else _table(found))
    return Exit.STOPPED if all(state.up for _, state in found) else NOT_DONE


def _facts(site: LinkedSite, state: LinkState) -> dict[str, Any]:
    return {
        "site": site.name,
        "groups": [*site.groups],
        "caller": site.caller,
        **state.connections[site.caller]._asdict(),
        "outgoing": state.connections[site.own]._asdict() if site.calls else None,
        "sensors": state.states,
    }


def _table(found: list[tuple[LinkedSite, LinkState]]) -> str:
    return "\n".join(_line(*one) for one in found)


def _line(site: LinkedSite, state: LinkState) -> str:
    links = "; ".join(_words(site, caller, one) for caller, one in state.connections.items())
    each = ", ".join(f"{number} {word}" for word, number in sorted(Counter(state.states.values()).items()))
    sensors = f"{counted(len(state.states), 'sensor')}{f': {each}' if each else ''}"
    return f"{site.name} (group {', '.join(site.groups)}): {links}; {sensors}"


def _words(site: LinkedSite, caller: str, found: Connections) -> str:
    called = site.name if caller == site.own else site.own
    return f"history {WORDS[found.history]}, state {WORDS[found.state]}; {caller} calls {called}"
