"""Files that are known before they are written."""

import dataclasses
import grp
import os
import pwd
from pathlib import Path

import pytest

from penates.files.planned_file import Planned

ME, MINE = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name


def planned(path: Path, content: bytes | None = b"new", mode: int = 0o640) -> Planned:
    return Planned(path, content, mode, ME, MINE)


def test_it_says_what_is_to_be_done_and_then_nothing(tmp_path: Path) -> None:
    file = planned(tmp_path / "file")
    assert file.differs == "new"
    file.write()
    assert file.differs == ""
    file.path.write_bytes(b"old")
    assert file.differs == "changed"
    file.write()
    file.path.chmod(0o644)
    assert file.differs == "mode or owner"
    file.write()
    assert file.differs == ""
    assert file.path.read_bytes() == b"new"


def test_a_folder_likewise(tmp_path: Path) -> None:
    folder = planned(tmp_path / "one" / "two", None, 0o750)
    assert folder.differs == "new"
    folder.write()
    assert folder.differs == ""
    folder.path.chmod(0o755)
    assert folder.differs == "mode or owner"
    folder.write()
    assert folder.differs == ""


def test_what_is_below_a_file_is_new(tmp_path: Path) -> None:
    planned(tmp_path / "file").write()
    assert planned(tmp_path / "file" / "below").differs == "new"


def test_a_reader_sees_the_old_or_the_new(tmp_path: Path) -> None:
    """It is replaced as a whole: who has it open reads on in the old one."""
    file = planned(tmp_path / "file", b"old")
    file.write()
    with file.path.open("rb") as reader:
        dataclasses.replace(file, content=b"new").write()
        assert reader.read() == b"old"
    assert file.path.read_bytes() == b"new"


def test_what_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    planned(tmp_path / "file", b"old").write()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        planned(tmp_path / "file").write()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_an_owner_who_is_not_there_is_named(tmp_path: Path) -> None:
    file = dataclasses.replace(planned(tmp_path / "file"), group="nobodys-group")
    with pytest.raises(LookupError, match="there is no group nobodys-group"):
        file.write()
    planned(tmp_path / "file").write()
    assert file.differs == "mode or owner"
    with pytest.raises(LookupError, match="there is no user nobody-at-all"):
        dataclasses.replace(file, owner="nobody-at-all").write()


def test_what_not_all_may_read_is_not_shown() -> None:
    assert Planned(Path("/a"), b"", 0o640).secret
    assert not Planned(Path("/a"), b"").secret
    assert "hush" not in repr(Planned(Path("/a"), b"hush", 0o600))
