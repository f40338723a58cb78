"""Commands to sensors of the other site are delivered at once and answered, or answered as undelivered; never late."""

import json
from typing import Any

from support.bridged_sites import BridgedSites
from support.plain_link import CABIN, HOME
from support.world import Eyes

LAMP = f"{CABIN}/lamp"
CELLAR = f"{HOME}/cellar"


def both_up(two: BridgedSites) -> None:
    two.at_home.wait_value(f"{HOME}/{CABIN}/data/state", "up")
    two.at_cabin.wait_value(f"{CABIN}/{HOME}/data/state", "up")
    two.at_home.wait_value(f"penates-bridge/{CABIN}/commands", 1)


def answers(eyes: Eyes, sensor: str, identity: str) -> list[dict[str, Any]]:
    return [one.value for one in eyes.on(f"{sensor}/status/action") if one.value["id"] == identity]


def answer(eyes: Eyes, sensor: str, identity: str) -> dict[str, Any]:
    found: dict[str, Any] = eyes.wait(lambda _: answers_now(eyes, sensor, identity), f"an answer to {identity}")[0]
    return found


def answers_now(eyes: Eyes, sensor: str, identity: str) -> list[dict[str, Any]]:
    topic = f"{sensor}/status/action"
    return [one.value for one in eyes.seen if one.topic == topic and one.value["id"] == identity]


def test_a_command_from_the_called_site_is_fetched_and_answered_once(two: BridgedSites) -> None:
    two.lamp()
    two.bridges()
    both_up(two)
    two.at_home.wait_value(f"{LAMP}/status/state", "online")
    two.at_home.publish(f"{LAMP}/action/set", '{"value": "on", "id": "7"}')
    assert answer(two.at_home, LAMP, "7")["result"] == "done"
    two.at_home.wait_value(f"{LAMP}/data/on", True)
    # A second command shows that nothing more of the first one comes.
    two.at_home.publish(f"{LAMP}/action/set", '{"value": "off", "id": "8"}')
    assert answer(two.at_home, LAMP, "8")["result"] == "done"
    assert [one["result"] for one in answers(two.at_home, LAMP, "7")] == ["done"]
    (arrived,) = [one.value for one in two.at_cabin.on(f"{LAMP}/action/set") if one.value["id"] == "7"]
    assert arrived["before"]


def test_a_command_from_the_calling_site_is_delivered_and_answered_once(two: BridgedSites) -> None:
    two.home.house.run()
    two.bridges()
    both_up(two)
    two.at_cabin.wait_value(f"{CELLAR}/status/state", "online")
    for identity in ("1", "2"):
        two.at_cabin.publish(f"{CELLAR}/action/read", json.dumps({"value": "now", "id": identity}))
        assert answer(two.at_cabin, CELLAR, identity)["result"] == "done"
    assert len(answers(two.at_cabin, CELLAR, "1")) == 1
    assert len(two.at_home.on(f"{CELLAR}/action/read")) == 2


def test_while_the_link_is_down_commands_are_undelivered_at_either_site_and_never_executed(two: BridgedSites) -> None:
    two.lamp()
    two.home.house.run()
    two.bridges()
    both_up(two)
    two.sites.wire.refuse()
    two.at_home.wait_value(f"{HOME}/{CABIN}/data/state", "down")
    two.at_cabin.wait_value(f"{CABIN}/{HOME}/data/state", "down")
    two.at_home.publish(f"{LAMP}/action/set", '{"value": "on", "id": "a"}')
    two.at_cabin.publish(f"{CELLAR}/action/read", '{"value": "now", "id": "b"}')
    assert answer(two.at_home, LAMP, "a")["result"] == "undelivered"
    assert answer(two.at_cabin, CELLAR, "b")["result"] == "undelivered"
    two.at_home.wait_value(f"{HOME}/{CABIN}/data/undelivered", 1)
    two.at_cabin.wait_value(f"{CABIN}/{HOME}/data/undelivered", 1)
    two.sites.wire.accept()
    two.at_home.wait_value(f"penates-bridge/{CABIN}/commands", 1, len(two.at_home.seen))
    two.at_home.publish(f"{LAMP}/action/set", '{"value": "off", "id": "c"}')
    assert answer(two.at_home, LAMP, "c")["result"] == "done"
    assert not answers(two.at_cabin, LAMP, "a")
    assert not answers(two.at_home, CELLAR, "b")


def test_a_command_that_a_silent_cut_holds_is_undelivered_and_expires(two: BridgedSites) -> None:
    two.lamp()
    two.bridges()
    both_up(two)
    two.sites.wire.cut()
    two.at_home.publish(f"{LAMP}/action/set", '{"value": "on", "id": "held"}')
    assert answer(two.at_home, LAMP, "held")["result"] == "undelivered"
    two.sites.wire.mend()
    two.at_home.wait_value(f"{HOME}/{CABIN}/data/state", "up", len(two.at_home.seen))
    two.at_home.publish(f"{LAMP}/action/set", '{"value": "off", "id": "after"}')
    answer(two.at_home, LAMP, "after")
    assert [one["result"] for one in answers(two.at_cabin, LAMP, "held")] in ([], ["refused"])


def test_a_retained_command_is_refused(two: BridgedSites) -> None:
    two.lamp()
    two.bridges()
    both_up(two)
    for eyes, sensor in ((two.at_home, LAMP), (two.at_cabin, CELLAR)):
        eyes.publish(f"{sensor}/action/set", '{"value": "on", "id": "kept"}', retain=True)
        assert answer(eyes, sensor, "kept")["result"] == "refused"
