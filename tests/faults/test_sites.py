"""Two sites and the bridge between their brokers: what a cut of the link costs each of the two recorders."""

from collections.abc import Callable

import pytest

from support.faults.link_cut import LinkCut
from support.faults.shelf import Shelf
from support.faults.week import spend_a_week
from support.plain_link import Pace
from support.sites import ApartSites, Sites

SOON = Pace(keepalive_s=30, least_s=1, most_s=1)
FAIR, SLOW = 1_000_000, 64_000  # bits per second


@pytest.mark.long
@pytest.mark.fault(
    "The link between two sites is cut under 50 readings a second at each; both brokers are killed in turn meanwhile.",
    promise="Both recorders have every reading of both sites once, in the order of its own times; state right at both.",
    within_s=15,
)
def test_link_cut(link_cut: LinkCut[Sites]) -> None:
    sites = link_cut.sites
    sites.begin()
    sites.live()
    sites.wire.cut()
    for site in sites.both:
        sites.reads(25)
        sites.kill(site, lambda: sites.reads(50))
    sites.reads(25)
    sites.wire.mend()
    link_cut.well()
    link_cut.finish()


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.fault(
    "The cable between two sites is out for a minute under 50 readings a second at each; both brokers are killed in "
    "turn, and one site is shut down and started again; `mosquitto/penates.conf`.",
    promise="Both recorders have every reading of both sites once, in the order of its own times; state right at both.",
    within_s=15,
)
def test_cable_out(new_cable_cut: Callable[..., LinkCut[ApartSites]]) -> None:
    cable_cut = new_cable_cut()
    sites = cable_cut.sites
    sites.watch_over()
    sites.begin()
    sites.live()
    sites.look_after()
    sites.save()
    cut_at = sites.counts()
    sites.cable.cut()
    for site in sites.both:
        sites.reads(500)
        sites.kill(site, lambda: sites.reads(250))
    sites.unreachable()
    sites.cabin.reboot()
    sites.reads(3000, cut_at)
    sites.cable.mend()
    cable_cut.well()
    cable_cut.finish()


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.fault(
    "The link between two sites delays each packet by 300 ms, loses 5 %, and carries 64 kbit/s; it is cut for 30 s "
    "under 5 readings a second at each.",
    promise="Both recorders have every reading of both sites once, in the order of its own times; state right at both.",
    within_s=90,
)
def test_bad_link(new_cable_cut: Callable[..., LinkCut[ApartSites]]) -> None:
    cable_cut = new_cable_cut(pace=Pace())
    sites = cable_cut.sites
    sites.cable.be("delay", "300ms", "loss", "5%", "rate", "64kbit")
    sites.watch_over()
    sites.begin()
    sites.live(every_s=1)
    sites.look_after()
    sites.reads(100)
    sites.cable.cut()
    sites.reads(150)
    sites.cable.mend()
    cable_cut.well()
    cable_cut.finish()


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.fault(
    "1000 retained values of each of two sites change while the link of 1 Mbit/s is cut, under 50 readings a second.",
    promise="All are right at both within 2 s of the link.",
    lost=None,
    disordered=None,
    within_s=2,
)
def test_fair_link(new_cable_cut: Callable[..., LinkCut[ApartSites]]) -> None:
    shelf = Shelf(new_cable_cut(pace=SOON), FAIR)
    shelf.begin()
    shelf.sites.live()
    shelf.change_in_a_cut()
    shelf.sites.reads(1000)
    found = shelf.mend()
    assert all(one.seconds <= 2 for one in found), found
    shelf.finish(found)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.fault(
    "1000 retained values of each of two sites change while the link of 64 kbit/s is cut.",
    promise="All are right at both as soon as the link can have carried what has passed over it, and 2 s.",
    lost=None,
    disordered=None,
    within_s=60,
)
def test_slow_link(new_cable_cut: Callable[..., LinkCut[ApartSites]]) -> None:
    shelf = Shelf(new_cable_cut(pace=SOON), SLOW)
    shelf.begin()
    shelf.change_in_a_cut()
    found = shelf.mend()
    assert all(one.seconds <= one.sent * 8 / SLOW + 2 for one in found), found
    shelf.finish(found)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.fault(
    "A site is away for a week, of 5 sensors at each that read once a minute; `mosquitto/penates.conf`.",
    promise="Both recorders have every reading of both sites once, in the order of its own times; state right at both.",
    within_s=60,
)
def test_week_away(new_cable_cut: Callable[..., LinkCut[ApartSites]]) -> None:
    cable_cut = new_cable_cut()
    spend_a_week(cable_cut.sites)
    cable_cut.well()
    cable_cut.sites.cable.mend()
    cable_cut.finish()
