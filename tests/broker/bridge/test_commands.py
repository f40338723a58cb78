"""Commands to sensors of the other site are delivered at once and answered, or answered as undelivered; never late."""

import json
import signal
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from support.bridged_sites import BridgedSites
from support.plain_link import CABIN, HOME
from support.world import Eyes, eventually

LAMP = f"{CABIN}/lamp"
CELLAR = f"{HOME}/cellar"


def moment(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def both_up(two: BridgedSites) -> None:
    two.at_home.wait_value(f"{HOME}/{CABIN}/data/state", "up")
    two.at_cabin.wait_value(f"{CABIN}/{HOME}/data/state", "up")
    two.at_home.wait_value(f"penates-bridge/{CABIN}/commands", 1)


def known(eyes: Eyes, sensor: str) -> None:
    """Wait until the bridge at this site has been told what a far sensor does."""
    eyes.wait(lambda seen: [one for one in seen if one.topic == f"{sensor}/status/about"], f"what {sensor} is")


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
    known(two.at_home, LAMP)
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
    known(two.at_cabin, CELLAR)
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
    known(two.at_home, LAMP)
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
    known(two.at_home, LAMP)
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


def test_what_opens_a_far_door_needs_a_time_of_its_sender(two: BridgedSites) -> None:
    door = f"{CABIN}/door"
    two.cabin.house.device("door", 'kind = "support.odd_devices.Opener"\n')
    two.cabin.run("door")
    two.bridges()
    both_up(two)
    known(two.at_home, door)
    for number, plain in enumerate(('{"state":"unlock","id":"%s"}', '{"value":"unlock","id":"%s"}')):
        two.at_home.publish(f"{door}/action/set", plain % f"plain {number}")
        refused = answer(two.at_home, door, f"plain {number}")
        assert (refused["result"], "say by 'before'" in refused["reason"]) == ("refused", True)
    two.at_home.publish(f"{door}/action/set", json.dumps({"state": "unlock", "id": "in time", "before": moment(5)}))
    assert answer(two.at_home, door, "in time")["result"] == "done"
    two.at_cabin.wait_value(f"{door}/data/unlocked", 1)
    assert [one.value["id"] for one in two.at_cabin.on(f"{door}/action/set")] == ["in time"]
    two.at_home.publish(f"{CABIN}/nobody/action/set", '{"value":"on","id":"unknown"}')
    unknown = answer(two.at_home, f"{CABIN}/nobody", "unknown")
    assert (unknown["result"], "nothing is known here" in unknown["reason"]) == ("undelivered", True)


def test_a_bridge_that_stood_still_lends_a_far_door_no_time(two: BridgedSites) -> None:
    door = f"{HOME}/door"
    two.home.house.device("door", 'kind = "support.odd_devices.Opener"\n')
    two.home.run("door")
    _, at_cabin = two.bridges()
    both_up(two)
    known(two.at_cabin, door)
    at_cabin.send(signal.SIGSTOP)
    two.at_cabin.publish(f"{door}/action/set", '{"state":"unlock","id":"plain"}')
    two.at_cabin.publish(f"{door}/action/set", json.dumps({"state": "unlock", "id": "old", "before": moment(0.5)}))
    two.at_cabin.publish(f"{door}/action/set", '{"state":"lock","id":"last","before":"2999-01-01T00:00:00Z"}')
    deadline = time.time() + 1
    eventually(lambda: time.time() > deadline, "the second one has expired")
    at_cabin.send(signal.SIGCONT)
    assert answer(two.at_cabin, door, "last")["result"] == "done"
    assert [answer(two.at_cabin, door, one)["result"] for one in ("plain", "old")] == ["refused", "refused"]
    assert {one.value for one in two.at_home.on(f"{door}/data/unlocked")} == {0}


def test_a_command_with_a_time_of_its_own_is_fetched_once(two: BridgedSites) -> None:
    two.lamp()
    two.bridges()
    both_up(two)
    known(two.at_home, LAMP)
    for identity, value in (("1", True), ("2", False)):
        two.at_home.publish(f"{LAMP}/action/set", json.dumps({"value": "toggle", "id": identity, "before": moment(5)}))
        assert answer(two.at_home, LAMP, identity)["result"] == "done"
        two.at_home.wait_value(f"{LAMP}/data/on", value)
    assert [one.value["id"] for one in two.at_cabin.on(f"{LAMP}/action/set")] == ["1", "2"]
