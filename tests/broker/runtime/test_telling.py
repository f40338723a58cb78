"""A device tells others something: now or not at all, and it hears what became of it."""

import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from support.world import Broker, Eyes, House, Running

TELLER = 'kind = "support.followers.Teller"\n'
TOLD, OUTCOME, STATE = "foreign/lamp/set", "cm/rule/data/outcome", "cm/rule/status/state"


def teller(house: House, tells: str = TOLD, more: str = "") -> Running:
    house.device("rule", f'{TELLER}tells = "{tells}"\n{more}')
    return house.run("rule")


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_is_told_arrives_once_and_not_retained(house: House, broker: Broker, eyes: Eyes, protocol: str) -> None:
    house.write(broker.port, broker=f'protocol = "{protocol}"')
    teller(house)
    eyes.wait_value(STATE, "online")
    assert eyes.ask("cm/rule", "say", '{"value": "on"}')["result"] == "done"
    eyes.wait_value(OUTCOME, "sent: ")
    (one,) = eyes.on(TOLD)
    assert (one.value, one.retain, one.qos) == ("on", False, 1)


def test_many_are_told_in_order_and_too_many_are_refused(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    teller(house)
    eyes.wait_value(STATE, "online")
    eyes.ask("cm/rule", "burst", "300")
    eyes.wait(lambda seen: sum(one.topic == OUTCOME for one in seen) == 300, "an outcome of each")
    told = [one.value for one in eyes.on(TOLD)]
    outcomes = [one.value for one in eyes.on(OUTCOME)]
    assert told == [*range(len(told))]
    assert len(told) == outcomes.count("sent: ") >= 100
    assert outcomes.count("undelivered: 100 messages wait already") == 300 - len(told)
    assert eyes.ask("cm/rule", "say", "7")["result"] == "done"
    eyes.wait_value(TOLD, 7)


def test_what_nobody_receives_is_undelivered(house: House, broker: Broker) -> None:
    house.write(broker.port)
    eyes = Eyes(broker.port, filters="cm/#")
    try:
        teller(house)
        eyes.wait_value(STATE, "online")
        eyes.ask("cm/rule", "say", "1")
        eyes.wait_value(OUTCOME, "undelivered: nobody is subscribed to it")
    finally:
        eyes.close()


def test_nothing_is_told_late(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    running = teller(house, more="every_s = 0.1\ncounts = true\n")
    eyes.wait(lambda seen: [one for one in seen if one.topic == TOLD], "it counts aloud")
    broker.stop(signal.SIGKILL)
    running.wait_log("undelivered: there is no connection", 3)
    broker.start()
    since = len(eyes.seen)
    eyes.wait(lambda seen: [one for one in seen[since:] if one.topic == TOLD], "it counts aloud again")
    lines = running.logged("undelivered: there is no connection")
    unsent = {int(number) for line in lines for number in re.findall(r'"(\d+) undelivered', line)}
    assert len(unsent) >= 3
    assert not unsent & {one.value for one in eyes.on(TOLD)}


def test_a_topic_that_may_not_be_told_is_a_fault(
    house: House, new_broker: Callable[..., Broker], tmp_path: Path
) -> None:
    acl = tmp_path / "acl"
    acl.write_text(f"topic readwrite #\ntopic deny {TOLD}\n")
    broker = new_broker("guarding", f"acl_file {acl}")
    eyes = Eyes(broker.port)
    try:
        house.write(broker.port)
        teller(house)
        eyes.wait_value(STATE, "online")
        eyes.ask("cm/rule", "say", "1")
        eyes.wait_value(OUTCOME, "undelivered: the broker refuses it: Not authorized")
        eyes.wait_value(STATE, "fault")
        why = eyes.wait(lambda seen: [one.value["why"] for one in seen if "heartbeat" in one.topic][-1], "why")
        assert f"{TOLD}: the broker does not let us publish it: Not authorized; perhaps its access rule" in why
        before = len(eyes.seen)
        acl.write_text("topic readwrite #\n")
        broker.send(signal.SIGHUP)
        eyes.ask("cm/rule", "say", "2")
        eyes.wait_value(STATE, "online", before)
    finally:
        eyes.close()


def test_a_topic_that_no_setting_declares_ends_it(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    running = teller(house, more='asks = "foreign/door/set"\n')
    eyes.wait_value(STATE, "online")
    eyes.publish("cm/rule/action/say", b"1")
    assert running.wait() == 78
    assert "which none of its settings declares" in running.log


def test_a_command_is_never_retained(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    teller(house, "cm/lamp/action/set", "retained = true\n")
    eyes.wait_value(STATE, "online")
    answer = eyes.ask("cm/rule", "say", "on")
    assert (answer["result"], answer["reason"]) == ("refused", "cm/lamp/action/set: a command is never retained")


@pytest.mark.parametrize("tells", ["cm/cellar/data/temperature", "cm/cellar/status/state", "a/+/b", "$SYS/x"])
def test_what_belongs_to_another_sensor_is_no_target(house: House, broker: Broker, tells: str) -> None:
    house.write(broker.port)
    running = teller(house, tells)
    assert running.wait() == 78
    assert "'tells' must be an MQTT topic" in running.log
