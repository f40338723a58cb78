"""The folder in which a sensor keeps what the broker has not acknowledged."""

from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from bootstrap.contract.topics import Topics

OUTBOX = "outbox"
OLD_OUTBOX = "history"  # the name up to version 0.1


@lru_cache(1)  # of one sensor it is needed several times in succession
def outbox_folder(state: Path, topics: Topics) -> Path:
    """Return a sensor's folder below the state folder, whether it exists or not."""
    return state / OUTBOX / topics.file_name


def outboxes(state: Path) -> list[Path]:
    """Return the folders of all sensors that have ever run with this state folder.

    Raises:
        OSError: there are none, or they may not be read.
    """
    return [folder for folder in (state / OUTBOX).iterdir() if folder.is_dir()]


def adopt_older_folder(state: Path, topics: Topics) -> None:
    """Move what version 0.1 left undelivered to the folder that is used now."""
    old, new = state / OLD_OUTBOX / topics.file_name, outbox_folder(state, topics)
    if not old.is_dir() or new.exists():
        return
    with suppress(OSError):  # then it stays where it is
        new.parent.mkdir(parents=True, exist_ok=True)
        old.rename(new)
