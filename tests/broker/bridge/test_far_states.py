"""What a far `status/state` says here is true: `unreachable` while the link is down, its own word while it is up."""

from support.sites import CABIN, HOME
from support.two_sites import TwoSites
from support.world import eventually

STATE = f"{CABIN}/lamp/status/state"
BACK = f"{HOME}/cellar/status/state"
LATEST_S = 2.0


def test_a_cut_makes_all_unreachable_and_the_link_brings_their_own_words_back(two: TwoSites) -> None:
    two.lamp()
    two.home.house.run()
    two.bridges()
    two.at_home.wait_value(f"{HOME}/{CABIN}/data/state", "up")
    two.at_cabin.wait_value(f"{CABIN}/{HOME}/data/state", "up")
    eventually(lambda: two.told(two.home, STATE) == "online", "the lamp is online")
    eventually(lambda: two.told(two.cabin, BACK) == "online", "the cellar is online")
    since = len(two.at_home.seen), len(two.at_cabin.seen)
    two.sites.wire.refuse()
    two.at_home.wait_value(STATE, "unreachable", since[0])
    two.at_cabin.wait_value(BACK, "unreachable", since[1])
    two.at_home.wait_value(f"{HOME}/{CABIN}/data/state", "down", since[0])
    two.at_home.wait_value(f"{HOME}/{CABIN}/status/state", "fault", since[0])
    since = len(two.at_home.seen), len(two.at_cabin.seen)
    two.sites.wire.accept()
    link = two.at_home.wait_value(f"penates-bridge/{CABIN}/state", 1, since[0])
    assert two.at_home.wait_value(STATE, "online", since[0]).at - link.at < LATEST_S
    link = two.at_cabin.wait_value(f"penates-bridge/{CABIN}/state", 1, since[1])
    assert two.at_cabin.wait_value(BACK, "online", since[1]).at - link.at < LATEST_S
    eventually(lambda: two.told(two.home, STATE) == "online", "the lamp stays online")
