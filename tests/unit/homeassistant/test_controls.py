"""Which control Home Assistant is told of for what guards or moves something."""

from typing import Any

import pytest

from bootstrap.contract.payload import Json
from bootstrap.device import Device, Measure, takes
from support.announced import announced
from support.controlled_devices import Blower, Gate, Shutter, Strike, Tap


def told(device: type[Device], *keys: str) -> dict[str, Any]:
    found = announced(device)["cmps"]
    assert found["action_set"]["name"] is None, "it is the device itself"
    return {key: found["action_set"].get(key) for key in keys}


def test_a_lock_is_told_by_the_words_that_it_takes_and_shows() -> None:
    assert told(Strike, "p", "stat_t", "pl_lock", "pl_unlk", "stat_locked", "stat_jam", "opt") == {
        "p": "lock",
        "stat_t": "cm/some/data/state",
        "pl_lock": "lock",
        "pl_unlk": "unlock",
        "stat_locked": "locked",
        "stat_jam": "jammed",
        "opt": None,
    }
    command = told(Strike, "cmd_tpl")["cmd_tpl"]
    assert '"before":' in command
    assert '"id":' in command


def test_a_cover_offers_what_its_action_takes_and_no_more() -> None:
    assert told(Shutter, "p", "dev_cla", "cmd_t", "pl_open", "pl_cls", "pl_stop", "pos_t", "set_pos_t") == {
        "p": "cover",
        "dev_cla": "shutter",
        "cmd_t": "cm/some/action/set",
        "pl_open": "open",
        "pl_cls": "close",
        "pl_stop": "stop",
        "pos_t": "cm/some/data/position",
        "set_pos_t": "cm/some/action/set",
    }
    found = announced(Shutter)["cmps"]
    assert found["data_obstructed"]["dev_cla"] == "problem"
    assert [key for key, one in found.items() if key.startswith("data_") and one.get("en") is False] == [
        "data_state",
        "data_position",
    ], "what the cover shows is not shown twice"


def test_of_a_cover_whose_words_must_expire_those_are_buttons() -> None:
    """Its own would be sent without an expiry, and refused."""
    assert told(Gate, "p", "dev_cla", "cmd_t", "pl_open", "pl_cls", "pl_stop", "pos_t", "set_pos_t") == {
        "p": "cover",
        "dev_cla": "gate",
        "cmd_t": None,
        "pl_open": None,
        "pl_cls": None,
        "pl_stop": None,
        "pos_t": "cm/some/data/state",
        "set_pos_t": "cm/some/action/set",
    }
    found = announced(Gate)["cmps"]
    buttons = {key: one for key, one in found.items() if key.startswith("action_set_")}
    assert {key: (one["p"], one["name"], one["pl_prs"]) for key, one in buttons.items()} == {
        "action_set_open": ("button", "Open", "open"),
        "action_set_close": ("button", "Close", "close"),
    }
    assert all('"before":' in one["cmd_tpl"] for one in buttons.values())


def test_a_valve_may_be_a_truth() -> None:
    assert told(Tap, "p", "dev_cla", "pl_open", "pl_cls", "pl_stop", "stat_open", "stat_clsd") == {
        "p": "valve",
        "dev_cla": "water",
        "pl_open": "open",
        "pl_cls": "close",
        "pl_stop": None,
        "stat_open": "true",
        "stat_clsd": "false",
    }
    assert announced(Tap)["cmps"]["data_open"]["dev_cla"] == "opening"


def test_a_fan_has_as_many_speeds_as_steps() -> None:
    assert told(Blower, "p", "pct_cmd_t", "pct_stat_t", "stat_t", "spd_rng_max", "pr_modes", "pr_mode_stat_t") == {
        "p": "fan",
        "pct_cmd_t": "cm/some/action/set",
        "pct_stat_t": "cm/some/data/level",
        "stat_t": "cm/some/data/level",
        "spd_rng_max": 20,
        "pr_modes": ["auto"],
        "pr_mode_stat_t": "cm/some/data/mode",
    }


@pytest.mark.parametrize("device", [Strike, Gate, Tap, Blower])
def test_every_command_says_when_it_is_too_late(device: type[Device]) -> None:
    found = announced(device)["cmps"]
    sent = [one[key] for one in found.values() for key in one if key in ("cmd_tpl", "pct_cmd_tpl", "set_pos_tpl")]
    assert sent
    assert all("utcnow() + timedelta" in template for template in sent)
    assert all("cmd_tpl" in one or "set_pos_tpl" in one for one in found.values() if "cmd_t" in one)


def test_a_button_is_called_as_the_only_word_of_set() -> None:
    class Bell(Device):
        @takes("press")
        def act_set(self, value: Json) -> None: ...

        @takes("now")
        def act_reset(self, value: Json) -> None: ...

    found = announced(Bell)["cmps"]
    assert (found["action_set"]["p"], found["action_set"]["name"]) == ("button", "Press")
    assert (found["action_reset"]["p"], found["action_reset"]["name"]) == ("button", "Reset")


def test_a_switch_does_not_hide_a_word_that_it_cannot_send() -> None:
    """Else a light that was switched in Home Assistant would never follow its hours again."""

    class Shown(Device):
        light = Measure(bool)

        @takes("on", "off", "toggle", "auto", sets="light")
        def act_light(self, value: Json) -> None: ...

    found = announced(Shown)["cmps"]
    assert found["action_light"]["p"] == "switch"
    buttons = {key: one for key, one in found.items() if key.startswith("action_light_")}
    assert {key: (one["p"], one["name"], one["pl_prs"]) for key, one in buttons.items()} == {
        "action_light_auto": ("button", "Light auto", "auto")
    }
    assert '"before":' in buttons["action_light_auto"]["cmd_tpl"]


def test_a_measure_is_not_called_as_what_every_sensor_has() -> None:
    found = announced(Strike, kind="lock")["cmps"]
    assert (found["data_state"]["name"], found["status_state"]["name"]) == ("Lock state", "State")
    names = [one["name"] for one in found.values()]
    assert len({*names}) == len(names)
