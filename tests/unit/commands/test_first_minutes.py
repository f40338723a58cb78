"""What a new user is told who has no house yet, or one in which nothing runs."""

import sys
from pathlib import Path

import pytest

from bootstrap.config import loader
from penates.__main__ import main
from penates.cli import COMMANDS

BEGIN = "`penates init` begins"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without a house, on a machine without one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loader, "DEFAULT_FOLDERS", (tmp_path / "etc", Path("config")))
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    return tmp_path


@pytest.mark.parametrize(
    "words",
    ["check", "run x", "status", "doctor", "new door x pin=17", "supervisor", "start", "history x", "adopt", "reload"],
)
def test_without_a_house_every_command_names_init(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.split()) == 78
    assert BEGIN in capsys.readouterr().err


def test_without_a_house_the_broker_is_looked_for_here(capsys: pytest.CaptureFixture[str]) -> None:
    main(["unknown"])
    assert BEGIN in capsys.readouterr().err
    main(["unknown", "--broker", "127.0.0.1:1"])
    assert BEGIN not in capsys.readouterr().err


def test_without_a_word_the_first_commands_are_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["penates"])
    with pytest.raises(SystemExit) as ended:
        main([])
    named = [row.split()[1] for row in capsys.readouterr().err.splitlines() if row.startswith("  penates ")]
    assert (ended.value.code, named[:2]) == (2, ["demo", "init"])
    assert {*named} - {"--help"} <= {*COMMANDS}


def test_a_house_in_which_nothing_runs_says_how_to_start(capsys: pytest.CaptureFixture[str]) -> None:
    main(["init", "--no-scan", "--broker", "127.0.0.1:1"])
    capsys.readouterr()
    assert (main(["check"]), main(["status"]), main(["history", "pi"])) == (0, 1, 1)
    said = capsys.readouterr().err
    assert "`penates start` starts one" in said
    assert "a recorder makes it when it first runs" in said
    for file in Path("config/devices").iterdir():
        file.unlink()
    assert (main(["check"]), main(["supervisor"])) == (78, 78)
    assert capsys.readouterr().err.count("`penates scan` shows what is connected") == 2
