"""Over a metered link heartbeats and health cross thinned, and nothing that anybody is told of far sensors is wrong."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.contract.liveness import patience_s
from support.bridged_sites import BridgedSites
from support.plain_link import CABIN, HOME
from support.sites import Sites
from support.world import Eyes, Seen

EVERY_S = 4.0  # between heartbeats over the link; each sensor has one a second
LAMP, CELLAR = f"{CABIN}/lamp", f"{HOME}/cellar"
BEAT, BACK = f"{LAMP}/status/heartbeat", f"{CELLAR}/status/heartbeat"
STATE = f"{CABIN}/lamp/status/state"
ANNOUNCED = f"homeassistant/device/{CABIN}-lamp/config"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[BridgedSites]:
    """The cabin counts its bytes; home is not told but by it."""
    sites = Sites(tmp_path, saving=False, metered=True)
    sites.begin()
    found = BridgedSites(sites, Eyes(sites.home.broker.port), Eyes(sites.cabin.broker.port))
    found.furnish()
    with (sites.cabin.house.folder / "devices" / f"{HOME}.toml").open("a") as file:
        file.write(f"heartbeats_every_s = {EVERY_S}\n")
    yield found
    found.close()
    sites.close()


def beats(eyes: Eyes, topic: str, since: int = 0) -> list[dict[str, Any]]:
    return [one.value for one in eyes.seen[since:] if one.topic == topic and one.payload]


def so_many(topic: str, count: int, since: int = 0) -> Callable[[list[Seen]], bool]:
    return lambda seen: sum(one.topic == topic for one in seen[since:]) >= count


def test_heartbeats_cross_thinned_in_both_directions_and_say_when_the_next_comes(two: BridgedSites) -> None:
    two.reach_each_other()
    for far, near, topic in ((two.at_home, two.at_cabin, BEAT), (two.at_cabin, two.at_home, BACK)):
        far.wait(so_many(topic, 1), "the first")
        since, there = len(far.seen), len(near.seen)
        far.wait(so_many(topic, 2, since), "two more")
        between = len(beats(near, topic, there))
        assert between >= 2 * (EVERY_S - 1), "each sensor has one a second"
        found = beats(far, topic)
        assert {one["heartbeat_s"] for one in found} == {EVERY_S}
        assert len({one["time"] for one in found}) == len(found), "no heartbeat is said twice"
        assert found[-1]["time"] in {one["time"] for one in beats(near, topic)}
        assert found[-1]["host"]
        last = [one for one in far.on(topic)][-1]
        assert not last.value.get("asks")
    patience = patience_s(EVERY_S)
    assert patience > EVERY_S


def test_home_assistant_waits_as_long_as_the_heartbeats_need(two: BridgedSites) -> None:
    two.reach_each_other()
    found = two.at_home.wait(
        lambda seen: [one for one in seen if one.topic == ANNOUNCED and _expires(one) == patience_s(EVERY_S)],
        "the announcement",
    )
    assert found


def _expires(one: Seen) -> Any:
    return one.value and one.value["cmps"]["heartbeat_why"]["exp_aft"]


def test_what_cannot_wait_crosses_at_once(two: BridgedSites) -> None:
    two.reach_each_other()
    two.at_home.wait(so_many(BEAT, 1), "the first")
