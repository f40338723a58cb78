"""What a run leaves to the next one."""

from pathlib import Path

import pytest

from bootstrap import sysfs
from bootstrap.runtime.run_record import FILE, AnnouncedTopics, RunRecord


def test_the_next_run_knows_which_one_has_ended_and_where_it_was_announced(tmp_path: Path) -> None:
    first = AnnouncedTopics(tmp_path / "cm.cellar", "one")
    assert (first.last.ended, first.topics) == (None, ())
    first.keep(["ha/device/cm-cellar/config"])
    second = AnnouncedTopics(tmp_path / "cm.cellar", "two")
    assert (second.last.ended, second.topics) == ("one", ("ha/device/cm-cellar/config",))


def test_after_another_start_of_the_machine_nobody_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder may be a copy of one that is in use elsewhere."""
    AnnouncedTopics(tmp_path, "one")
    (tmp_path / "boot_id").write_text("another\n")
    monkeypatch.setattr(sysfs, "BOOT_ID", tmp_path / "boot_id")
    assert RunRecord.read(tmp_path).ended is None
    monkeypatch.setattr(sysfs, "BOOT_ID", tmp_path / "masked")
    AnnouncedTopics(tmp_path, "two")
    assert RunRecord.read(tmp_path).ended is None


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"run":1,"boot":"x","announced":[]}'])
def test_a_damaged_record_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert RunRecord.read(tmp_path) == RunRecord()


def test_a_folder_that_cannot_be_written_to_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    AnnouncedTopics(tmp_path / "file" / "folder", "one").keep(["x"])
