"""What doctor finds of a link, at both ends: each finding says at which of them something is to be done."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bootstrap.config.loader import Configuration
from bootstrap.contract import timestamps
from penates.doctor.findings import Finding, Verdict
from penates.doctor.site_checks import foreign, linked_sites, said
from penates.fleet.broker_facts import BrokerFacts
from support.linked_sites import LinkedSites, Site
from support.world import Broker

STATE_UP, HISTORY_UP = "penates-bridge/cabin/state", "penates-bridge/cabin/history"


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[LinkedSites]:
    sites = LinkedSites(tmp_path)
    yield sites
    sites.close()


def found(site: Site) -> list[Finding]:
    configuration = Configuration(site.house.folder, secrets=False)
    settings = [*configuration.all().values()]
    assert configuration.house
    assert configuration.faults == []
    conf = site.folder / "mosquitto.conf"
    return [one for check in linked_sites(configuration.house, settings, conf) for one in check.findings()]


def wrong(site: Site) -> dict[str, Finding]:
    return {one.check: one for one in found(site) if one.verdict is not Verdict.GOOD}


def serve(sites: LinkedSites, new_broker: Callable[..., Broker]) -> None:
    for site in (sites.home, sites.cabin):
        site.serve(new_broker)


def up(sites: LinkedSites) -> None:
    for site in (sites.home, sites.cabin):
        eyes = sites.look(site)
        eyes.wait_value(STATE_UP, 1)
        eyes.wait_value(HISTORY_UP, 1)


def test_a_link_that_works_is_good_at_both_ends(sites: LinkedSites, new_broker: Callable[..., Broker]) -> None:
    sites.link()
    serve(sites, new_broker)
    up(sites)
    for near, far in ((sites.home, sites.cabin), (sites.cabin, sites.home)):
        sites.look(near, "admin").publish(f"{near.name}/door/status/state", b"online", retain=True)
        sites.look(far).wait_value(f"{near.name}/door/status/state", "online")
    assert wrong(sites.home) == {}
    assert wrong(sites.cabin) == {}
    texts = [one.text for one in found(sites.cabin)]
    assert any(text.startswith("localhost lets in our users; mosquitto version 2.") for text in texts)
    assert "up; 1 of home's sensors are known here" in texts


def test_an_empty_link_is_of_the_other_end(sites: LinkedSites, new_broker: Callable[..., Broker]) -> None:
    sites.link()
    serve(sites, new_broker)
    up(sites)
    bad = wrong(sites.cabin)
    assert (bad["link"].verdict, bad["link"].text) == (Verdict.BAD, "connected, but nothing of the group home has come")
    assert bad["link"].advice.startswith("at home: has it sensors in this group?")
    assert bad["far access"].text == "home lets us in, and shows us nothing of its group home"
    assert bad["far access"].advice.startswith("at home: has it sensors in this group?")


def test_a_password_that_is_not_known_there(sites: LinkedSites, new_broker: Callable[..., Broker]) -> None:
    sites.link()
    for user in ("site-cabin", "site-cabin-history", "site-cabin-state"):
        (sites.home.house.folder / "secrets" / user).unlink()
    serve(sites, new_broker)
    bad = wrong(sites.cabin)
    assert f"localhost:{sites.home.site.tls_port} refuses the user site-cabin: " in bad["far broker"].text
    assert bad["far broker"].advice.startswith("at home: sudo penates bridge invite cabin; here: ")
    assert bad["link"].advice.startswith("at home, or between the sites")
    there = wrong(sites.home)["link"]
    assert there.text == "cabin is not connected (history, state), and never was"
    assert there.advice == "at cabin: sudo penates bridge join cabin.json"


def test_a_port_behind_which_nobody_is_and_a_name_that_is_not_in_the_certificate(
    sites: LinkedSites, new_broker: Callable[..., Broker]
) -> None:
    sites.link()
    sites.cabin.serve(new_broker)
    bad = wrong(sites.cabin)["far broker"]
    assert "cannot be reached" in bad.text
    assert bad.advice.startswith("at home: does Mosquitto run, and does the router forward this port?")
    sites.home.serve(new_broker)
    sites.link(host="127.0.0.2")
    assert wrong(sites.cabin)["far TLS"].advice.startswith("at home: sudo penates certs --name HOST")


def test_a_group_that_is_not_taken_there_and_one_that_is_not_said_here(
    sites: LinkedSites, new_broker: Callable[..., Broker]
) -> None:
    sites.link()
    sites.cabin.house.device("shed", 'kind = "recorder"\ngroup = "shed"\n')
    serve(sites, new_broker)
    rows = [one for one in found(sites.cabin) if one.check == "groups"]
    assert [one.text for one in rows] == [
        "home does not take what is in our group shed",
        "devices/home.toml does not name our group shed in own_groups",
    ]
    assert rows[0].advice == "at home: sudo penates bridge invite cabin --group cabin --group shed"


def online(site: Site, sites: LinkedSites) -> None:
    sites.look(site, "admin").publish(f"{site.name}/door/status/state", b"online", retain=True)


def test_a_bridge_that_connects_and_may_not_receive_is_of_the_other_end(
    sites: LinkedSites, new_broker: Callable[..., Broker]
) -> None:
    sites.link()
    acl = sites.home.site.private / "acl"
    acl.write_text(
        "".join(one for one in acl.read_text().splitlines(keepends=True) if "read home/+/status/+" not in one)
    )
    sites.home.serve(new_broker, made=True)
    sites.cabin.serve(new_broker)
    up(sites)
    online(sites.home, sites)
    bad = wrong(sites.cabin)
    assert bad["far access"].text == "home lets us in, and shows us nothing of its group home"
    assert {one.advice.partition(":")[0] for one in bad.values()} == {"at home"}


def test_a_bridge_that_was_shown_all_and_has_nothing_is_of_this_end(
    sites: LinkedSites, new_broker: Callable[..., Broker]
) -> None:
    """Its Mosquitto goes on with settings of before: it knows the notification, and fetches nothing."""
    sites.link()
    serve(sites, new_broker)
    up(sites)
    sites.cabin.broker.stop()
    conf = sites.cabin.site.conf_d / "penates-bridge.conf"
    conf.write_text("".join(one for one in conf.read_text().splitlines(keepends=True) if " in " not in one))
    online(sites.home, sites)
    sites.cabin.broker.start()
    up(sites)
    bad = wrong(sites.cabin)
    assert bad.keys() == {"link"}
    assert bad["link"].advice.startswith("here, since home shows it: sudo systemctl restart mosquitto")


def test_a_clock_that_differs_says_which_end_to_set(sites: LinkedSites, new_broker: Callable[..., Broker]) -> None:
    sites.link()
    serve(sites, new_broker)
    up(sites)
    for site in (sites.home, sites.cabin):
        online(site, sites)
    admin, topic = sites.look(sites.cabin, "admin"), "cabin/home/data/skew"
    sites.look(sites.cabin).wait_value("home/door/status/state", "online")
    admin.publish(topic, b"-0.3", retain=True)
    assert "home's clock differs by -0.3 s" in [one.text for one in found(sites.cabin)]
    admin.publish(topic, b"7.5", retain=True)
    one = wrong(sites.cabin)["clocks"]
    assert one.text == "home's clock is 7.5 s ahead: commands expire"
    end = "at home" if timestamps.synchronised() else "here"
    assert one.advice == f"{end}: timedatectl set-ntp true"


def test_a_queue_that_was_full_is_of_the_broker_that_has_dropped(
    sites: LinkedSites, new_broker: Callable[..., Broker]
) -> None:
    """Home's, which keeps five readings for a cabin that is away."""
    sites.link()
    small = "max_queued_messages 5\nmax_inflight_messages 5\nsys_interval 1\n"
    (sites.home.site.conf_d / "zz-small.conf").write_text(small)
    serve(sites, new_broker)
    up(sites)
    for site in (sites.home, sites.cabin):
        online(site, sites)
    sites.look(sites.cabin).wait_value("home/door/status/state", "online")
    sites.cabin.broker.stop()
    admin = sites.look(sites.home, "admin")
    for number in range(30):
        admin.publish("home/door/data/reading", str(number))
    dropped = "$SYS/broker/publish/messages/dropped"
    eyes = sites.look(sites.home, filters=dropped)
    eyes.wait(lambda seen: any(one.topic == dropped and one.value > 0 for one in seen), "the broker says so")
    one = wrong(sites.home)["queue"]
    assert re.match(r"the broker here has dropped \d+ messages since its start, because a queue was full", one.text)
    assert one.advice.startswith("here: sudo grep 'being dropped' ")
    sites.cabin.broker.start()
    there = wrong(sites.cabin)["queue"]
    assert there.text.startswith("home's broker has dropped ")
    assert there.advice.startswith("at home: ")
    assert "Outgoing messages are being dropped for client" in sites.home.broker.log()


def test_a_link_that_is_down_for_longer_than_the_queue_is_for(
    sites: LinkedSites, new_broker: Callable[..., Broker]
) -> None:
    sites.link()
    sites.cabin.serve(new_broker)
    since = timestamps.utc(time.time_ns() // 1000 - 8 * 86_400 * 1_000_000)
    sites.look(sites.cabin, "admin").publish("cabin/home/data/since", json.dumps(since), retain=True)
    one = wrong(sites.cabin)["queue"]
    assert one.text == "down for 192 h, and the queue is for 7d: readings are lost"
    assert one.advice.startswith("here: a longer `outage` in [site] of house.toml")


@pytest.mark.parametrize(
    ("version", "old"),
    [
        ("mosquitto version 1.6.12", True),
        ("mosquitto version 2.0.11", False),
        ("mosquitto version 2.1.2", False),
        ("", False),
        ("another broker 1.0", False),
    ],
)
def test_a_mosquitto_that_is_too_old_is_named(version: str, *, old: bool) -> None:
    rows = [*said(BrokerFacts(version, 0), "home's broker", "at home")]
    text = f"home's broker is {version}, and a bridge needs 2.0 or later"
    assert [(one.text, one.advice) for one in rows] == [(text, "at home: sudo apt install mosquitto")] * old


# Both call.


def test_where_both_call_each_end_says_which_connection_is_down(
    sites: LinkedSites, new_broker: Callable[..., Broker]
) -> None:
    sites.link(both_call=True)
    serve(sites, new_broker)
    eyes = {site.name: sites.look(site) for site in (sites.home, sites.cabin)}
    for one in eyes.values():
        for caller in eyes:
            one.wait_value(f"penates-bridge/{caller}/state", 1)
            one.wait_value(f"penates-bridge/{caller}/history", 1)
    for site in (sites.home, sites.cabin):
        online(site, sites)
    eyes["home"].wait_value("cabin/door/status/state", "online")
    eyes["cabin"].wait_value("home/door/status/state", "online")
    assert (wrong(sites.home), wrong(sites.cabin)) == ({}, {})
    sites.home.broker.stop()
    eyes["cabin"].wait_value("penates-bridge/home/state", 0)
    rows = [one for one in found(sites.cabin) if one.check == "link"]
    assert [(one.text, one.advice) for one in rows] == [
        ("home is not connected (history, state)", "at home: sudo penates doctor"),
        ("cabin is not connected (history, state)", "at home, or between the sites: see `far broker` above"),
    ]


@pytest.mark.parametrize(
    ("line", "wrong_here"),
    [
        ("topic # both 0 upstairs/ downstairs/", False),
        ("topic # both 0 home/ away/", True),
        ('topic # both 0 "" away/', True),
        ('topic "" both 0 cabin/door/status/state there', True),
        ("topic other/# out 0", False),
    ],
)
def test_what_another_bridge_names_here_counts_with_its_prefix(tmp_path: Path, line: str, *, wrong_here: bool) -> None:
    conf = tmp_path / "mosquitto.conf"
    conf.write_text(f"connection cloud\naddress 127.0.0.1:9\n{line}\n")
    assert bool([*foreign(conf, ["home", "cabin"])]) is wrong_here


def test_another_bridge_of_everything_is_named(sites: LinkedSites, new_broker: Callable[..., Broker]) -> None:
    sites.link()
    foreign = sites.home.site.conf_d / "cloud.conf"
    sites.home.make()
    foreign.write_text("connection cloud\naddress 127.0.0.1:9\ntopic # both 0\ntopic other/# out 0\n")
    sites.home.serve(new_broker)
    one = wrong(sites.home)["other bridges"]
    assert one.text.startswith(f"{foreign}:3: 'topic # both 0' bridges the group home, cabin, too")
    assert one.advice == "here: put # before that connection"
