"""`penates status` of units, whose systemctl is a stand-in here."""

import json
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import UTC, datetime
from io import StringIO

import pytest

from bootstrap.config.model import SensorSettings
from bootstrap.contract import timestamps
from penates.__main__ import main
from penates.commands import status
from penates.console.output import show
from support.world import House

# Who looks after them.


@pytest.mark.parametrize(
    ("state", "said", "error"),
    [
        (("active", "running", 0), "online", ""),
        (("failed", "failed", 0), "failed", "it exited with 78: journalctl -u penates@cellar.service -n 20"),
        (("activating", "auto-restart", 2), "waiting", "it exited with 78: journalctl -u penates@cellar.service -n 20"),
        (("inactive", "dead", 0), "stopped", ""),
    ],
)
def test_status_of_units(
    systemctl: Callable[..., None], at_home: House, state: tuple[str, str, int], said: str, error: str
) -> None:
    systemctl(*state)
    with redirect_stdout(StringIO()) as told:
        code = main(["status", "--json", "--config", str(at_home.folder)])
    (row,) = json.loads(told.getvalue())["sensors"]
    assert (row["name"], row["sensor"], row["state"], row["error"]) == ("cellar", "cm/cellar", said, error)
    assert (row["pid"], row["restarts"]) == (None, state[2])
    assert 60 <= (datetime.now(UTC) - timestamps.parse(row["since"])).total_seconds() < 75
    assert code == (0 if said == "online" else 1)


def test_status_of_a_device_without_a_unit(systemctl: Callable[..., None], at_home: House) -> None:
    systemctl("active", "running")
    at_home.device("new", 'kind = "door"\npin = 4\n')
    with redirect_stdout(StringIO()) as told:
        assert main(["status", "--config", str(at_home.folder)]) == 1
    assert "  last error: it has no unit yet: sudo penates install\n" in told.getvalue()


@pytest.fixture
def at_home(cellar_settings: SensorSettings, house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """This house is the one that is installed."""
    assert cellar_settings.folder == house.folder
    monkeypatch.setattr(status, "HOUSE", house.folder)
    return house


def test_what_a_device_says_cannot_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    odd = "\x1b]0;mine\x07\u202e\x9b"
    row = {"name": odd, "sensor": odd, "state": "fault", "since": timestamps.now(), "pid": 1, "restarts": 0}
    show({"sensors": [{**row, "status": f"fault; {odd}", "error": f"it\n{odd}"}], "removed": [odd]}, as_json=False)
    show({"error": odd, "exit": 1}, as_json=False)
    said = capsys.readouterr()
    assert "last error: it" in said.out
    assert not {"\x1b", "\x07", "\u202e", "\x9b"} & {*said.out, *said.err}
    assert said.out.count("\n") == 4
