"""Restarting and shutting down: a sandboxed unit asks, and a real systemd does it to a machine of its own."""

from pathlib import Path
from signal import SIGHUP, SIGINT
from typing import Any

import pytest

from bootstrap.device import this_host
from bootstrap.errors import Refused
from bootstrap.homeassistant.controls import control
from bootstrap.machine.power import request, waiting_unit
from bootstrap.needs import PowerSwitch, needs_of
from bootstrap.package_data import folder
from daemons.pi import Pi
from penates.installer.unit_files import POWER
from penates.testing import Bench
from support.booted import booted, sandboxed

ASKS = """\
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'test "$(id -u)" != 0 && exec touch power-{word}'
"""


def units(word: str) -> dict[str, str]:
    """Those that are shipped, and one that asks, in the sandbox of a sensor."""
    shipped = {name: (folder("systemd") / name).read_text() for name in POWER}
    return {**shipped, "asks.service": ASKS.format(word=word), **sandboxed("asks.service")}


@pytest.mark.parametrize(("word", "how"), [("reboot", SIGHUP), ("shutdown", SIGINT)])
def test_a_sandboxed_unit_has_it_done(tmp_path: Path, word: str, how: int) -> None:
    with booted(tmp_path, units(word), [waiting_unit(word)]) as machine:
        assert machine.says("systemctl", "is-active", waiting_unit(word)) == "active"
        machine.says("systemctl", "start", "--no-block", "asks.service")
        assert machine.end() == how


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of requests on a machine where systemd waits for the one to restart."""
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    (tmp_path / "wants").mkdir()
    (tmp_path / "wants" / waiting_unit("reboot")).symlink_to("/lib/systemd/system/penates-power@.path")
    return tmp_path


def test_a_request_names_the_machine(asked: Path) -> None:
    others: tuple[Any, ...] = ("now", "", None, 1, True, {"host": this_host()}, f"{this_host()}2")
    for wrong in others:
        with pytest.raises(Refused, match=f"send the name of this machine, {this_host()}, so that no other one is"):
            request("reboot", wrong, asked / "wants")
    assert not [*asked.glob("power-*")]
    request("reboot", this_host(), asked / "wants")
    assert [file.name for file in asked.glob("power-*")] == ["power-reboot"]


def test_nothing_is_left_where_nobody_waits(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or else it would be carried out once somebody does."""
    with pytest.raises(Refused, match="systemd does not wait for it on this machine: sudo penates install"):
        request("shutdown", this_host(), asked / "wants")
    monkeypatch.delenv("RUNTIME_DIRECTORY")
    with pytest.raises(Refused, match="systemd does not wait for it"):
        request("reboot", this_host(), asked / "wants")
    assert not [*asked.glob("power-*")]


def test_what_is_not_allowed_is_no_command() -> None:
    assert {*Pi().actions()} == set()
    device = Pi(allow=["reboot"])
    assert [need for _, need in needs_of(device)] == [PowerSwitch("reboot")]
    assert {*device.actions()} == {"reboot"}
    assert device.commands["reboot"].facts == {"words": [this_host()], "expires": True}
    with Bench(device) as bench, pytest.raises(Refused, match=f"send one of {this_host()}"):
        bench.act("reboot", "now")


def test_home_assistant_has_a_button_that_says_until_when() -> None:
    head = {"name": "Reboot", "cmd_t": "cm/attic/action/reboot"}
    found = control(head, Pi(allow=["reboot"]).commands["reboot"].facts, {}, {})
    assert (found["p"], found["name"], found["pl_prs"]) == ("button", "Reboot", this_host())
    assert '"before"' in found["cmd_tpl"]
