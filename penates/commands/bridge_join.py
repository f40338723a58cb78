"""Connect this site's broker to that of another site, by the file that `penates bridge invite` has written there.

  sudo penates bridge join cabin.json
  sudo penates bridge join cabin.json --group cabin    # and rename this house's group, which must not be theirs
  sudo penates bridge join cabin.json --callable cabin.example    # the other site is to call here, too

First the other broker is called, as this site will call it; then the link is installed, and waited for. A house that
has just been installed has the group home, as the other one may: --group gives it a group of its own. All topics then
begin with that, so on a house that has been recorded for long, rather rename the other one.

With --callable each site brings only what is its own, over connections that it makes itself. This writes a file that
goes back to the other site: sudo penates bridge join FILE there ends the setup.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.config.model import House
from bootstrap.config.secrets import read_password
from bootstrap.contract.sites import site_users
from bootstrap.errors import NOT_DONE, Exit, Fatal
from bootstrap.supervisor.control_socket import Unavailable
from penates.broker.far_broker import FarBroker
from penates.console.arguments import an_id
from penates.console.output import counted
from penates.files.install_paths import CA, HOUSE, SECRETS
from penates.files.planned_file import Planned
from penates.fleet.access import Access, host_and_port, trusting
from penates.fleet.link_state import wait_for_link
from penates.fleet.probe import PATIENCE_S, Silent, Unreachable, reach
from penates.installer.house_plan import HouseChanges, HousePlan, scratch
from penates.installer.requirements import require_own_broker
from penates.installer.site_installation import (
    SiteInstallation,
    installed_house,
    known_site,
    own_name,
    own_side,
    require_free,
)
from penates.installer.site_invitation import THINNED_S, SiteInvitation
from penates.installer.site_reply import SiteReply
from penates.installer.steps import only_shown

RUN_THERE = "sudo penates bridge join"
LINK_S = 30.0  # Mosquitto tries again after 5 s, and then less often


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the invitation, from the other site")
    parser.add_argument("--group", type=an_id, metavar="GROUP", help="rename the group of this house to this one")
    back = "where the other site reaches this broker, if it is to call, too; it is added to the certificate"
    parser.add_argument("--callable", type=host_and_port, metavar="HOST[:PORT]", help=back)
    metered = f"the link is paid for by volume: heartbeats cross once in {THINNED_S // 60} minutes"
    parser.add_argument("--metered", action="store_true", help=metered)
    parser.add_argument("--dry-run", action="store_true", help="show every file and command, and change nothing")


@dataclass(frozen=True, kw_only=True)
class Joining:
    """What is to be done with a file from the other site.

    Attributes:
        site: the name of the other site.
        groups: its groups.
        callers: the sites that then call.
        changes: what changes in this house.
        reply: returns, from the plan, the file that goes back to the other site; None if nothing does.
    """

    site: str
    groups: Sequence[str]
    callers: Sequence[str]
    changes: HouseChanges
    reply: Callable[[HousePlan], Planned | None] = lambda _plan: None


def main(given: argparse.Namespace) -> int:
    """Prove that the other broker can be used, install the link, and wait until it is up."""
    house = installed_house(dry=given.dry_run)
    try:
        joining = _by_reply(given, house) if SiteReply.is_in(given.file) else _by_invitation(given, house)
        with scratch() as folder:
            plan = HousePlan(folder, changes=joining.changes)
            require_own_broker(plan)
            reply = joining.reply(plan)
            installation = SiteInstallation(plan, [reply] if reply else [])
            count = installation.carry_out(dry=given.dry_run)
            access = plan.access
    except (OSError, LookupError, Silent) as error:
        raise Unavailable(str(error)) from None
    if given.dry_run:
        return only_shown(count)
    failed = installation.report()
    if reply:
        print(f"copy {reply.path} to {joining.site}, and run there: {RUN_THERE} {reply.path.name}")
        return failed
    return (_linked(joining, access) if access else NOT_DONE) or failed


def _by_invitation(given: argparse.Namespace, house: House) -> Joining:
    """Return what an invitation means for this site.

    Raises:
        Fatal, Unavailable, OSError, Silent: it cannot be used.
    """
    if given.callable and given.metered:
        raise Fatal(Exit.SETTINGS, "--metered needs one site that calls for both: leave out --callable")
    invitation = SiteInvitation.read(given.file)
    own = own_name(house, None, invitation.site)
    _require_addressee(given.file, invitation.site, own)
    require_free(invitation.by)
    settings = {("site", "name"): own} | ({("", "group"): given.group} if given.group else {})
    side = own_side(house, given.group)
    _require_groups(side.groups, invitation)
    broker = _far_broker(own, invitation.port, invitation.ca, invitation.secrets)
    advice = f"At {invitation.by}: sudo penates bridge invite {invitation.site} --address …"
    hosts = _usable(broker, invitation.by, invitation.brokers, advice)
    if refused := [*broker.refused_groups(hosts[0], invitation.groups)]:
        again = f"sudo penates bridge invite {invitation.site} --group …, and join again"
        raise Fatal(Exit.SETTINGS, f"{invitation.by} does not take the group {', '.join(refused)}; there: {again}")
    files = [*invitation.joined(side, hosts, both_call=bool(given.callable), metered=given.metered)]
    host, port = given.callable or ("", None)
    changes = HouseChanges(settings=settings, files=files, names=[host] if host else [])

    def reply(plan: HousePlan) -> Planned | None:
        ca, usual = plan.content(HOUSE / CA).decode(), plan.broker_address[1]
        answer = SiteReply(
            reply_to=invitation.by, site=own, groups=side.groups, brokers=[host], port=port or usual, ca=ca
        )
        return answer.planned if host else None

    return Joining(site=invitation.by, groups=invitation.by_groups, callers=[own], changes=changes, reply=reply)


def _by_reply(given: argparse.Namespace, house: House) -> Joining:
    """Return what the reply of a site that was invited means for this one.

    Raises:
        Fatal, Unavailable, OSError, Silent: it cannot be used.
    """
    if given.group or given.callable or given.metered:
        raise Fatal(Exit.SETTINGS, f"{given.file} is a reply; --group, --callable and --metered are for an invitation")
    reply, own = SiteReply.read(given.file), house.site.name
    _require_addressee(given.file, reply.reply_to, own)
    known_site(reply.site, house)
    pairs = zip(site_users(own), site_users(reply.site), strict=True)
    broker = _far_broker(own, reply.port, reply.ca, {user: read_password(SECRETS / kept) for user, kept in pairs})
    advice = f"At {reply.site}: sudo penates bridge join FILE --callable …"
    hosts = _usable(broker, reply.site, reply.brokers, advice)
    changes = HouseChanges(files=[*reply.joined(own_side(house), hosts)])
    return Joining(site=reply.site, groups=reply.groups, callers=[reply.site, own], changes=changes)


def _require_addressee(file: Path, site: str, own: str) -> None:
    if site != own:
        raise Fatal(Exit.SETTINGS, f"{file} is for the site {site}, and this is {own or 'a house without a name'}")


def _far_broker(own: str, port: int, ca: str, passwords: Mapping[str, str]) -> FarBroker:
    """Return the other site's broker, as our users there find it."""
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        Path(file.name).write_text(ca)
        trust = trusting(Path(file.name))
    assert trust, "there is a certificate"  # noqa: S101
    return FarBroker(site=own, port=port, trust=trust, passwords=passwords)


def _usable(broker: FarBroker, site: str, brokers: Sequence[str], advice: str) -> list[str]:
    """Return the addresses at which the broker of a site can be used.

    Raises:
        Unavailable: there is none.
    """
    hosts, problems = broker.usable(brokers)
    if not hosts:
        lines = [f"nothing was changed: the broker of {site} cannot be used", *problems]
        raise Unavailable("\n  ".join([*lines, f"is it reachable from here? {advice}"]))
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


def _linked(joining: Joining, access: Access) -> int:
    """Wait for the link, and say how it is."""
    try:
        with reach(access, PATIENCE_S) as probe:
            found = wait_for_link(probe, joining.callers, joining.groups, LINK_S)
    except (Unreachable, Silent) as error:
        raise Unavailable(str(error)) from None
    if not found.up:
        print(f"the link to {joining.site} is not up yet; for details, run: sudo penates doctor")
        return NOT_DONE
    print(f"the link to {joining.site} is up: {counted(len(found.states), 'sensor')} of it known here")
    return Exit.STOPPED
