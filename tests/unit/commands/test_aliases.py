"""The names that commands had in version 0.1, which still work."""

import pytest

from penates.__main__ import main
from penates.cli import ALIASES


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(("old", "new"), [("line", "gpio"), ("nursery", "supervisor")])
def test_an_old_name_is_the_command_itself(old: str, new: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert old in ALIASES
    assert help_of(old, capsys) == help_of(new, capsys) != ""


def test_the_installer_takes_the_old_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--nursery" in help_of("install", capsys)
