"""Two sites and the bridge between their brokers: what a cut of the link costs each of the two recorders."""

from collections.abc import Callable

import pytest

from support.bad_cable import BadCable
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
    "The cable between two sites is out under 50 readings a second at each; the power fails at one of them just after "
    "its broker has saved, as it does once a minute.",
    promise="Nothing that was saved is lost at either recorder; each reading once, in order; state right at both.",
    lost=500,
    within_s=15,
)
def test_power_fails_in_a_cut(new_cable_cut: Callable[..., LinkCut[ApartSites]]) -> None:
    cable_cut = new_cable_cut()
    sites = cable_cut.sites
    sites.watch_over()
    sites.begin()
    sites.live()
    sites.look_after()
    sites.cable.cut()
    sites.reads(500)
    saved = sites.made()
    sites.save()
    sites.cabin.lose_power()
    sites.reads(500)
    sites.cable.mend()
    cable_cut.well()
    cable_cut.finish_with(saved)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.fault(
    "The link between two sites delays each packet by 300 ms, loses 5 %, and carries 64 kbit/s; it is cut for 30 s "
    "under 5 readings a second at each.",
    promise="Both recorders have every reading of both sites once, in the order of its own times; state right at both.",
    within_s=90,
)
def test_bad_link(new_cable_cut: Callable[..., LinkCut[ApartSites]]) -> None:
    cable_cut = new_cable_cut(pace=Pace(), cable=BadCable(delay_s=0.3, loss=0.05, rate=SLOW))
    sites = cable_cut.sites
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
    "1000 retained values of each of two sites change while their link of 1 Mbit/s is cut, under 5 readings a second.",
    promise="All are right at both within 2 s of the link.",
    lost=None,
    disordered=None,
    within_s=2,
)
def test_fair_link(new_cable_cut: Callable[..., LinkCut[ApartSites]]) -> None:
    cable = BadCable(rate=FAIR)
    shelf = Shelf(new_cable_cut(pace=SOON, cable=cable), cable)
    shelf.begin()
    shelf.sites.live(every_s=1)
    shelf.change_in_a_cut()
    shelf.sites.reads(100)
    found = shelf.mend()
    assert all(one.seconds <= 2 for one in found), found
    shelf.finish(found)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.fault(
    "1000 retained values of each of two sites change while their link of 64 kbit/s is cut.",
    promise="All are right at both within 2 s and the time that the link takes for what passes, in both directions.",
    lost=None,
    disordered=None,
    within_s=60,
)
def test_slow_link(new_cable_cut: Callable[..., LinkCut[ApartSites]]) -> None:
    cable = BadCable(rate=SLOW)
    shelf = Shelf(new_cable_cut(pace=SOON, cable=cable), cable)
    shelf.begin()
    shelf.change_in_a_cut()
    found = shelf.mend()
    sent_s = sum(one.sent for one in found) * 8 / SLOW
    assert all(one.seconds <= 2 + sent_s for one in found), found
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
