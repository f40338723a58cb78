"""A private sensor is neither recorded nor announced unless its owner asks for that; its values are there."""

import signal

from support.private import PHONE
from support.world import Broker, Eyes, House, retained

KIND = 'kind = "phones.Phone"\nfile = "phone"\nevery_s = 0.1\n'


def phone(house: House, broker: Broker, more: str = "") -> None:
    house.write(broker.port, log='level = "debug"\n[history]\nrecorder = true')
    (house.folder / "phones.py").write_text(PHONE)
    house.device("anna", KIND + more)


def test_nobody_is_told_unasked(house: House, broker: Broker, eyes: Eyes) -> None:
    phone(house, broker)
    running = house.run("anna")
    eyes.wait_value("cm-private/anna/data/present", value=False)
    (house.folder / "phone").touch()
    eyes.wait_value("cm-private/anna/data/present", value=True)
    running.wait_log("read (", count=8)
    eyes.publish("homeassistant/status", "online")
    assert running.stop() == 0
    eyes.wait_value("cm-private/anna/status/state", "stopped")
    assert not [one.topic for one in eyes.seen if one.topic.endswith("/reading") or "/device/" in one.topic]
    assert [*house.folder.rglob("*.spill")] == []
    assert {one.split("/")[0] for one in retained(broker.port)} == {"cm-private"}


def test_who_asks_is_told(house: House, broker: Broker, eyes: Eyes) -> None:
    phone(house, broker, 'shared_with = ["history", "homeassistant"]\n')
    eyes.publish("cm/other/status/recording", '{"recording":true}', retain=True)
    house.run("anna")
    eyes.wait(lambda seen: [one for one in seen if one.topic == "cm-private/anna/data/reading"], "recorded")
    eyes.wait(lambda seen: [one for one in seen if one.topic == "homeassistant/device/cm-private-anna/config"], "told")


def test_a_reload_says_that_who_is_told_has_changed(house: House, broker: Broker, eyes: Eyes) -> None:
    phone(house, broker, 'shared_with = ["homeassistant"]\n')
    running = house.run("anna")
    eyes.wait_value("cm-private/anna/status/state", "online")
    phone(house, broker, 'shared_with = ["history", "homeassistant"]\n')
    running.send(signal.SIGHUP)
    running.wait_log('reloaded (changed=["device", "recorded"])')  # a module of one's own is read anew
