"""Let another site's broker connect to this one: write one file with all that it needs.

  sudo penates bridge invite cabin
  sudo penates bridge invite cabin --address home.example --port 443

The file is secret. Copy it to the other site, and run there: sudo penates bridge join FILE. That site calls this one,
so this broker must be reachable from there: in a VPN, or by a TLS port that the router forwards. Readings, states and
commands then go both ways over that connection (docs/BRIDGE.md).
"""

import argparse

from bootstrap.contract.sites import SITE_RULE, is_site, site_users
from bootstrap.contract.topics import RESERVED_SENSORS
from bootstrap.device import this_host
from bootstrap.errors import Exit, Fatal
from bootstrap.supervisor.control_socket import Unavailable
from penates.console.arguments import an_id, host
from penates.files.install_paths import CA, HOUSE, SITES
from penates.files.planned_file import FOLDER_MODE, Planned
from penates.fleet.access import HIGHEST_PORT
from penates.installer.house_plan import HouseChanges, HousePlan, scratch
from penates.installer.requirements import require_own_broker
from penates.installer.site_installation import (
    SiteInstallation,
    installed_house,
    own_name,
    own_side,
    require_free,
)
from penates.installer.site_invitation import OwnSide, SiteInvitation, far_site_file
from penates.installer.steps import only_shown


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("site", type=a_site, metavar="SITE", help="the name of the other site")
    groups = "a group of the other site (default: its name); once for each"
    parser.add_argument("--group", action="append", type=an_id, default=[], metavar="GROUP", help=groups)
    addresses = "where the other site reaches this broker; it is added to the certificate (default: its names there)"
    parser.add_argument("--address", action="append", type=host, default=[], metavar="HOST", help=addresses)
    parser.add_argument("--port", type=_port, metavar="PORT", help="the port there, if a router forwards another one")
    own = "the name of this site (default: that in house.toml, else the host's name)"
    parser.add_argument("--as", type=a_site, dest="own", metavar="SITE", help=own)
    parser.add_argument("--dry-run", action="store_true", help="show every file and command, and change nothing")


def a_site(text: str) -> str:
    """Return the name of a site, for argparse."""
    if not is_site(text) or text in RESERVED_SENSORS:
        raise argparse.ArgumentTypeError(f"{text!r} must be {SITE_RULE}, and not {', '.join(sorted(RESERVED_SENSORS))}")
    return text


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"a port must be a number from 1 to {HIGHEST_PORT}, not {text!r}")
    return int(text)


def main(given: argparse.Namespace) -> int:
    """Make the other site's users, install what looks after the link, and write the invitation."""
    house = installed_house(dry=given.dry_run)
    own = own_name(house, given.own, this_host())
    if own == given.site:
        raise Fatal(Exit.SETTINGS, f"{own} is this site; give the other one a different name, or this one by --as")
    require_free(given.site)
    groups, side = given.group or [given.site], own_side(house)
    files = [Planned(SITES, None, FOLDER_MODE), far_site_file(given.site, groups, given.site, side)]
    changes = HouseChanges(settings={("site", "name"): own}, files=files, names=given.address)
    try:
        with scratch() as folder:
            plan = HousePlan(folder, changes=changes)
            require_own_broker(plan)
            file = _invitation(given, own, side, plan).planned
            installation = SiteInstallation(plan, [file])
            count = installation.carry_out(dry=given.dry_run)
    except (OSError, LookupError) as error:
        raise Unavailable(str(error)) from None
    if given.dry_run:
        return only_shown(count)
    print(f"copy {file.path} to {given.site}, and run there: sudo penates bridge join {file.path.name}")
    return installation.report()


def _invitation(given: argparse.Namespace, own: str, side: OwnSide, plan: HousePlan) -> SiteInvitation:
    names, port = plan.broker_address
    return SiteInvitation(
        site=given.site,
        groups=given.group or [given.site],
        by=own,
        by_groups=[*side.groups],
        brokers=[*dict.fromkeys([*given.address, *([] if given.port else names)])] or names,
        port=given.port or port,
        ca=plan.content(HOUSE / CA).decode(),
        secrets={user: plan.password(user) or "" for user in site_users(given.site)},
    )
