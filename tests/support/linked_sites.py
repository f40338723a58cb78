"""Two sites with a broker each, by exactly the files that we make: the cabin calls home by TLS."""

import shutil
from collections.abc import Callable
from pathlib import Path

from bootstrap.contract.sites import CONNECTIONS, connection_user, site_user
from support.places import Place
from support.world import Broker, Eyes, House

LINKS = ("penates-bridge/cabin/state", "penates-bridge/home/state")  # at the cabin, if it alone calls, and if both do


class Site(Place):
    """One of the two."""

    def __init__(self, folder: Path, name: str, far: str) -> None:
        self.name, self.far, self.folder = name, far, folder
        super().__init__(House(folder / "house"), folder / "mosquitto")
        settings = self.house.folder / "house.toml"
        text = settings.read_text().replace('group = "cm"', f'group = "{name}"')
        settings.write_text(f'{text}\n[site]\nname = "{name}"\n')

    def knows(self, *lines: str, link: str = "penates-bridge/cabin/state") -> None:
        """Write the file of the far site."""
        text = f'kind = "bridge"\ngroups = ["{self.far}"]\nown_groups = ["{self.name}"]\nlink = "{link}"\n'
        self.house.device(self.far, "\n".join([text, *lines, ""]))

    def serve(self, new_broker: Callable[..., Broker], *, made: bool = False) -> None:
        """Write the broker's files unless they are `made` already, and start it by them."""
        if not made:
            self.make()
        (self.folder / "kept").mkdir(exist_ok=True)
        kept = f"persistence_location {self.folder}/kept/"
        lines = ("allow_anonymous false", kept, f"include_dir {self.site.conf_d}")
        self.broker = new_broker(self.name, *lines, listener=False, port=self.site.plain_port)


class LinkedSites:
    """Home, which is called, and the cabin, which calls."""

    def __init__(self, folder: Path) -> None:
        self.home, self.cabin = Site(folder / "home", "home", "cabin"), Site(folder / "cabin", "cabin", "home")
        self.eyes: list[Eyes] = []

    def link(self, host: str = "localhost", *, both_call: bool = False) -> None:
        """Have each know the other, as an invitation does, and as a reply does if `both_call`."""
        self.home.knows()
        self.home.make()
        secrets, folder = self.home.house.folder / "secrets", self.cabin.house.folder
        for part in ("secrets", "sites"):
            (folder / part).mkdir(exist_ok=True)
        shutil.copy(secrets / site_user("cabin"), folder / "secrets" / site_user("home"))
        for one in CONNECTIONS:
            shutil.copy(secrets / connection_user("cabin", one), folder / "secrets" / connection_user("home", one))
        shutil.copy(self.home.house.folder / "ca.pem", folder / "sites" / "home.pem")
        self.cabin.knows(*self._called(self.home, self.cabin, host, fetch=not both_call), link=LINKS[both_call])
        if both_call:
            self.cabin.make()
            (self.home.house.folder / "sites").mkdir(exist_ok=True)
            shutil.copy(folder / "ca.pem", self.home.house.folder / "sites" / "cabin.pem")
            self.home.knows(*self._called(self.cabin, self.home, host, fetch=False))

    @staticmethod
    def _called(far: Site, own: Site, host: str, *, fetch: bool) -> list[str]:
        """The lines by which `own` calls the far site."""
        lines = [f'host = "{host}"', f"port = {far.site.tls_port}", f'ca_file = "sites/{far.name}.pem"']
        lines += [f'username = "site-{own.name}"', f'password_file = "secrets/site-{far.name}"']
        return lines if fetch else [*lines, "fetch = false"]

    def look(self, site: Site, user: str = "eyes", **more: str) -> Eyes:
        """Connect as a user of a site, for this test."""
        self.eyes.append(site.eyes(user, **more))
        return self.eyes[-1]

    def close(self) -> None:
        """Close what was opened."""
        for one in self.eyes:
            one.close()
        for site in (self.home, self.cabin):
            site.house.close()
