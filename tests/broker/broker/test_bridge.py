"""Two brokers with exactly the files we make: what crosses from one site to the other, and what does not."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bootstrap.config.toml_file import SettingsError
from penates.broker.broker_plan import plan
from support.linked_sites import LinkedSites
from support.private import PHONE
from support.world import Broker, Eyes, Seen, eventually

HISTORY_UP, STATE_UP = "penates-bridge/cabin/history", "penates-bridge/cabin/state"
LIMIT_S = 30.0


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[LinkedSites]:
    sites = LinkedSites(tmp_path)
    yield sites
    sites.close()


@pytest.fixture
def linked(sites: LinkedSites, new_broker: Callable[..., Broker]) -> LinkedSites:
    sites.link()
    for site in (sites.home, sites.cabin):
        site.serve(new_broker)
    return sites


def until_up(*sites: Eyes) -> None:
    for one in sites:
        one.wait_value(STATE_UP, 1)
        one.wait_value(HISTORY_UP, 1)


def topics(eyes: Eyes, group: str) -> list[str]:
    return [one.topic for one in eyes.seen if one.topic.startswith(f"{group}/")]


def ends(admin: Eyes, other: Eyes, group: str) -> None:
    """Until what was said before has crossed by both connections."""
    admin.publish(f"{group}/last/data/reading", b"1")
    admin.publish(f"{group}/last/data/end", b"1", retain=True)
    other.wait_value(f"{group}/last/data/reading", 1)
    other.wait_value(f"{group}/last/data/end", 1)


@pytest.mark.parametrize(("near", "far"), [("home", "cabin"), ("cabin", "home")])
def test_what_a_site_says_arrives_once_at_the_other_and_nothing_comes_back(
    linked: LinkedSites, near: str, far: str
) -> None:
    here, there = getattr(linked, near), getattr(linked, far)
    eyes, others = linked.look(here), linked.look(there)
    until_up(eyes, others)
    admin = linked.look(here, "admin")
    said = [f"{near}/door/{rest}" for rest in ("data/reading", "data/open", "status/state", "status/about")]
    for topic in said:
        admin.publish(topic, b"1", retain=topic.endswith("state"))
    kept_here = [f"{near}/door/{rest}" for rest in ("action/read", "status/action", "status/recording")]
    for topic in (*kept_here, "up/attic/data/x", f"{far}/door/data/open"):
        admin.publish(topic, b"1")
    ends(admin, others, near)
    wanted = sorted([*said, f"{near}/last/data/reading", f"{near}/last/data/end"])
    assert sorted(topics(others, near)) == wanted
    assert sorted(topics(others, "up")) == []
    assert topics(eyes, far) == [f"{far}/door/data/open"]
    assert [one.retain for one in others.on(f"{near}/door/status/state")] == [True]


@pytest.mark.parametrize(("near", "far"), [("home", "cabin"), ("cabin", "home")])
def test_readings_outlast_a_cut_and_of_the_state_only_the_newest_comes(
    linked: LinkedSites, near: str, far: str
) -> None:
    here, there = getattr(linked, near), getattr(linked, far)
    others, admin = linked.look(there, name="recorder"), linked.look(here, "admin")
    until_up(others)
    ends(admin, others, near)
    there.broker.stop()
    for number in range(50):
        admin.publish(f"{near}/door/data/reading", json.dumps(number))
        admin.publish(f"{near}/door/data/open", json.dumps(number), retain=True)
    there.broker.start()
    others.wait_value(f"{near}/door/data/open", 49)
    others.wait_value(f"{near}/door/data/reading", 49)
    assert [one.value for one in others.on(f"{near}/door/data/reading")] == [*range(50)]
    assert {one.value for one in others.on(f"{near}/door/data/open")} == {49}


def test_a_name_that_is_not_in_the_certificate_is_not_called(
    sites: LinkedSites, new_broker: Callable[..., Broker]
) -> None:
    sites.link(host="127.0.0.2")
    for site in (sites.home, sites.cabin):
        site.serve(new_broker)
    sites.look(sites.cabin).wait_value(STATE_UP, 0)
    eventually(lambda: "host name verification failed" in sites.cabin.broker.log(), "it is said", LIMIT_S)
    assert "site-cabin" not in sites.home.broker.log()


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (['link = "penates-bridge/cabin/state"', 'groups = ["home"]'], "the group 'home' belongs to this site"),
        (['link = "penates-bridge/other/state"', 'groups = ["cabin"]'], "'link' must be penates-bridge/home/state"),
        (['link = "penates-bridge/home/state"', 'groups = ["cabin"]'], "'host' is missing: where cabin is called"),
        (
            ['link = "penates-bridge/cabin/state"', 'groups = ["cabin"]', "heartbeats_every_s = 900"],
            "'heartbeats_every_s' has to be set at the site that calls, which is cabin",
        ),
    ],
)
def test_a_file_that_cannot_be(sites: LinkedSites, lines: list[str], why: str) -> None:
    sites.home.house.device("cabin", "\n".join(['kind = "bridge"', 'own_groups = ["home"]', *lines, ""]))
    with pytest.raises(SettingsError, match=why):
        plan(sites.home.site)


def test_a_site_that_alone_can_call_calls_one(sites: LinkedSites) -> None:
    """Both connections would say whether they are up on one topic."""
    sites.link()
    device = (sites.cabin.house.folder / "devices" / "home.toml").read_text()
    sites.cabin.house.device("office", device.replace('groups = ["home"]', 'groups = ["office"]'))
    with pytest.raises(SettingsError, match="one topic cannot tell of the connections to both home and office"):
        plan(sites.cabin.site)


def test_a_long_outage_makes_room(sites: LinkedSites) -> None:
    sites.link()
    house = sites.home.house.folder / "house.toml"
    sites.home.house.device("fast", 'kind = "recorder"\nevery_s = 0.5\n')
    house.write_text(house.read_text() + 'outage = "14d"\n')
    sites.home.make()
    found = (sites.home.site.conf_d / "penates.conf").read_text().splitlines()
    least = 2 * 14 * 86_400
    kept = {
        name: int(value.strip("d"))
        for name, value in (row.split() for row in found if row and row[0] != "#")
        if value.strip("d").isdecimal()
    }
    assert kept["max_queued_messages"] >= least
    assert kept["max_queued_bytes"] >= 250 * least
    assert kept["persistent_client_expiration"] == 14


@pytest.mark.parametrize("more", ["", "heartbeats_every_s = 3600"])
def test_the_daemons_of_both_sites_may_do_what_they_must(
    sites: LinkedSites, new_broker: Callable[..., Broker], more: str
) -> None:
    """By TLS, with the users and rules that are made for them: states, heartbeats, commands, answers, announcements."""
    sites.link()
    with (sites.cabin.house.folder / "devices" / "home.toml").open("a") as file:
        file.write(f"{more}\n")
    both = (sites.home, sites.cabin)
    for site in both:
        site.house.thermometer(f"cellar-{site.name}")
        site.serve(new_broker)
    eyes = {site.name: sites.look(site, "admin") for site in both}
    until_up(*eyes.values())
    for site in both:
        site.house.run(f"cellar-{site.name}")
        site.house.run(site.far)
    eyes["home"].wait_value("penates-bridge/cabin/commands", 1)
    for near, far in (("home", "cabin"), ("cabin", "home")):
        sensor = f"{far}/cellar-{far}"
        eyes[near].wait_value(f"{sensor}/status/state", "online")
        eyes[near].wait_value(f"{near}/{far}/status/state", "online")
        eyes[near].wait_value(f"{near}/{far}/data/state", "up")  # it listens
        heartbeat = eyes[near].wait(lambda seen: last(seen, f"{sensor}/status/heartbeat"), "a heartbeat")  # noqa: B023
        assert heartbeat.value["heartbeat_s"] == (3600 if more else 60)
        eyes[near].publish(f"{sensor}/action/read", json.dumps({"id": "asked"}))
        answer = eyes[near].wait(answered(f"{sensor}/status/action"), "the answer crosses", LIMIT_S)
        assert answer["result"] == "done"
        config = f"homeassistant/device/{far}-cellar-{far}/config"
        eventually(partial(eyes[near].on, config), "it is announced", LIMIT_S)
    for site in both:
        denied = [line for line in site.broker.log().splitlines() if "Denied PUBLISH" in line]
        assert [line for line in denied if "/data/reading'" not in line and "/status/action'" not in line] == []


def last(seen: list[Seen], topic: str) -> Seen | None:
    """The newest message on a topic."""
    return next((one for one in reversed(seen) if one.topic == topic), None)


def answered(topic: str) -> Callable[[list[Seen]], dict[str, Any] | None]:
    """The answer to the command with the id `asked`."""

    def found(seen: list[Seen]) -> dict[str, Any] | None:
        answers = [one.value for one in seen if one.topic == topic]
        return next((one for one in answers if one.get("id") == "asked"), None)

    return found


def test_what_is_private_crosses_to_nobody(sites: LinkedSites, new_broker: Callable[..., Broker]) -> None:
    for site in (sites.home, sites.cabin):
        (site.house.folder / "phones.py").write_text(PHONE)
        site.house.device("anna", 'kind = "phones.Phone"\n')
    sites.link()
    for site in (sites.home, sites.cabin):
        site.serve(new_broker)
    for here, there in ((sites.home, sites.cabin), (sites.cabin, sites.home)):
        others, near, admin = sites.look(there), here.name, sites.look(here, "admin")
        until_up(others)
        for rest in ("data/present", "data/reading", "status/state"):
            admin.publish(f"{near}-private/anna/{rest}", b"1", retain=rest != "data/reading")
        ends(admin, others, near)
        assert topics(others, f"{near}-private") == []
    rules = (sites.home.site.private / "acl").read_text()
    assert "topic read home-private/+/status/recording" in rules
    assert "home-private" not in rules.partition("user site-cabin\n")[2].partition("user homeassistant")[0]
