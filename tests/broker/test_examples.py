"""The examples of the pages for authors, typed by a reader who copies each block as it is."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.examples import blocks, programs, reader
from support.paths import ROOT
from support.world import PATIENCE_S, Running, free_port

PORT = "18830"  # in the page


class Reader:
    """Somebody with a page and some terminals."""

    def __init__(self, home: Path, env: dict[str, str], folder: Path) -> None:
        self.home, self.env, self.folder = home, env, folder
        self._stack = ExitStack()

    def types(self, text: str) -> str:
        """Type a block, wait for its end, and return what it prints."""
        done = subprocess.run(
            ["bash", "-e", "-c", text],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def starts(self, text: str) -> Running:
        """Type a block that goes on, in a terminal of its own. The last command takes the place of the shell."""
        before, _, last = text.rstrip().rpartition("\n")
        words = last.split()
        count = next(number for number, word in enumerate(words) if "=" not in word)
        command = " ".join([*words[:count], "exec", *words[count:]])
        running = Running(["bash", "-e", "-c", f"{before}\n{command} >&2"], self.env, self.folder)
        self._stack.callback(running.close)
        return running

    def leaves(self) -> None:
        self._stack.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Reader]:
    """A reader of OWN_DEVICE.md."""
    programs(tmp_path / "bin")
    found = Reader(tmp_path, reader(tmp_path, tmp_path / "bin"), tmp_path)
    yield found
    found.leaves()


def test_a_device_of_your_own_works_at_the_first_try(own: Reader) -> None:
    port = str(free_port())
    texts = [text.replace(PORT, port) for text in blocks("docs/OWN_DEVICE.md", "sh")]
    house, mine, look, test, broker, eyes, run, rain = texts
    own.types(house)
    own.folder = own.home / "try"
    own.types(mine)
    assert "Where" not in own.types(look)
    assert own.types(test).splitlines()[-1] == "OK"
    own.starts(broker).wait_log("mosquitto version")
    seen, sensor = own.starts(eyes), own.starts(run)
    sensor.wait_log("connected")
    seen.wait_log("cm/roof/data/rain 0.0")
    own.types(rain)
    seen.wait_log("cm/roof/data/rain 0.2794")
    assert sensor.stop(signal.SIGINT) == 0
    own.starts(run).wait_log("connected")
    own.types(rain)
    seen.wait_log("cm/roof/data/rain 0.5588")


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Reader]:
    """A reader of ADDING.md, with a repository of their own."""
    root = tmp_path / "penates"
    for name in ("bootstrap", "daemons", "penates", "config", "scripts", "docs", "tests", "mosquitto", "systemd"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    programs(root / ".venv" / "bin", root)
    found = Reader(tmp_path, reader(tmp_path, root / ".venv" / "bin"), root)
    yield found
    found.leaves()


@pytest.mark.exact  # the code that runs is the copy, of which no coverage is wanted
def test_adding_a_kind_ends_in_a_green_test(copy: Reader) -> None:
    before, device, sample, test, generate, _by_hand = blocks("docs/ADDING.md", "sh")
    assert before == "scripts/test\n"  # which would run this test
    for text in (device, sample, test):
        copy.types(text)
    *scripts, check, run = generate.splitlines()
    assert (check, run.partition(" ")[0]) == ("scripts/check", "scripts/test")  # they make a venv
    copy.types("\n".join(scripts))
    tests = [*run.split()[1:], "tests/unit/test_rules.py", "tests/unit/daemons/test_contract.py"]
    assert " passed" in copy.types(f"python -m pytest -q -p no:cacheprovider {' '.join(tests)}")
    assert "| `tilt` | A ball switch" in (copy.folder / "README.md").read_text()
