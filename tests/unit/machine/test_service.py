"""A unit of systemd, asked by the real systemctl; where no systemd runs, that is what is told."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.machine.systemd_unit import a_unit
from daemons.service import Service
from penates.testing import Bench
from support.booted import BUS, booted, sandboxed
from support.world import eventually

# As systemctl 252 of Debian 12 prints it.
FAILED = "LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\nNRestarts=5\n"
TIMER = "LoadState=loaded\nActiveState=active\nSubState=waiting\nResult=success\n"
PLAIN = "[Unit]\nDefaultDependencies=no\n"
GONE = "LoadState=not-found\nActiveState=inactive\nSubState=dead\n"


@pytest.fixture
def prints(tmp_path: Path) -> Callable[[str], str]:
    """Return a program that prints this, and keeps what it was asked."""

    def write(text: str) -> str:
        file = tmp_path / "systemctl"
        file.write_text(f"#!/bin/sh\necho \"$*\" >{tmp_path}/asked\ncat <<'END'\n{text}END\n")
        file.chmod(0o755)
        return str(file)

    return write


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        (
            FAILED,
            {"state": "failed", "running": False, "detail": "failed", "result": "exit-code", "restarts": 5},
        ),
        (TIMER, {"state": "active", "running": True, "detail": "waiting", "result": "success"}),
    ],
)
def test_how_a_unit_is(prints: Callable[[str], str], tmp_path: Path, text: str, reading: dict[str, object]) -> None:
    with Bench(Service(unit="mosquitto", systemctl=prints(text))) as bench:
        assert bench.read() == reading
    asked = (tmp_path / "asked").read_text()
    assert asked == "show --no-pager --property=LoadState,ActiveState,SubState,Result,NRestarts -- mosquitto.service\n"


@pytest.mark.parametrize(
    ("loaded", "why"),
    [
        ("not-found", r"systemd has no unit nothing\.timer: it is not-found"),
        ("masked", r"nothing\.timer is masked, so that nobody can start it: sudo systemctl unmask nothing\.timer"),
        ("bad-setting", r"systemd cannot load nothing\.timer: it is bad-setting"),
    ],
)
def test_a_unit_that_is_not_there(prints: Callable[[str], str], loaded: str, why: str) -> None:
    device = Service(unit="nothing.timer", systemctl=prints(GONE.replace("not-found", loaded)))
    with Bench(device), pytest.raises(ValueError, match=why):
        device.read()


def test_services_of_a_real_systemd(tmp_path: Path) -> None:
    failing = "StartLimitBurst=3\n[Service]\nExecStart=/bin/sh -c 'exit 3'\nRestart=on-failure\nRestartSec=0\n"
    units = {
        "good.service": f"{PLAIN}[Service]\nExecStart=/bin/sleep 1000\n",
        "bad.service": f"{PLAIN}{failing}",
        "late.timer": f"{PLAIN}[Timer]\nOnActiveSec=1h\nUnit=good.service\n",
    }
    with booted(tmp_path, units, [*units]) as machine:
        asks = tmp_path / "systemctl"
        asks.write_text(f'#!/bin/sh\nexec {shlex.join(machine.entered("systemctl"))} "$@"\n')
        asks.chmod(0o755)

        def read(unit: str) -> dict[str, object]:
            with Bench(Service(unit=unit, systemctl=str(asks))) as bench:
                return dict(bench.read())

        eventually(lambda: read("bad")["state"] == "failed", "it has failed for good")
        good = {"state": "active", "running": True, "detail": "running", "result": "success", "restarts": 0}
        assert read("good") == good
        bad = {"state": "failed", "running": False, "detail": "failed", "result": "exit-code", "restarts": 3}
        assert read("bad") == bad
        assert read("late.timer") == {"state": "active", "running": True, "detail": "waiting", "result": "success"}
        machine.says("systemctl", "kill", "--signal=KILL", "good")
        eventually(lambda: read("good")["result"] == "signal", "it was killed")
        assert read("good")["state"] == "failed"
        with pytest.raises(ValueError, match="systemd has no unit nothing"):
            read("nothing")


ASKS = """\
[Unit]
DefaultDependencies=no
After=dbus.service good.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'test "$(id -u)" != 0 && systemctl show --property=ActiveState -- good.service >said'
"""


def test_who_is_not_root_may_ask_from_the_sandbox(tmp_path: Path) -> None:
    good = {"good.service": f"{PLAIN}[Service]\nExecStart=/bin/sleep 1000\n"}
    units = {**BUS, **good, "asks.service": ASKS, **sandboxed("asks.service")}
    with booted(tmp_path, units, ["dbus.service", "good.service", "asks.service"]) as machine:
        eventually(lambda: machine.says("systemctl", "is-active", "asks.service") == "active", "it has asked")
        assert machine.says("cat", "/run/penates/said") == "ActiveState=active"


def test_the_real_systemctl_understands_the_question() -> None:
    """It complains of nothing but that no systemd runs, or tells how a unit is that every machine has."""
    device = Service(unit="basic.target")
    with Bench(device):
        if Path("/run/systemd/system").exists():
            assert device.read()["state"] == "active"
        else:
            with pytest.raises(OSError, match=r"systemctl ended with exit code 1: .*(systemd|bus)"):
                device.read()


@pytest.mark.parametrize("text", ["", "--all", "a b", "a/b", "x" * 300])
def test_what_is_no_unit(text: str) -> None:
    with pytest.raises(ValueError, match="the name of a systemd unit"):
        a_unit(text)
