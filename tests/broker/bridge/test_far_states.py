"""What a far `status/state` says here is true: `unreachable` while the link is down, its own word while it is up."""

import signal

from support.bridged_sites import BridgedSites
from support.plain_link import CABIN, HOME
from support.world import eventually, retained

STATE = f"{CABIN}/lamp/status/state"
BACK = f"{HOME}/cellar/status/state"
ACCEPT = f"sudo penates bridge groups {CABIN} {CABIN} shed"
LATEST_S = 2.0
OLD = {"status/state": "stopped", "status/about": '{"kind":"lamp"}', "data/on": "false"}


def test_a_cut_makes_all_unreachable_and_the_link_brings_their_own_words_back(two: BridgedSites) -> None:
    two.reach_each_other()
    since = len(two.at_home.seen), len(two.at_cabin.seen)
    two.sites.wire.refuse()
    two.at_home.wait_value(STATE, "unreachable", since[0])
    two.at_cabin.wait_value(BACK, "unreachable", since[1])
    two.at_home.wait_value(f"{HOME}/{CABIN}/data/state", "down", since[0])
    two.at_home.wait_value(f"{HOME}/{CABIN}/status/state", "fault", since[0])
    went_down = two.told(two.home, f"{HOME}/{CABIN}/data/since")
    assert went_down > two.at_home.on(f"{HOME}/{CABIN}/data/since")[0].value
    since = len(two.at_home.seen), len(two.at_cabin.seen)
    two.sites.wire.accept()
    link = two.at_home.wait_value(f"penates-bridge/{CABIN}/state", 1, since[0])
    assert two.at_home.wait_value(STATE, "online", since[0]).at - link.at < LATEST_S
    link = two.at_cabin.wait_value(f"penates-bridge/{CABIN}/state", 1, since[1])
    assert two.at_cabin.wait_value(BACK, "online", since[1]).at - link.at < LATEST_S
    eventually(lambda: two.told(two.home, STATE) == "online", "the lamp stays online")
    eventually(lambda: two.told(two.home, f"{HOME}/{CABIN}/data/since") > went_down, "since when it is up")


def both_up(two: BridgedSites) -> None:
    two.at_home.wait_value(f"{HOME}/{CABIN}/data/state", "up")
    two.at_cabin.wait_value(f"{CABIN}/{HOME}/data/state", "up")
    eventually(lambda: two.told(two.home, STATE) == "online", "the lamp is online")


def test_a_broker_that_was_killed_restores_no_false_word(two: BridgedSites) -> None:
    """Home's broker restores the notification of a bridge that is gone, and the lamp's last word."""
    two.lamp()
    two.bridges()
    both_up(two)
    two.sites.wire.refuse()
    two.home.broker.stop(signal.SIGKILL)
    two.home.broker.start()
    eventually(lambda: two.told(two.home, f"{HOME}/{CABIN}/data/state") == "down", "the bridge knows")
    eventually(lambda: two.told(two.home, STATE) == "unreachable", "the lamp is unreachable")
    two.sites.wire.accept()
    eventually(lambda: two.told(two.home, STATE) == "online", "the lamp is online again")


def test_the_far_broker_dies_with_a_lamp_that_is_lit(two: BridgedSites) -> None:
    two.lamp()
    two.bridges()
    both_up(two)
    since = len(two.at_home.seen)
    two.cabin.broker.stop(signal.SIGKILL)
    two.at_home.wait_value(STATE, "unreachable", since)
    two.cabin.broker.start()
    eventually(lambda: two.told(two.home, STATE) == "online", "the lamp is online again")


def test_a_daemon_that_starts_into_a_link_that_is_up_leaves_true_words_alone(two: BridgedSites) -> None:
    two.lamp()
    bridge, _ = two.bridges()
    both_up(two)
    bridge.stop(signal.SIGTERM)
    since = len(two.at_home.seen)
    two.home.house.run(CABIN)
    two.at_home.wait_value(f"{HOME}/{CABIN}/data/state", "up", since)
    assert [one for one in two.at_home.seen[since:] if one.topic == STATE] == []


def test_a_daemon_that_died_leaves_no_unreachable_behind(two: BridgedSites) -> None:
    """It is killed while the link is down; when it is started again the link is up, and nobody else corrects it."""
    two.lamp()
    bridge, _ = two.bridges()
    both_up(two)
    bridge.stop(signal.SIGKILL)
    two.at_home.publish(STATE, "unreachable", retain=True)
    two.home.house.run(CABIN)
    eventually(lambda: two.told(two.home, STATE) == "online", "the far site has given the lamp's own word")


def test_what_was_deleted_over_there_meanwhile_is_cleared_here_and_nothing_else(two: BridgedSites) -> None:
    two.lamp()
    two.bridges()
    both_up(two)
    old = {f"{CABIN}/old/{topic}": value for topic, value in OLD.items()}
    for topic, value in old.items():
        two.at_cabin.publish(topic, value, retain=True)
    eventually(lambda: old.keys() <= retained(two.home.broker.port).keys(), "the old sensor is known at home")
    two.sites.part()
    eventually(lambda: two.told(two.home, f"{CABIN}/old/status/state") == "unreachable", "the cut is seen")
    for topic in old:
        two.at_cabin.publish(topic, b"", retain=True)
    two.sites.join()
    eventually(lambda: not old.keys() & retained(two.home.broker.port).keys(), "the old sensor is gone at home")
    now = retained(two.home.broker.port)
    assert (now[STATE], f"{CABIN}/lamp/status/about" in now, now[f"{CABIN}/lamp/data/on"]) == ("online", True, False)


def test_a_group_that_the_far_site_has_got_is_said_with_the_command_that_accepts_it(two: BridgedSites) -> None:
    _, cabin = two.bridges()
    two.at_home.wait_value(f"{CABIN}/{HOME}/status/state", "online")
    cabin.stop(signal.SIGTERM)
    file = two.cabin.house.folder / "devices" / f"{HOME}.toml"
    file.write_text(file.read_text().replace(f'own_groups = ["{CABIN}"]', f'own_groups = ["{CABIN}", "shed"]'))
    two.cabin.house.run(HOME)
    why = f"groups: the far site has the group shed, too, of which nothing comes; to accept it: {ACCEPT}"
    beat = f"{HOME}/{CABIN}/status/heartbeat"
    two.at_home.wait(lambda seen: any(one.topic == beat and one.value["why"] == why for one in seen), "it is said")
    two.at_home.wait_value(f"{HOME}/{CABIN}/status/state", "fault")


def test_without_an_answer_of_the_far_site_nothing_is_cleared(two: BridgedSites) -> None:
    two.lamp()
    two.home.house.run(CABIN)
    two.at_home.wait_value(f"{HOME}/{CABIN}/data/state", "up")
    two.at_cabin.publish(f"{CABIN}/old/status/state", "stopped", retain=True)
    two.at_home.wait_value(f"{CABIN}/old/status/state", "stopped")
    two.sites.part()
    two.at_cabin.publish(f"{CABIN}/old/status/state", b"", retain=True)
    two.sites.join()
    question = f"{HOME}/{CABIN}/status/question"
    two.at_home.wait(lambda seen: sum(one.topic == question for one in seen) > 1, "the far site was asked again")
    assert two.told(two.home, f"{CABIN}/old/status/state") == "unreachable"


def test_a_measure_that_a_living_sensor_lost_meanwhile_is_cleared_here_and_what_others_keep_there_is_not(
    two: BridgedSites,
) -> None:
    two.reach_each_other()
    gone, heard, kept = (f"{CABIN}/lamp/{rest}" for rest in ("data/level", "status/unknown", "data/note"))
    for topic in (gone, heard, kept):
        two.at_cabin.publish(topic, '{"heard":[],"dropped":0}', retain=True)
    eventually(lambda: {gone, heard, kept} <= retained(two.home.broker.port).keys(), "all are known at home")
    before = retained(two.home.broker.port)
    two.sites.part()
    eventually(lambda: two.told(two.home, STATE) == "unreachable", "the cut is seen")
    for topic in (gone, heard):
        two.at_cabin.publish(topic, b"", retain=True)
    two.sites.join()
    eventually(lambda: not {gone, heard} & retained(two.home.broker.port).keys(), "they are gone at home")
    now = retained(two.home.broker.port)
    lamps = {topic for topic in before if topic.startswith(f"{CABIN}/lamp/")}
    assert {topic for topic in now if topic.startswith(f"{CABIN}/lamp/")} == lamps - {gone, heard}


def test_the_far_bridge_is_not_taken_for_a_sensor_that_is_gone(two: BridgedSites) -> None:
    """It does not hear itself; whoever starts into a link that is up asks for its state, too."""
    two.lamp()
    bridge, _ = two.bridges()
    both_up(two)
    far, answer = f"{CABIN}/{HOME}", f"{CABIN}/{HOME}/status/answer"
    bridge.stop(signal.SIGTERM)
    before, since = retained(two.home.broker.port), len(two.at_home.seen)
    two.home.house.run(CABIN)
    asked = two.at_home.wait(
        lambda seen: [one for one in seen[since:] if one.topic == answer and far in one.value["states"]], "the answer"
    )
    assert asked[0].value["states"][far] == before[f"{far}/status/state"]
    two.at_home.wait_value(f"{HOME}/{CABIN}/data/state", "up", since)
    two.at_home.publish(f"{CABIN}/lamp/action/set", '{"value": "on", "id": "after"}')
    two.at_home.wait(lambda seen: [one for one in seen[since:] if one.topic == f"{CABIN}/lamp/status/action"], "later")
    now = retained(two.home.broker.port)
    assert {topic for topic in before if topic.startswith(f"{far}/")} <= now.keys()
