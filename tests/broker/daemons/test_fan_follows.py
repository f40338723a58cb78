"""A fan that follows a temperature, over a real broker: each way in which that can stop counting, and come back."""

import signal

import pytest

from support.world import Broker, Eyes, Running, Wires

PIN = 17
CELLAR, FOREIGN = "cm/cellar/data/temperature", "cabin/cellar/data/temperature"
LEVEL, MODE = "cm/fan/data/level", "cm/fan/data/mode"
SETTINGS = "starts_c = 30\nfull_c = 40\nlowest = 20\n"


def fan(wires: Wires, follows: str = CELLAR, more: str = "") -> Running:
    return wires.run("fan", f'kind = "fan"\npin = {PIN}\nfollows = "{follows}"\n{SETTINGS}{more}')


def seen(wires: Wires, eyes: Eyes, mode: str, level: float, since: int) -> None:
    """Until the fan says this, and its line does it."""
    eyes.wait_value(MODE, mode, since)
    eyes.wait_value(LEVEL, level, since)
    eyes.wait(lambda _: wires.held(PIN) == f"{level / 100:g}", f"the line at {level} %")


@pytest.mark.parametrize(("safe", "level"), [("full", 100), ("off", 0)])
def test_it_is_safe_while_the_sender_is_lost_stopped_stale_or_the_broker_away(
    wires: Wires, eyes: Eyes, broker: Broker, safe: str, level: float
) -> None:
    wires.house.thermometer(millidegrees=35_000, every_s=0.5)
    cellar = wires.house.run()
    running = fan(wires, more=f'safe = "{safe}"\n')
    seen(wires, eyes, "following", 60, 0)
    for number, back in ((signal.SIGKILL, None), (signal.SIGTERM, None), (signal.SIGSTOP, signal.SIGCONT)):
        since = len(eyes.seen)
        cellar.send(number)
        seen(wires, eyes, "safe", level, since)
        since = len(eyes.seen)
        if back:
            cellar.send(back)
        else:
            cellar.wait()
            cellar = wires.house.run()
        seen(wires, eyes, "following", 60, since)
    broker.stop()
    eyes.wait(lambda _: wires.held(PIN) == f"{level / 100:g}", "the safe speed without a broker")
    broker.start()
    eyes.wait(lambda _: wires.held(PIN) == "0.6", "following again")
    assert running.stop() == 0
    assert wires.held(PIN) == f"{level / 100:g}"


def test_it_is_safe_while_a_far_site_cannot_be_reached(wires: Wires, eyes: Eyes) -> None:
    """As the bridge says it of a far sensor, whose value stays stored."""
    eyes.publish("cabin/cellar/status/state", b"online", retain=True)
    eyes.publish(FOREIGN, b"35", retain=True)
    fan(wires, FOREIGN)
    eyes.publish(FOREIGN, b"35")
    seen(wires, eyes, "following", 60, 0)
    since = len(eyes.seen)
    eyes.publish("cabin/cellar/status/state", b"unreachable", retain=True)
    seen(wires, eyes, "safe", 100, since)
    since = len(eyes.seen)
    eyes.publish("cabin/cellar/status/state", b"online", retain=True)
    eyes.publish(FOREIGN, b"31")
    seen(wires, eyes, "following", 28, since)


def test_what_others_have_stored_does_not_count_and_their_silence_does(wires: Wires, eyes: Eyes) -> None:
    eyes.publish("zigbee/cellar", b"31", retain=True)
    fan(wires, "zigbee/cellar", "stale_s = 1\n")
    eyes.wait_value("cm/fan/status/state", "online")
    assert eyes.ask("cm/fan", "read", "now")["result"] == "done"  # so it is subscribed to all that it listens to
    seen(wires, eyes, "safe", 100, 0)
    since = len(eyes.seen)
    eyes.publish("zigbee/cellar", b"31")
    eyes.wait_value(LEVEL, 28.0, since)  # it does so for a second
    seen(wires, eyes, "safe", 100, since)
    since = len(eyes.seen)
    eyes.publish("zigbee/cellar", b"unavailable")
    eyes.wait_value("cm/fan/status/state", "fault", since)
    wrong = b"'unavailable' is not a number"
    eyes.wait(lambda _: [one for one in eyes.on("cm/fan/status/health") if wrong in one.payload], "what is wrong")
    eyes.publish("zigbee/cellar", b"31")
    eyes.wait_value(LEVEL, 28.0, since)  # it does so for a second
    eyes.wait_value("cm/fan/status/state", "online", since)


def test_a_command_counts_for_its_time(wires: Wires, eyes: Eyes) -> None:
    wires.house.thermometer(millidegrees=35_000, every_s=0.5)
    wires.house.run()
    fan(wires)
    seen(wires, eyes, "following", 60, 0)
    since = len(eyes.seen)
    assert eyes.ask("cm/fan", "set", '{"level": "off", "for_s": 1}')["result"] == "done"
    seen(wires, eyes, "manual", 0, since)
    seen(wires, eyes, "following", 60, since)
    assert eyes.ask("cm/fan", "set", "on")["result"] == "done"
    seen(wires, eyes, "manual", 100, since)
    assert eyes.ask("cm/fan", "set", "auto")["result"] == "done"
    assert eyes.ask("cm/fan", "set", "faster")["result"] == "refused"
