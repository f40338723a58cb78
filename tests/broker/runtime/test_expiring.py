"""A command that must say until when it is to be carried out is refused without that."""

from bootstrap.device import this_host
from support.world import Broker, Eyes, House

LATER, BEFORE = "2999-01-01T00:00:00Z", "2001-01-01T00:00:00Z"


def test_a_machine_is_not_restarted_by_an_old_command(house: House, broker: Broker, eyes: Eyes) -> None:
    house.write(broker.port)
    house.device("it", 'kind = "pi"\nsensor = "it"\nallow = ["reboot"]\n')
    house.run("it")
    about_topic = "cm/it/status/about"
    about = eyes.wait(lambda seen: [one for one in seen if one.topic == about_topic], "about")[0].value["actions"]
    assert (about["reboot"], "shutdown" in about) == ({"words": [this_host()], "expires": True}, False)
    assert "say by 'before'" in eyes.ask("cm/it", "reboot", this_host())["reason"]
    assert "say by 'before'" in eyes.ask("cm/it", "reboot", f'{{"value":"{this_host()}"}}')["reason"]
    assert "expired" in eyes.ask("cm/it", "reboot", f'{{"value":"{this_host()}","before":"{BEFORE}"}}')["reason"]
    answer = eyes.ask("cm/it", "reboot", f'{{"value":"now","before":"{LATER}"}}')
    assert f"send one of {this_host()}" in answer["reason"]
    answer = eyes.ask("cm/it", "reboot", f'{{"value":"{this_host()}","before":"{LATER}"}}')
    assert answer["reason"] == "systemd does not wait for it on this machine: sudo penates install"
    assert "no action 'shutdown'" in eyes.ask("cm/it", "shutdown", f'{{"before":"{LATER}"}}')["reason"]
