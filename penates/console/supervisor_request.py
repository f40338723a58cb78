"""Sending a request to the supervisor of a house, and printing its reply."""

import argparse
from collections.abc import Collection
from pathlib import Path

from bootstrap.config.loader import HOUSE, folder_or_default, state_of
from bootstrap.config.toml_file import SettingsError, TomlFile
from bootstrap.paths import Folders
from bootstrap.supervisor.control_socket import ControlMessage, NotRunning, ask
from penates.console.output import show

PATIENCE_S = 45.0  # longer than the longest stop


def control_request(do: str, folder: Path, names: Collection[str] = ()) -> ControlMessage:
    """Return a request to the supervisor of the house in this folder."""
    return {"do": do, "names": [*names], "house": str(folder)}


def request(given: argparse.Namespace, do: str) -> int:
    """Send a request to the supervisor of this house and print its reply. Returns the exit code."""
    folder = folder_or_default(given.config).absolute()
    runtime = Folders.usual(state_of(folder)).runtime  # works with faulty settings, which the supervisor reports
    try:
        answer = ask(runtime, control_request(do, folder, getattr(given, "names", [])), PATIENCE_S)
    except NotRunning:  # perhaps only because `state` cannot be read
        if faults := TomlFile(folder, HOUSE).faults:
            raise SettingsError(faults) from None
        raise
    return show(answer, as_json=given.json, wanted="stopped" if do == "stop" else "online")
