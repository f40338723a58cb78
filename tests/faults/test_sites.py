"""Two sites and the bridge between their brokers: what a cut of the link costs each of the two recorders."""

import pytest

from support.faults.link_cut import LinkCut


@pytest.mark.long
@pytest.mark.fault(
    "The link between two sites is cut under 50 readings a second at each; both brokers are killed in turn meanwhile.",
    promise="Both recorders have every reading of both sites once, in the order of its own times; state right at both.",
    within_s=15,
)
def test_link_cut(link_cut: LinkCut) -> None:
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
