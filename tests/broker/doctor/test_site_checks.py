"""What doctor finds of a link, at both ends: each finding says at which of them something is to be done."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bootstrap.config.loader import Configuration
from penates.doctor.findings import Finding, Verdict
from penates.doctor.site_checks import linked_sites
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
    one = wrong(sites.cabin)["link"]
    assert (one.verdict, one.text) == (Verdict.BAD, "connected, but nothing of the group home has come")
    assert one.advice.startswith("at home: has it sensors in this group?")


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


def test_another_bridge_of_everything_is_named(sites: LinkedSites, new_broker: Callable[..., Broker]) -> None:
    sites.link()
    foreign = sites.home.site.conf_d / "cloud.conf"
    sites.home.make()
    foreign.write_text("connection cloud\naddress 127.0.0.1:9\ntopic # both 0\ntopic other/# out 0\n")
    sites.home.serve(new_broker)
    one = wrong(sites.home)["other bridges"]
    assert one.text.startswith(f"{foreign}:3: 'topic # both 0' bridges the group home, cabin, too")
    assert one.advice == "here: put # before that connection"
