"""The bridge to a far site."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from bootstrap import Device, Measure, Reading
from bootstrap.bridge.crossing import Crossing
from bootstrap.bridge.far_site import FarSite
from bootstrap.bridge.retained_topics import RetainedTopics
from bootstrap.bridge.settings import FarBrokerSettings, FarGroup, LinkTopic, OwnGroup, Prefix
from bootstrap.proof import REAL_SYSTEM


@dataclass(kw_only=True)
class Bridge(FarBrokerSettings, Device):
    """Keeps what this broker says of another site's sensors true, and carries commands to and from that site.

    Wiring: none. `penates bridge` writes this file; its sensor id is the far site's name.
    """

    parts: ClassVar = {"Mosquitto 2": REAL_SYSTEM}

    groups: list[FarGroup]  # the far site's groups, such as ["cabin"]
    own_groups: list[OwnGroup]  # the groups of this site, such as ["home"]
    link: LinkTopic  # where the bridge says whether it is up, such as "penates-bridge/cabin/state"
    announce: bool = True  # far sensors to Home Assistant here
    prefix: Prefix = "homeassistant"  # of Home Assistant's discovery, as in house.toml

    shown_as: ClassVar[Mapping[str, str]] = {"state": "mdi:bridge", "since": "timestamp"}

    state = Measure(str, words=("up", "down"))
    since = Measure(str)  # when the link went up or down
    lag = Measure("s", low=0)  # age of the newest far heartbeat
    reading_age = Measure("s", low=0)  # of the newest far reading
    missed = Measure("1", low=0, counter=True)  # far readings missing between others of their run
    skew = Measure("s")  # by which the far clock is ahead
    undelivered = Measure("1", low=0, counter=True)  # commands that did not reach the far site

    def setup(self) -> None:
        """Listen: first to the link, which says what the rest means."""
        crossing = self.crossing = Crossing(self.context, self, self.link, (self.groups, self.own_groups))
        retained = partial(RetainedTopics, prefix=self.prefix, announce=self.announce)
        site = FarSite(self.context, self.own_groups, retained, self.read, crossing.on_far_answer)
        self.site = crossing.site = site
        site.listen(self.link, self.groups)
        crossing.listen()
        site.thin(self.heartbeats_every_s, asks=self.fetch)

    def read(self) -> Reading:
        """Return what is known of the link."""
        return {**self.site.facts(), "undelivered": self.crossing.undelivered}

    def teardown(self) -> None:
        """Leave the far broker."""
        if crossing := getattr(self, "crossing", None):
            crossing.close()
