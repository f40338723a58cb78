"""Connect this site's broker to that of another site, by the file that `penates bridge invite` has written there.

  sudo penates bridge join cabin.json
  sudo penates bridge join cabin.json --group cabin    # and rename this house's group, which must not be theirs

First the other broker is called, as this site will call it; then the link is installed, and waited for. A house that
has just been installed has the group cm, as the other one may: --group gives it a group of its own. All topics then
begin with that, so on a house that has been recorded for long, rather rename the other one.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bootstrap.errors import NOT_DONE, Exit, Fatal
from bootstrap.supervisor.control_socket import Unavailable
from penates.broker.far_broker import FarBroker
from penates.console.arguments import an_id
from penates.console.output import counted
from penates.fleet.access import Access, trusting
from penates.fleet.link_state import wait_for_link
from penates.fleet.probe import PATIENCE_S, Silent, Unreachable, reach
from penates.installer.house_plan import HouseChanges, HousePlan, scratch
from penates.installer.site_installation import (
    SiteInstallation,
    installed_house,
    own_name,
    own_side,
    require_free,
    require_own_broker,
)
from penates.installer.site_invitation import THINNED_S, SiteInvitation

LINK_S = 30.0  # Mosquitto tries again after 5 s, and then less often


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the invitation, from the other site")
    parser.add_argument("--group", type=an_id, metavar="GROUP", help="rename the group of this house to this one")
    metered = f"the link is paid for by volume: heartbeats cross once in {THINNED_S // 60} minutes"
    parser.add_argument("--metered", action="store_true", help=metered)
    parser.add_argument("--dry-run", action="store_true", help="show every file and command, and change nothing")


def main(given: argparse.Namespace) -> int:
    """Prove that the other broker can be used, install the link, and wait until it is up."""
    house = installed_house(dry=given.dry_run)
    invitation = SiteInvitation.read(given.file)
    if (own := own_name(house, None, invitation.site)) != invitation.site:
        raise Fatal(Exit.SETTINGS, f"{given.file} is for the site {invitation.site}, and this is {own}")
    require_free(invitation.by)
    settings = {("site", "name"): own} | ({("", "group"): given.group} if given.group else {})
    side = own_side(house, given.group)
    _require_groups(side.groups, invitation)
    try:
        broker = _far_broker(invitation)
        hosts = _usable(broker, invitation)
        changes = HouseChanges(settings=settings, files=[*invitation.joined(side, hosts, metered=given.metered)])
        with scratch() as folder:
            plan = HousePlan(folder, changes=changes)
            require_own_broker(plan)
            installation = SiteInstallation(plan)
            count = installation.carry_out(dry=given.dry_run)
            access = plan.access
    except (OSError, LookupError, Silent) as error:
        raise Unavailable(str(error)) from None
    if given.dry_run:
        print(f"{counted(count, 'step')} to do; nothing was changed")
        return Exit.STOPPED
    failed = installation.report()
    return (_linked(invitation, access) if access else NOT_DONE) or failed


def _far_broker(invitation: SiteInvitation) -> FarBroker:
    """Return the other site's broker, as our users there find it."""
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        Path(file.name).write_text(invitation.ca)
        trust = trusting(Path(file.name))
    assert trust, "there is a certificate"  # noqa: S101
    return FarBroker(site=invitation.site, port=invitation.port, trust=trust, passwords=invitation.secrets)


def _usable(broker: FarBroker, invitation: SiteInvitation) -> list[str]:
    """Return the addresses at which the other broker can be used.

    Raises:
        Unavailable: there is none.
        Fatal: it does not take what is in our groups.
        OSError, Silent: it went away.
    """
    hosts, problems = broker.usable(invitation.brokers)
    if not hosts:
        advice = (
            f"is it reachable from here? At {invitation.by}: sudo penates bridge invite {invitation.site} --address …"
        )
        raise Unavailable(
            "\n  ".join([f"nothing was changed: the broker of {invitation.by} cannot be used", *problems, advice])
        )
    if refused := [*broker.refused_groups(hosts[0], invitation.groups)]:
        again = f"sudo penates bridge invite {invitation.site} --group …, and join again"
        raise Fatal(Exit.SETTINGS, f"{invitation.by} does not take the group {', '.join(refused)}; there: {again}")
    return hosts


def _require_groups(own: Sequence[str], invitation: SiteInvitation) -> None:
    """Check that the invitation is for our groups. A group of both sites is a fault of the settings, found before.

    Raises:
        Fatal: it is for other ones.
    """
    if unknown := sorted({*own} - {*invitation.groups}):
        expected = ", ".join(invitation.groups)
        options = " ".join(f"--group {group}" for group in own)
        there = f"at {invitation.by} run: sudo penates bridge invite {invitation.site} {options}"
        here = f"rename the group of this house: add --group {invitation.groups[0]}"
        why = f"the invitation is for the group {expected}, and this house has {', '.join(unknown)}"
        raise Fatal(Exit.SETTINGS, f"{why}; either {here}; or {there}, and join by the new file")


def _linked(invitation: SiteInvitation, access: Access) -> int:
    """Wait for the link, and say how it is."""
    try:
        with reach(access, PATIENCE_S) as probe:
            found = wait_for_link(probe, invitation.site, invitation.by_groups, LINK_S)
    except (Unreachable, Silent) as error:
        raise Unavailable(str(error)) from None
    if not found.up:
        print(f"the link to {invitation.by} is not up yet; for details, run: sudo penates doctor")
        return NOT_DONE
    print(f"the link to {invitation.by} is up: {counted(len(found.states), 'sensor')} of it known here")
    return Exit.STOPPED
