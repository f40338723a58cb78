"""What Mosquitto's two bridge connections do by themselves, without any sensor."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.plain_link import CABIN, HOME
from support.sites import Sites
from support.world import Eyes, eventually, retained_once

DOOR = "cabin/door/data/open"
MANY = 1000
IDLE_S = 6.0
HEARTBEAT_S = 1.0
QUIET_S = 2.0


@pytest.fixture
def linked(tmp_path: Path) -> Iterator[Sites]:
    sites = Sites(tmp_path, saving=False)
    sites.begin()
    yield sites
    sites.close()


@pytest.fixture
def at_home(linked: Sites) -> Iterator[Eyes]:
    eyes = Eyes(linked.home.broker.port)
    yield eyes
    eyes.close()


@pytest.fixture
def at_cabin(linked: Sites) -> Iterator[Eyes]:
    eyes = Eyes(linked.cabin.broker.port)
    yield eyes
    eyes.close()


def test_only_the_newest_state_arrives_after_a_cut(linked: Sites, at_home: Eyes, at_cabin: Eyes) -> None:
    at_cabin.publish(DOOR, "-1", retain=True)
    at_home.wait_value(DOOR, -1)
    linked.part()
    before = len(at_home.seen)
    at_cabin.retain_all([(DOOR, str(value)) for value in range(200)])
    linked.join()
    at_home.wait_value(DOOR, 199, before)
    assert [one.value for one in at_home.seen[before:] if one.topic == DOOR] == [199]


def test_a_reading_arrives_once_though_two_connections_could_carry_it(at_home: Eyes, at_cabin: Eyes) -> None:
    for eyes, site, far in ((at_cabin, CABIN, at_home), (at_home, HOME, at_cabin)):
        topic = f"{site}/attic/data/reading"
        for number in range(20):
            eyes.publish(topic, str(number))
        eyes.publish(f"{site}/attic/data/level", "7", retain=True)
        far.wait_value(f"{site}/attic/data/level", 7)
        far.wait_value(topic, 19)
        assert [(one.value, one.qos) for one in far.on(topic)] == [(number, 1) for number in range(20)]


def test_a_thousand_retained_values_of_each_site_are_right_after_a_cut(
    linked: Sites, at_home: Eyes, at_cabin: Eyes
) -> None:
    linked.part()
    for site, eyes in ((HOME, at_home), (CABIN, at_cabin)):
        eyes.retain_all([(f"{site}/s{number}/data/level", str(number)) for number in range(MANY)])
    linked.join()
    expected = {f"{site}/s{number}/data/level": number for site in (HOME, CABIN) for number in range(MANY)}
    for port in [site.broker.port for site in linked.both]:
        retained_once(port, lambda told: expected.items() <= told.items(), "all are right")


def test_commands_do_not_cross(at_home: Eyes, at_cabin: Eyes) -> None:
    for topic in ("home/lamp/action/set", "cabin/lamp/action/set"):
        at_home.publish(topic, "1")
        at_cabin.publish(topic, "2")
    at_home.publish("home/lamp/data/on", "true", retain=True)
    at_cabin.publish("cabin/lamp/data/on", "true", retain=True)
    at_cabin.wait_value("home/lamp/data/on", True)
    at_home.wait_value("cabin/lamp/data/on", True)
    assert {one.value for one in at_home.seen if "/action/" in one.topic} == {1}
    assert {one.value for one in at_cabin.seen if "/action/" in one.topic} == {2}


def test_nothing_but_heartbeats_while_idle(linked: Sites, at_home: Eyes, at_cabin: Eyes) -> None:
    for site in linked.both:
        site.furnish(["attic"], every_s=3600)
        site.house.run("attic")
    beats = {f"{site.name}/attic/status/heartbeat" for site in linked.both}
    for eyes in (at_home, at_cabin):
        eyes.wait(lambda seen: beats <= {one.topic for one in seen}, "all heartbeats")
        eventually(lambda: _idle_since(eyes, beats) > QUIET_S, "only heartbeats pass")  # noqa: B023
    before = [len(eyes.seen) for eyes in (at_home, at_cabin)]
    time.sleep(IDLE_S)  # a loop between the brokers would say thousands of things in that time
    for eyes, since in zip((at_home, at_cabin), before, strict=True):
        topics = [one.topic for one in eyes.seen[since:]]
        assert {*topics} == beats
        assert all(topics.count(topic) <= IDLE_S / HEARTBEAT_S + 1 for topic in beats), topics


def _idle_since(eyes: Eyes, beats: set[str]) -> float:
    """For how many seconds nothing but these topics was heard."""
    return time.monotonic() - max(one.at for one in eyes.seen if one.topic not in beats)
