"""Where a sensor keeps what the broker has not acknowledged."""

from contextlib import suppress
from pathlib import Path

from bootstrap.contract.topics import Topics

OUTBOX = "outbox"
BEFORE = "history"  # as the folder was called up to version 0.1


def outbox_folder(state: Path, topics: Topics) -> Path:
    """Return a sensor's folder below the state folder. It need not exist yet."""
    return state / OUTBOX / topics.file_name


def adopt_older_folder(state: Path, topics: Topics) -> None:
    """Move what version 0.1 left undelivered to where it is looked for now."""
    old, new = state / BEFORE / topics.file_name, outbox_folder(state, topics)
    if not old.is_dir() or new.exists():
        return
    with suppress(OSError):  # it is left where it is
        new.parent.mkdir(parents=True, exist_ok=True)
        old.rename(new)
