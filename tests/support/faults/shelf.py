"""Many retained values at each of two sites that change while the link is cut, and how soon the other site knows."""

import threading
import time
from bisect import bisect_right
from itertools import count
from typing import NamedTuple

from bootstrap.contract.sites import STATE, notification
from support.faults.link_cut import LinkCut
from support.faults.promises import Verdict
from support.networks import Network
from support.plain_link import CABIN
from support.sites import ApartSites, Site
from support.world import Eyes, Seen, eventually

MANY = 1000
LOOK_S = 0.02
LINK = notification(CABIN, STATE)


class Meter:
    """How many bytes have left a network, at any moment since it was begun."""

    def __init__(self, network: Network) -> None:
        self._network, self._times, self._sent = network, list[float](), list[int]()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(LOOK_S):
            self._times.append(time.monotonic())
            self._sent.append(self._network.sent())

    def sent(self, begin: float, end: float) -> int:
        """From one moment to another one; not more."""
        first, last = (bisect_right(self._times, moment) for moment in (begin, end))
        return self._sent[last - 1] - self._sent[min(first, len(self._sent) - 1)]

    def close(self) -> None:
        self._over.set()
        self._thread.join()


class Arrival(NamedTuple):
    """How soon after the link all of a site's values were right at the other, and how many bytes it had sent then."""

    seconds: float
    sent: int


class Shelf:
    """A thousand values at each site, which are joined by a cable of a certain rate."""

    def __init__(self, cut: LinkCut[ApartSites], rate: int) -> None:
        """`rate`: bits per second that pass in each direction."""
        self.cut, self.sites, self.rate = cut, cut.sites, rate
        self.sites.cable.be("rate", f"{rate}bit")
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
        meters = [Meter(end) for end in self.sites.cable.ends]
        self.sites.cable.mend()
        try:
            for site in self.sites.both:
                eyes[site.name].wait(_All(site, self._changed), "all are right")
            pairs = zip(self.sites.both, meters, strict=True)
            return [_arrival(eyes[far.name], far, self._changed, meter) for far, meter in pairs]
        finally:
            for meter in meters:
                meter.close()
            for one in eyes.values():
                one.close()

    def finish(self, found: list[Arrival]) -> None:
        """Hold the promise against this."""
        seconds = max(one.seconds for one in found)
        self.cut.judge(Verdict(None, None, None, 0, round(seconds, 1)), str(found))

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


def _arrival(eyes: Eyes, far: Site, number: int, meter: Meter) -> Arrival:
    """Since the link is there, as it says itself."""
    up_at = next(one.at for one in eyes.on(LINK) if one.value == 1)
    right_at = max(one.at for topic in _topics(far) for one in eyes.on(topic)[:1] if one.value == number)
    return Arrival(round(right_at - up_at, 2), meter.sent(up_at, right_at))
