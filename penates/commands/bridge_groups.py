"""Say which groups another site has, after it got a new one: all of them, old and new.

  sudo penates bridge groups cabin cabin shed

A site that has got a group is not believed by itself, because it could claim any. `penates doctor` says at either site
which command is missing at the other.
"""

import argparse

from bootstrap.supervisor.control_socket import Unavailable
from penates.console.arguments import an_id
from penates.installer.house_plan import HouseChanges, HousePlan, scratch
from penates.installer.site_installation import SiteInstallation, installed_house, known_site
from penates.installer.site_invitation import with_groups
from penates.installer.steps import only_shown


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("site", metavar="SITE", help="the name of the other site")
    parser.add_argument("groups", type=an_id, nargs="+", metavar="GROUP", help="a group of the other site")
    parser.add_argument("--dry-run", action="store_true", help="show every file and command, and change nothing")


def main(given: argparse.Namespace) -> int:
    """Write the groups into the site's file, and install what follows from it."""
    site = known_site(given.site, installed_house(dry=given.dry_run))
    try:
        with scratch() as folder:
            plan = HousePlan(folder, changes=HouseChanges(files=[with_groups(site.name, given.groups)]))
            installation = SiteInstallation(plan)
            count = installation.carry_out(dry=given.dry_run)
    except (OSError, LookupError) as error:
        raise Unavailable(str(error)) from None
    if given.dry_run:
        return only_shown(count)
    return installation.report()
