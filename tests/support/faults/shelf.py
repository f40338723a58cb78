"""Many retained values at each of two sites that change while the link is cut, and how soon the other site knows."""

from itertools import count
from typing import NamedTuple

from bootstrap.contract.sites import STATE, notification
from support.bad_cable import BadCable
from support.faults.link_cut import LinkCut
from support.faults.promises import Verdict
from support.plain_link import CABIN
from support.sites import ApartSites, Site
from support.world import Eyes, Seen, eventually

MANY = 1000
LINK = notification(CABIN, STATE)


class Arrival(NamedTuple):
    """How soon after the link all of a site's values were right at the other, and how many bytes it had sent then."""

    seconds: float
    sent: int


class Shelf:
    """A thousand values at each site."""

    def __init__(self, cut: LinkCut[ApartSites], cable: BadCable) -> None:
        self.cut, self.sites, self._cable = cut, cut.sites, cable
        self._numbers = count(1)

    def begin(self) -> None:
        """Start both sites, each of which knows the values of the other."""
        self.sites.begin()
        self._known(self.change())

    def change(self) -> int:
        """Have all values be another number, at the site that they are from."""
        number = next(self._numbers)
        for site in self.sites.both:
            eventually(site.eyes.connected, "its broker is back")
            site.eyes.retain_all([(topic, str(number)) for topic in _topics(site)])
        return number

    def change_in_a_cut(self) -> None:
        """Have the bridge of the cabin begin anew, and both sites change all values before there is a link again."""
        self.sites.cable.cut()
        self.sites.cabin.broker.stop()
        self.sites.cabin.serve()
        self._changed = self.change()

    def mend(self) -> list[Arrival]:
        """Mend the cable, and return how soon all is right: what home had changed, and the cabin."""
        home, cabin = self.sites.both
        eyes = {far.name: _look(here) for far, here in ((home, cabin), (cabin, home))}
        self.sites.cable.mend()
        try:
            for site in self.sites.both:
                eyes[site.name].wait(_All(site, self._changed), "all are right")
            return [self._arrival(eyes[far.name], number) for number, far in enumerate(self.sites.both)]
        finally:
            for one in eyes.values():
                one.close()

    def finish(self, found: list[Arrival]) -> None:
        """Hold the promise against this."""
        seconds = max(one.seconds for one in found)
        self.cut.judge(Verdict(None, None, None, 0, round(seconds, 1)), str(found))

    def _arrival(self, eyes: Eyes, from_end: int) -> Arrival:
        """Since the link is there, as it says itself."""
        far, payload = self.sites.both[from_end], str(self._changed).encode()
        up_at = next(one.at for one in eyes.on(LINK) if one.value == 1)
        topics = {*_topics(far)}
        right_at = max(one.at for one in eyes.seen if one.topic in topics and one.payload == payload)
        return Arrival(round(right_at - up_at, 2), self._cable.carried(from_end, up_at, right_at))

    def _known(self, number: int) -> None:
        home, cabin = self.sites.both
        for far, here in ((home, cabin), (cabin, home)):
            eventually(lambda: _right(here, far, number), "all are right")  # noqa: B023


def _topics(site: Site) -> list[str]:
    return [f"{site.name}/shelf{number}/data/level" for number in range(MANY)]


def _right(here: Site, far: Site, number: int) -> bool:
    told = here.retained()
    return all(told.get(topic) == number for topic in _topics(far))


class _All:
    """Whether all values of a site have been seen, in messages of which there are more each time."""

    def __init__(self, site: Site, number: int) -> None:
        self._missing, self._payload, self._looked = {*_topics(site)}, str(number).encode(), 0

    def __call__(self, seen: list[Seen]) -> bool:
        self._missing -= {one.topic for one in seen[self._looked :] if one.payload == self._payload}
        self._looked = len(seen)
        return not self._missing


def _look(site: Site) -> Eyes:
    """Listen, from a moment on at which all that is retained was told."""
    eyes = site.look()
    eyes.publish("test/now", b"now")
    eyes.wait_value("test/now", "now")
    eyes.seen.clear()
    return eyes
