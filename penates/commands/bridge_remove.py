"""Forget another site: end the link, remove its users, and clear what the broker here retains of its sensors.

  sudo penates bridge remove cabin

Run it at both sites. The history that was recorded of the other site stays.
"""

import argparse
from collections.abc import Iterator

from bootstrap.contract.sites import BRIDGE
from bootstrap.contract.topics import ADMIN
from bootstrap.supervisor.control_socket import Unavailable
from penates.broker.far_sites import LinkedSite
from penates.console.output import counted
from penates.fleet.probe import PATIENCE_S, MqttProbe, Silent, Unreachable, reach
from penates.installer.house_plan import HouseChanges, HousePlan, scratch
from penates.installer.site_installation import SiteInstallation, installed_house, known_site
from penates.installer.site_invitation import files_of
from penates.installer.steps import only_shown


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("site", metavar="SITE", help="the name of the other site")
    parser.add_argument("--dry-run", action="store_true", help="show every file and command, and change nothing")


def main(given: argparse.Namespace) -> int:
    """Remove the files of the site, install what is left, and clear what is retained."""
    house = installed_house(dry=given.dry_run)
    site = known_site(given.site, house)
    try:
        with scratch() as folder:
            plan = HousePlan(folder, changes=HouseChanges(removed=files_of(given.site)))
            installation = SiteInstallation(plan)
            count = installation.carry_out(dry=given.dry_run)
            access = plan.access_as(ADMIN)
        if given.dry_run:
            return only_shown(count)
        if access:
            with reach(access, PATIENCE_S) as probe:
                cleared = len([*_cleared(probe, site, house.homeassistant.prefix)])
                print(f"{counted(cleared, 'topic')} of {given.site} cleared")
    except (OSError, LookupError, Silent, Unreachable) as error:
        raise Unavailable(str(error)) from None
    return installation.report()


def _cleared(probe: MqttProbe, site: LinkedSite, prefix: str) -> Iterator[str]:
    """Clear what the broker retains of a site: its sensors, their announcements, and the link. Yields each topic."""
    filters = [
        *(f"{group}/#" for group in site.groups),
        f"{site.sensor}/#",
        *(f"{BRIDGE}/{caller}/#" for caller in site.callers),
        f"{prefix}/device/+/config",
    ]
    for topic, payload in probe.retained(filters).items():
        if payload and (not topic.startswith(f"{prefix}/") or _announces(topic, prefix, site)):
            probe.publish(topic, retain=True)
            yield topic


def _announces(topic: str, prefix: str, site: LinkedSite) -> bool:
    """Return whether a topic announces a sensor of the site, or the one here that has looked after the link."""
    far = tuple(f"{prefix}/device/{group}-" for group in site.groups)
    return topic.startswith(far) or topic == f"{prefix}/device/{site.sensor.replace('/', '-')}/config"
