"""Two sites whose brokers are linked, with a bridge daemon at each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

from support.plain_link import CABIN, HOME
from support.sites import AnySites, Site, Sites
from support.world import Eyes, Running, eventually


@dataclass
class Bridged(Generic[AnySites]):
    """The cabin calls; its daemon fetches commands from home's broker."""

    sites: AnySites
    at_home: Eyes  # what anybody at home hears
    at_cabin: Eyes

    @property
    def home(self) -> Site:
        return self.sites.home

    @property
    def cabin(self) -> Site:
        return self.sites.cabin

    def furnish(self) -> None:
        """Write the files of a lamp in the cabin, a thermometer at home, and of both bridges."""
        for site in self.sites.both:
            site.house.write(site.broker.port, top="heartbeat_s = 1\n")
        self.cabin.house.device("lamp", 'kind = "lamp"\npin = 17\n')
        self.home.house.thermometer()
        self.sites.watch_over("every_s = 1\n")

    def lamp(self) -> Running:
        return self.cabin.run("lamp", GPIOZERO_PIN_FACTORY="simulated", PENATES_LINES=str(self.lines))

    @property
    def lines(self) -> Path:
        return self.cabin.house.folder / "lines"

    def bridges(self) -> tuple[Running, Running]:
        return self.home.run(CABIN), self.cabin.run(HOME)

    def reach_each_other(self) -> None:
        """Start a lamp in the cabin, a cellar at home and both bridges; wait until each side sees the other's."""
        self.lamp()
        self.home.run("cellar")
        self.bridges()
        self.at_home.wait_value(f"{HOME}/{CABIN}/data/state", "up")
        self.at_cabin.wait_value(f"{CABIN}/{HOME}/data/state", "up")
        eventually(lambda: self.told(self.home, f"{CABIN}/lamp/status/state") == "online", "the lamp is online")
        eventually(lambda: self.told(self.cabin, f"{HOME}/cellar/status/state") == "online", "the cellar is online")

    def told(self, site: Site, topic: str) -> Any:
        """What a newcomer is told there now."""
        return site.retained().get(topic)

    def close(self) -> None:
        for eyes in (self.at_home, self.at_cabin):
            eyes.close()


@dataclass
class BridgedSites(Bridged[Sites]):
    """Those with a wire between."""
