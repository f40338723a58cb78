"""A picture is written as a whole or not at all."""

import os
import resource
import threading
from pathlib import Path

import pytest

from bootstrap.errors import Fatal
from penates.files.saved_picture import save_picture


def test_what_was_there_is_replaced_and_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"before")
    (tmp_path / "link").symlink_to(tmp_path / "old")
    save_picture(tmp_path / "link", b"after")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "old").read_bytes() == b"after"


@pytest.mark.parametrize("before", [None, b"before"])
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, full_disk: tuple[int, int], before: bytes | None) -> None:
    file = tmp_path / "chart.png"
    if before:
        file.write_bytes(before)
    with pytest.raises(Fatal, match=f"{file} cannot be written: File too large"):
        save_picture(file, b"x" * 1000)
    resource.setrlimit(resource.RLIMIT_FSIZE, full_disk)
    assert [one.read_bytes() for one in tmp_path.iterdir()] == ([before] if before else [])


def test_a_pipe_receives_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=save_picture, args=(pipe, b"picture"))
    writer.start()
    assert pipe.read_bytes() == b"picture"
    writer.join()
