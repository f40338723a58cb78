"""Home Assistant itself, in a Python of its own that has its package: `scripts/test` makes that."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from support.paths import ROOT, SUPPORT
from support.world import PATIENCE_S, pipe

VENV = Path(os.environ.get("HOME_ASSISTANT", ROOT / ".homeassistant"))
PYTHON = VENV / "bin" / "python"
SCRIPTS = SUPPORT / "home_assistant"
LOOK_S = 0.1


def python() -> Path:
    """The Python that has it."""
    assert PYTHON.exists(), "Home Assistant is not installed; run scripts/test, which installs it into .homeassistant"
    return PYTHON


def too_old() -> bool:
    """Whether it does not know the device's form of discovery: that takes 2024.12, which takes Python 3.12."""
    return PYTHON.exists() and not [*VENV.glob("lib/python3.1[2-9]")]


def judge(announcements: list[dict[str, Any]]) -> list[list[str]]:
    """What Home Assistant's own schemas find wrong with each."""
    command = [python(), SCRIPTS / "schema.py"]
    told = json.dumps(announcements)
    found = subprocess.run(command, input=told, capture_output=True, text=True, check=True).stdout
    faults: list[list[str]] = json.loads(found)
    return faults


class Assistant:
    """One that runs, and is asked by lines of JSON (see live.py)."""

    def __init__(self, folder: Path, port: int, *more: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        command: list[str | Path] = [python(), SCRIPTS / "live.py", folder, str(port), *more]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._heard() == "ready", self.log()

    def _heard(self) -> Any:
        line = pipe(self.process.stdout).readline()
        assert line, self.log()
        return json.loads(line)

    def ask(self, do: str, **more: Any) -> Any:
        pipe(self.process.stdin).write(json.dumps({"do": do, **more}) + "\n")
        pipe(self.process.stdin).flush()
        return self._heard()

    def on_socket(self, asked: str, **more: Any) -> Any:
        """What its websocket answers to a page."""
        answer = self.ask("socket", type=asked, **more)
        assert answer["success"], answer
        return answer["result"]

    def log(self) -> str:
        return (self.folder / "home-assistant.log").read_text()

    def complaints(self) -> list[str]:
        """Of what it hears; not of how we started it, nor of a topic that it has cleared itself."""
        heads = tuple(
            f"{level} homeassistant.{who}" for level in ("WARNING", "ERROR") for who in ("components", "util")
        )
        lines = [line for line in self.log().splitlines() if line.startswith(heads)]
        return [line for line in lines if "No device components to cleanup" not in line]

    def until(self, true: Callable[[dict[str, dict[str, Any]]], Any], what: str) -> Any:
        """Until something is true of the entities, which are known by their unique ids without `penates/`."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = {unique.removeprefix("penates/"): entity for unique, entity in self.ask("entities").items()}
            if result := true(found):
                return result
            states = {unique: entity["state"] for unique, entity in found.items() if not entity["disabled"]}
            assert time.monotonic() < deadline, f"not seen: {what}; {states}\n{self.log()[-2000:]}"
            time.sleep(LOOK_S)

    def wait(self, unique: str, state: str | None) -> dict[str, Any]:
        """Until an entity has this state; None: there is no such entity any more."""
        is_so = lambda found: (found.get(unique) or {}).get("state") == state and found  # noqa: E731
        found: dict[str, dict[str, Any]] = self.until(is_so, f"{unique} is {state}")
        return found.get(unique, {})

    def stop(self) -> None:
        """In order."""
        assert self.ask("stop") == "stopped"
        self.close()

    def close(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)
        pipe(self.process.stdin).close()
        pipe(self.process.stdout).close()


Start: TypeAlias = Callable[..., Assistant]
