"""Fixtures of the tests with two sites."""

from collections.abc import Iterator

import pytest

from support.bridged_sites import BridgedSites
from support.sites import Sites
from support.world import Eyes


@pytest.fixture
def two(sites: Sites) -> Iterator[BridgedSites]:
    """Two sites whose brokers are linked, with the files of what is to run at each."""
    sites.begin()
    found = BridgedSites(sites, Eyes(sites.home.broker.port), Eyes(sites.cabin.broker.port))
    found.furnish()
    yield found
    found.close()
