"""What version 0.1 left undelivered."""

from pathlib import Path

import pytest

from bootstrap.contract.topics import Topics
from bootstrap.outbox.folder import adopt_older_folder, outbox_folder

CELLAR = Topics("cm", "cellar")


@pytest.fixture
def older(tmp_path: Path) -> Path:
    folder = tmp_path / "history" / "cm.cellar"
    folder.mkdir(parents=True)
    (folder / "0000000001.spill").write_text("old")
    (folder / "refused.jsonl").write_text("{}\n")
    return folder


def test_it_is_moved_as_a_whole_to_where_it_is_looked_for(older: Path, tmp_path: Path) -> None:
    adopt_older_folder(tmp_path, CELLAR)
    new = tmp_path / "outbox" / "cm.cellar"
    assert new == outbox_folder(tmp_path, CELLAR)
    assert sorted(file.name for file in new.iterdir()) == ["0000000001.spill", "refused.jsonl"]
    assert not older.exists()


def test_another_sensors_is_left_where_it_is(older: Path, tmp_path: Path) -> None:
    adopt_older_folder(tmp_path, Topics("cm", "attic"))
    assert older.is_dir()
    assert not (tmp_path / "outbox").exists()


def test_a_folder_that_is_there_already_is_not_replaced(older: Path, tmp_path: Path) -> None:
    new = outbox_folder(tmp_path, CELLAR)
    new.mkdir(parents=True)
    (new / "0000000001.spill").write_text("new")
    adopt_older_folder(tmp_path, CELLAR)
    assert (new / "0000000001.spill").read_text() == "new"
    assert (older / "0000000001.spill").read_text() == "old"


def test_one_that_cannot_be_moved_keeps_nobody_from_starting(older: Path, tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("somebody's file")
    adopt_older_folder(tmp_path, CELLAR)
    assert (older / "0000000001.spill").read_text() == "old"
