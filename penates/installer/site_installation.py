"""What the commands about other sites share: the installed house, its name, and the steps that bring in a change."""

import os
from collections.abc import Iterator, Sequence

from bootstrap.config.loader import Configuration, device_file, open_house
from bootstrap.config.model import House
from bootstrap.config.toml_file import TomlFile
from bootstrap.errors import Exit, Fatal
from penates.broker.far_sites import KIND
from penates.console.arguments import ROOT_ONLY
from penates.files.install_paths import HOUSE, RECORD
from penates.files.planned_file import Planned
from penates.installer.house_plan import HousePlan
from penates.installer.install_record import InstallRecord
from penates.installer.installation import Installation
from penates.installer.site_invitation import OwnSide
from penates.installer.steps import Step, writes


def installed_house(*, dry: bool) -> House:
    """Return the settings of the house that is installed here.

    Raises:
        Fatal: there is none, or we may not change it.
        SettingsError: its settings have faults.
    """
    if os.geteuid() and not dry:
        raise Fatal(Exit.SETTINGS, ROOT_ONLY)
    if not RECORD.exists():
        raise Fatal(Exit.SETTINGS, "nothing is installed here yet, not even a broker: sudo scripts/install")
    return open_house(HOUSE)[1]


def own_name(house: House, given: str | None, usual: str) -> str:
    """Return the name of this site: the one that it has, else the one that is given, else the usual one.

    Raises:
        Fatal: it has one, and another one is given.
    """
    known = house.site.name
    if known and given and known != given:
        why = f"this site is called {known} ([site] name in house.toml), and other sites may know it by that name"
        raise Fatal(Exit.SETTINGS, f"{why}; it cannot become {given}")
    return known or given or usual


def own_side(house: House, group: str | None = None) -> OwnSide:
    """Return what is ours, if the group of the house is renamed to this one or stays."""
    found = Configuration(HOUSE, secrets=False).all().values()
    groups = {house.group, *(one.topics.group for settings in found for one in settings.all_carried)}
    renamed = {group if group and one == house.group else one for one in groups}
    return OwnSide(groups=sorted(renamed), prefix=house.homeassistant.prefix)


def require_free(site: str) -> None:
    """Check that no sensor of this house has the name of another site.

    Raises:
        Fatal: one has.
    """
    file = device_file(site)
    kind = TomlFile(HOUSE, file).table.get("kind") if (HOUSE / file).exists() else KIND
    if kind != KIND:
        raise Fatal(Exit.RUNNING, f"{file} is a sensor of this house ({kind}); give the other site a different name")


def require_own_broker(plan: HousePlan) -> None:
    """Check that the broker of the house is this machine's own.

    Raises:
        Fatal: it is on another machine, or somebody else's.
    """
    if not plan.local:
        raise Fatal(Exit.SETTINGS, f"the broker is on {plan.house.broker.hosts[0]}: run this there")


class SiteInstallation(Installation):
    """An installation with a change about another site, and files for people."""

    def __init__(self, plan: HousePlan, files: Sequence[Planned] = ()) -> None:
        record = InstallRecord.read()
        super().__init__(plan, record)
        self._files = files

    def steps(self) -> Iterator[Step]:
        """Yield the steps of the installation, and then those that write the files."""
        yield from super().steps()
        yield from writes(self._files)
