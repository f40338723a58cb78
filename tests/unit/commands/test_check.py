"""`penates check` looks for its configuration where it is run."""

from pathlib import Path

import pytest

from penates.__main__ import main
from support.configuration import CELLAR, HOUSE


def test_no_house_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 78
    (tmp_path / "config" / "devices").mkdir(parents=True)
    (tmp_path / "config" / "house.toml").write_text(HOUSE)
    (tmp_path / "config" / "devices" / "cellar.toml").write_text(CELLAR)
    assert main(["check"]) == 0
