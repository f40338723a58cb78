"""Asking the supervisor of a house for something, and showing its answer."""

import argparse
from collections.abc import Collection
from pathlib import Path

from bootstrap.config.loader import folder_or_default, state_of
from bootstrap.paths import Folders
from bootstrap.supervisor.control_socket import ControlMessage, ask
from penates.console.output import show

PATIENCE_S = 45.0  # the longest stop, and more


def question(do: str, folder: Path, names: Collection[str] = ()) -> ControlMessage:
    """What is asked of the supervisor of the house in this folder."""
    return {"do": do, "names": [*names], "house": str(folder)}


def request(given: argparse.Namespace, do: str) -> int:
    """Have the supervisor of this house do something, and show what came of it. Returns the exit code."""
    folder = folder_or_default(given.config).absolute()
    runtime = Folders.usual(state_of(folder)).runtime  # however faulty the rest is: the supervisor says what
    answer = ask(runtime, question(do, folder, getattr(given, "names", [])), PATIENCE_S)
    return show(answer, as_json=given.json, wanted="stopped" if do == "stop" else "online")
