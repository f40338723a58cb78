"""A log file that is standard error itself, and never fills the disk."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.logs.rotating_stderr import KEPT, MEGABYTE, RotatingStderr

LIMIT_MB = 0.001


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """Where to log; afterwards standard error is what it was."""
    before = os.dup(2)
    yield tmp_path / "supervisor.log"
    os.dup2(before, 2)
    os.close(before)


def write(number: int) -> None:
    """A file's fill, which begins with its number."""
    os.write(2, f"{number} ".ljust(int(LIMIT_MB * MEGABYTE), "x").encode())


def begins(file: Path) -> dict[str, str]:
    return {one.name: one.read_text().partition(" ")[0] for one in sorted(file.parent.iterdir())}


def test_a_full_file_is_renamed_and_a_new_one_begun(file: Path) -> None:
    log = RotatingStderr(file, LIMIT_MB)
    os.write(2, b"short")
    log.rotate()
    assert [one.name for one in file.parent.iterdir()] == ["supervisor.log"]
    write(1)
    log.rotate()
    os.write(2, b"2 ")
    assert begins(file) == {"supervisor.log": "2", "supervisor.log.1": "short1"}


def test_of_the_older_files_only_some_are_kept(file: Path) -> None:
    log = RotatingStderr(file, LIMIT_MB)
    for number in range(KEPT + 3):
        write(number)
        log.rotate()
    newest = KEPT + 2
    older = {f"supervisor.log.{age}": str(newest - age + 1) for age in range(1, KEPT + 1)}
    assert begins(file) == {"supervisor.log": "", **older}


def test_a_disk_that_refuses_loses_no_line(file: Path) -> None:
    log = RotatingStderr(file, LIMIT_MB)
    write(1)
    file.with_suffix(".new").mkdir()
    log.rotate()
    os.write(2, b"and more")
    assert file.read_text().endswith("and more")


def test_a_link_in_the_place_of_a_new_file_is_removed_and_not_followed(file: Path, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    log = RotatingStderr(file, LIMIT_MB)
    write(1)
    file.with_suffix(".new").symlink_to(tmp_path / "victim")
    log.rotate()
    os.write(2, b"2 ")
    assert begins(file) == {"supervisor.log": "2", "supervisor.log.1": "1", "victim": "precious"}


def test_a_file_that_somebody_has_removed_or_renamed_is_begun_again(file: Path) -> None:
    log = RotatingStderr(file, LIMIT_MB)
    os.write(2, b"1 ")
    file.unlink()
    log.rotate()
    os.write(2, b"2 ")
    file.rename(file.with_name("mine"))
    log.rotate()
    os.write(2, b"3 ")
    assert begins(file) == {"mine": "2", "supervisor.log": "3"}
