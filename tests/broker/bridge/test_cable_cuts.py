"""Commands between two sites in networks of their own, whose cable is unplugged again and again."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.bridged_sites import Bridged
from support.far_commands import Commands
from support.sites import ApartSites
from support.world import eventually

CUTS, EACH = 4, 25
EXPIRES_S = 5.0
SOON_S = 0.5  # between two processes and their brokers


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Bridged[ApartSites]]:
    """Both, with a lamp in the cabin and a cellar at home."""
    sites = ApartSites(tmp_path)
    sites.begin()
    found = Bridged(sites, sites.home.look(), sites.cabin.look())
    found.furnish()
    found.reach_each_other()
    yield found
    found.close()
    sites.close()


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_of_a_hundred_commands_in_cuts_none_is_executed_late_or_twice(apart: Bridged[ApartSites]) -> None:
    commands = Commands(apart)
    eventually(commands.work_again, "commands are delivered")
    for _ in range(CUTS):
        apart.sites.cable.cut()
        commands.ask(EACH, EXPIRES_S + 1)
        apart.sites.cable.mend()
        eventually(lambda: commands.answers().keys() == commands.asked.keys(), "all are answered")
        eventually(commands.work_again, "commands are delivered again")
    executed = commands.executed()
    late = [(name, one.at - commands.asked[name]) for name, one in executed]
    assert all(seconds < EXPIRES_S + SOON_S for _, seconds in late), late
    assert max(Counter(name for name, _ in executed).values()) == 1
    sure = commands.said_undelivered_for_sure()
    assert sure.isdisjoint(name for name, _ in executed), "said to be undelivered, and executed"
    assert sum("done" not in results for results in commands.answers().values()) >= CUTS  # the cuts were real
