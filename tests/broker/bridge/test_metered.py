"""Over a metered link heartbeats and health cross thinned, and nothing that anybody is told of far sensors is wrong."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.contract.liveness import patience_s
from penates.fleet.fleet_view import FleetView
from support.bridged_sites import BridgedSites
from support.plain_link import CABIN, HOME
from support.sites import Sites
from support.world import Eyes, Seen, eventually, retained

SOON_S, NEVER_S = 4.0, 600.0  # between heartbeats over the link; each sensor has one a second
LAMP, CELLAR = f"{CABIN}/lamp", f"{HOME}/cellar"
BEAT, BACK = f"{LAMP}/status/heartbeat", f"{CELLAR}/status/heartbeat"
ANNOUNCED = f"homeassistant/device/{CABIN}-lamp/config"


@pytest.fixture
def two(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[BridgedSites]:
    """The cabin counts its bytes; home is told so by it alone."""
    every_s = getattr(request, "param", NEVER_S)
    sites = Sites(tmp_path, saving=False, metered=True)
    sites.begin()
    found = BridgedSites(sites, Eyes(sites.home.broker.port), Eyes(sites.cabin.broker.port))
    found.furnish()
    with (sites.cabin.house.folder / "devices" / f"{HOME}.toml").open("a") as file:
        file.write(f"heartbeats_every_s = {every_s}\n")
    found.reach_each_other()
    for eyes, topic in ((found.at_home, BEAT), (found.at_cabin, BACK)):
        eyes.wait(so_many(topic, 1), "all that there is, when the link comes up")
    yield found
    found.close()
    sites.close()


def so_many(topic: str, count: int, since: int = 0) -> Callable[[list[Seen]], bool]:
    return lambda seen: sum(one.topic == topic for one in seen[since:]) >= count


def says(topic: str, what: Callable[[Any], Any], since: int = 0) -> Callable[[list[Seen]], Any]:
    return lambda seen: [one for one in seen[since:] if one.topic == topic and one.payload and what(one.value)]


@pytest.mark.parametrize("two", [SOON_S], indirect=True)
def test_heartbeats_cross_thinned_in_both_directions_and_say_when_the_next_comes(two: BridgedSites) -> None:
    for far, near, topic in ((two.at_home, two.at_cabin, BEAT), (two.at_cabin, two.at_home, BACK)):
        far.wait(so_many(topic, 4), "some")
        first, last = (far.on(topic)[number].value["time"] for number in (1, 3))
        meant = [one.value["time"] for one in near.on(topic)]
        assert meant.index(last) - meant.index(first) >= 2 * (SOON_S - 1), "each sensor has one a second"
        found = [one.value for one in far.on(topic)]
        assert {one["heartbeat_s"] for one in found} == {SOON_S}
        assert len({one["time"] for one in found}) == len(found), "none is said twice"
    own = two.at_home.wait(says(f"{CABIN}/{HOME}/status/heartbeat", lambda said: "reads" in said), "the bridge's, too")
    assert own[0].value["heartbeat_s"] == SOON_S


def test_home_assistant_waits_as_long_as_the_heartbeats_need(two: BridgedSites) -> None:
    wanted = patience_s(NEVER_S)
    two.at_home.wait(says(ANNOUNCED, lambda said: said["cmps"]["status_why"]["exp_aft"] == wanted), "the announcement")
    assert two.told(two.home, ANNOUNCED)["cmps"]["status_why"]["exp_aft"] == wanted


def test_whoever_looks_believes_a_far_sensor_until_its_next_heartbeat_is_late(two: BridgedSites) -> None:
    two.at_home.wait_value(f"{LAMP}/status/state", "online")
    held = {one.topic: one.payload for one in two.at_home.seen if one.retain and one.payload}
    now = time.monotonic()
    lamp = FleetView.of(held, now).sensors[LAMP]
    assert not lamp.silent(now + 2 * NEVER_S)
    assert lamp.silent(now + patience_s(NEVER_S) + 1)


def test_what_cannot_wait_crosses_at_once(two: BridgedSites) -> None:
    """A new run, a change of health, and that a topic was cleared."""
    run = two.at_home.on(BEAT)[-1].value["run"]
    two.cabin.house.close()  # the lamp, and the bridge
    two.cabin.house.run(HOME)
    two.lamp()
    two.at_home.wait(says(BEAT, lambda said: said["run"] != run), "the heartbeat of the new run")
    two.home.house.probe("cellar", "")
    failing = says(f"{CELLAR}/status/health", lambda said: said["temperature"]["health"] == "failing")
    two.at_cabin.wait(failing, "the failure")
    old = f"{CABIN}/old/status/heartbeat"
    two.at_cabin.publish(old, '{"time":"2026-01-01T00:00:00Z","run":"a","heartbeat_s":60}', retain=True)
    two.at_home.wait(so_many(old, 1), "an old heartbeat")
    two.at_cabin.publish(old, b"", retain=True)
    eventually(lambda: old not in retained(two.home.broker.port), "it is cleared")


def test_a_heartbeat_that_is_not_new_is_not_said_again_with_the_link(two: BridgedSites) -> None:
    """Otherwise a sensor that has died over there would seem to be alive here."""
    dead = f"{CABIN}/dead/status/heartbeat"
    two.at_cabin.publish(dead, '{"time":"2026-01-01T00:00:00Z","run":"a","heartbeat_s":60}', retain=True)
    two.at_home.wait(so_many(dead, 1), "its last heartbeat")
    two.sites.part()
    since = len(two.at_home.seen)
    two.sites.join()
    whole = says(f"{CABIN}/{HOME}/status/heartbeats", lambda said: said["first"] and f"{CABIN}/dead" in said["sensors"])
    two.at_home.wait(lambda seen: whole(seen[since:]), "everything is sent again")
    two.at_home.wait(so_many(BEAT, 1, since), "what is new is published")
    assert len(two.at_home.on(dead)) == 1
