"""Deletion and renaming in a history: asking first, and the log of what was done."""

import json
import os
import sys

from bootstrap.contract import timestamps
from bootstrap.errors import Exit, Fatal
from bootstrap.history.sqlite.editor import HistoryEditor
from bootstrap.paths import open_own
from penates.history.recorder_lookup import Recorded

LOG = "history_changes.jsonl"  # in the recorder's folder


def editor(recorded: Recorded, instead: str) -> HistoryEditor:
    """Open the history for changing it. `instead` is what to do where it is in a database.

    Raises:
        Fatal: it is in a database, which cannot be changed from here.
        OSError: there is none, or it cannot be opened.
    """
    settings = recorded.recorder
    if settings.store != "sqlite":
        raise Fatal(Exit.ABSENT, f"the history is in the database at {settings.url}, not in SQLite; {instead}")
    return recorded.open_editor()


def agreed(command: str, question: str, *, yes: bool) -> bool:
    """Return whether the user agrees, on a terminal or with --yes."""
    if yes:
        return True
    if not sys.stdin.isatty():
        print(f"penates {command}: nothing changed: stdin is not a terminal to ask on; use --yes", file=sys.stderr)
        return False
    print(f"{question} [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def logged(recorded: Recorded, command: str, **facts: object) -> None:
    """Add a line to the log of changes, with the time and the user.

    Raises:
        OSError: it cannot be written.
    """
    user = os.environ.get("SUDO_USER") or f"uid {os.getuid()}"
    line = json.dumps({"time": timestamps.now(), "user": user, "command": command, **facts}, ensure_ascii=False)
    with recorded.as_owner():
        file = recorded.folder / LOG
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(open_own(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "a", encoding="utf-8") as stream:
            stream.write(f"{line}\n")
