"""The link is cut and nobody is told: how soon each side knows, and what becomes of commands meanwhile."""

import time
from collections import Counter
from collections.abc import Callable

import pytest

from support.bridged_sites import BridgedSites
from support.far_commands import CELLAR, LAMP, Commands
from support.plain_link import CABIN, HOME, PACE
from support.world import eventually

LOOKS_S = 5.0  # Mosquitto looks this often whose keepalive is over
CALLED_S = 1.5 * PACE.keepalive_s + LOOKS_S
BACK_S = 2.0
CONFIRM_S = 2.0  # for an answer that shows that the link is up
EXPIRES_S = 5.0
SOON_S = 0.5  # between two processes and their brokers


@pytest.fixture
def up(two: BridgedSites) -> BridgedSites:
    """Both sites, with a lamp in the cabin and a cellar at home, once all can be reached."""
    two.reach_each_other()
    two.at_home.wait_value(f"penates-bridge/{CABIN}/commands", 1)
    return two


@pytest.mark.long
def test_the_called_side_knows_within_its_keepalive_and_the_truth_is_back_at_once(up: BridgedSites) -> None:
    state, eyes = f"{LAMP}/status/state", up.at_home
    before, cut_at = len(eyes.seen), time.monotonic()
    up.sites.wire.cut()
    assert eyes.wait_value(state, "unreachable", before).at - cut_at < CALLED_S + SOON_S
    before = len(eyes.seen)
    up.sites.wire.mend()
    link = eyes.wait_value(f"penates-bridge/{CABIN}/state", 1, before)
    assert eyes.wait_value(state, "online", before).at - link.at < BACK_S


@pytest.mark.long
def test_the_calling_side_knows_though_mosquitto_does_not_say(up: BridgedSites) -> None:
    """By the daemon's own connection to the far broker."""
    state, eyes = f"{CELLAR}/status/state", up.at_cabin
    before, cut_at = len(eyes.seen), time.monotonic()
    up.sites.wire.cut()
    assert eyes.wait_value(state, "unreachable", before).at - cut_at < 2 * PACE.keepalive_s + CONFIRM_S + LOOKS_S
    before = len(eyes.seen)
    up.sites.wire.mend()
    eyes.wait_value(state, "online", before)
    eyes.wait_value(f"{CABIN}/{HOME}/data/state", "up", before)


def silently(up: BridgedSites) -> tuple[Callable[[], None], Callable[[], None]]:
    return up.sites.wire.cut, up.sites.wire.mend


def loudly(up: BridgedSites) -> tuple[Callable[[], None], Callable[[], None]]:
    return up.sites.wire.refuse, up.sites.wire.accept


@pytest.mark.long
@pytest.mark.parametrize(("way", "least"), [(silently, 4), (loudly, 40)])
def test_of_fifty_commands_in_a_cut_none_is_executed_late_or_twice(
    up: BridgedSites, way: Callable[[BridgedSites], tuple[Callable[[], None], Callable[[], None]]], least: int
) -> None:
    commands = Commands(up)
    cut, mend = way(up)
    cut()
    commands.ask(50, EXPIRES_S + 1)
    mend()
    eventually(lambda: commands.answers().keys() == commands.asked.keys(), "all are answered")
    up.sites.linked()
    eventually(commands.work_again, "commands are delivered again")
    executed = commands.executed()
    late = [(name, one.at - commands.asked[name]) for name, one in executed]
    assert all(seconds < EXPIRES_S + SOON_S for _, seconds in late), late
    assert max(Counter(name for name, _ in executed).values()) == 1
    refusals = {name: results for name, results in commands.answers().items() if "done" not in results}
    assert len(refusals) >= least  # after a silent cut, what is younger than its expiry still arrives in time
    # A command that is undelivered here may arrive when it has expired, and is then refused there, too: at that moment.
    known = (["undelivered"], ["refused"], ["refused", "undelivered"])
    assert all(sorted(results) in known for results in refusals.values()), refusals
    sure = commands.said_undelivered_for_sure()
    assert sure.isdisjoint(name for name, _ in executed), "said to be undelivered, and executed"
