"""What the commands about other sites share: the installed house, its name, and the steps that bring in a change."""

from collections.abc import Iterator, Sequence

from bootstrap.config.loader import Configuration, device_file, open_house
from bootstrap.config.model import House
from bootstrap.config.toml_file import TomlFile
from bootstrap.errors import Exit, Fatal
from penates.broker.far_sites import KIND, LinkedSite, far_sites
from penates.files.install_paths import HOUSE
from penates.files.planned_file import Planned
from penates.installer.house_plan import HousePlan
from penates.installer.install_record import InstallRecord
from penates.installer.installation import Installation
from penates.installer.requirements import require_installation, require_root
from penates.installer.site_invitation import OwnSide
from penates.installer.steps import Step, writes


def installed_house(*, dry: bool) -> House:
    """Return the settings of the house that is installed here.

    Raises:
        Fatal: there is none, or we may not change it.
        SettingsError: its settings have faults.
    """
    require_root(dry=dry)
    require_installation()
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
    return OwnSide.of(Configuration(HOUSE, secrets=False).all().values(), house, group)


def known_site(name: str, house: House) -> LinkedSite:
    """Return what is known of another site.

    Raises:
        Fatal: nothing is.
    """
    known = {site.name: site for site in far_sites(Configuration(HOUSE, secrets=False).all().values(), house)}
    if name not in known:
        raise Fatal(Exit.SETTINGS, f"no site {name!r} is known here; known: {', '.join(known) or 'none'}")
    return known[name]


def require_free(site: str) -> None:
    """Check that no sensor of this house has the name of another site.

    Raises:
        Fatal: one has.
    """
    file = device_file(site)
    kind = TomlFile(HOUSE, file).table.get("kind") if (HOUSE / file).exists() else KIND
    if kind != KIND:
        raise Fatal(Exit.RUNNING, f"{file} is a sensor of this house ({kind}); give the other site a different name")


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
