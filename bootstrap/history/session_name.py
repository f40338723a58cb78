"""The client id of a recorder's session at the broker: nobody else may know it, or they could take the session over.

A broker gives a session, and what waits in it, to whoever connects with its client id. What the thief may not read is
discarded, and the publishers have been told that it was delivered.
"""

import json
import os
import secrets
import time
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path

from bootstrap.logs import log

SECRET_BYTES = 16
AGAIN_S = 60.0  # until another attempt to empty the earlier session


class SessionStep(Enum):
    """What to connect for."""

    SUBSCRIBE = auto()  # so that nothing is missed while the earlier session is emptied
    EMPTY = auto()
    END = auto()
    LATER = auto()  # receive as usual, and empty the earlier session after a while
    DONE = auto()


class SessionName:
    """The client id, kept in a file, and how far the session of an earlier version has been replaced.

    Until version 0.2 the client id was one that anybody could guess. What waits in that session is stored once.
    """

    def __init__(self, file: Path | None, guessable: str) -> None:
        """Read the id from `file`, or make one. Without a file the id is `guessable`, as it was in 0.2.

        Raises:
            OSError: the file cannot be read or written: with an id that nobody remembers, readings would be lost.
        """
        self._file, self.guessable = file, guessable
        self._secret, self.step = _read(file) if file else ("", SessionStep.DONE)
        self._again_at = 0.0
        if file and not self._secret:
            self._secret = secrets.token_hex(SECRET_BYTES)
            self._write()

    @property
    def secret(self) -> str:
        """The client id of the session."""
        return f"{self.guessable}-{self._secret}" if self._secret else self.guessable

    @property
    def client_id(self) -> str:
        """The client id to connect with now."""
        return self.guessable if self.step in (SessionStep.EMPTY, SessionStep.END) else self.secret

    @property
    def is_secret(self) -> bool:
        """Whether nobody can guess the client id to connect with now."""
        return self.client_id == self.secret

    def advance(self) -> None:
        """Go on to the next step."""
        self.step = {
            SessionStep.SUBSCRIBE: SessionStep.EMPTY,
            SessionStep.LATER: SessionStep.EMPTY,
            SessionStep.EMPTY: SessionStep.END,
        }.get(self.step, SessionStep.DONE)
        if self.step is SessionStep.DONE:
            with suppress(OSError):  # the next start will find an earlier session that is empty
                self._write()

    def interrupted(self) -> None:
        """Note that the connection is lost. If it was to the earlier session, that has to wait: new readings come."""
        if self.step in (SessionStep.EMPTY, SessionStep.END):
            self.step, self._again_at = SessionStep.LATER, time.monotonic() + AGAIN_S

    @property
    def wait_s(self) -> float | None:
        """Seconds until another attempt to empty the earlier session, or None if none is due."""
        return max(0.0, self._again_at - time.monotonic()) if self.step is SessionStep.LATER else None

    def _write(self) -> None:
        """Write the file, readable by its owner only."""
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        new = self._file.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as text:
            json.dump({"secret": self._secret, "earlier_ended": self.step is SessionStep.DONE}, text)
            text.flush()
            os.fsync(text.fileno())
        new.replace(self._file)


def _read(file: Path) -> tuple[str, SessionStep]:
    """Return the secret in the file, empty if there is none, and the first step."""
    try:
        match json.loads(file.read_text(encoding="utf-8")):
            case {"secret": str(secret), "earlier_ended": bool(ended)} if len(secret) == 2 * SECRET_BYTES:
                return secret, SessionStep.DONE if ended else SessionStep.SUBSCRIBE
    except FileNotFoundError:
        log.info("a new session at the broker begins; whatever waits in another one stays there", file=str(file))
        return "", SessionStep.SUBSCRIBE
    except (ValueError, RecursionError):
        pass
    log.error("the name of the session at the broker is lost; what waits in that session stays there", file=str(file))
    return "", SessionStep.SUBSCRIBE
