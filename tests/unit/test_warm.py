"""What takes the place of a fresh interpreter in most tests: when it may, and that nothing stays of it."""

import os
import subprocess
from pathlib import Path

import pytest

from support import warm
from support.world import covered, may_be_forked, python_path

LIKE_IT = {"PYTHONWARNINGS": "error"}


def children() -> list[str]:
    """The processes that this one has started, and those that have ended but nobody has waited for."""
    return [pid for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()]


@pytest.mark.parametrize(
    ("more", "may"),
    [
        ({}, True),
        ({"HOME": "/nowhere"}, True),
        ({"PYTHONWARNINGS": "default"}, False),
        ({"PYTHONPATH": "/nowhere"}, False),
        ({"PYTHONHASHSEED": "1"}, False),
    ],
)
def test_only_what_would_start_alike_is_forked(
    monkeypatch: pytest.MonkeyPatch, more: dict[str, str], *, may: bool
) -> None:
    if not covered():
        monkeypatch.setenv("COVERAGE_PROCESS_CONFIG", "")
    assert may_be_forked({**os.environ, **LIKE_IT, "PYTHONPATH": python_path(), **more}) is may


def test_what_does_not_end_in_time_is_killed_and_waited_for(tmp_path: Path) -> None:
    program = tmp_path / "lasts.py"
    program.write_text("import time\ntime.sleep(600)\n")
    env = {**os.environ, **LIKE_IT}
    (tmp_path / "ends.py").touch()
    assert warm.run([str(tmp_path / "ends.py")], env, warm.PATIENCE_S).returncode == 0
    before = children()
    with pytest.raises(subprocess.TimeoutExpired):
        warm.run([str(program)], env, 0.0)
    assert children() == before
