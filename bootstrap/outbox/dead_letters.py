"""The file of messages that no broker will ever accept, kept so that a person can look at them."""

import json
import os
from pathlib import Path

from bootstrap.contract import timestamps
from bootstrap.logs import log
from bootstrap.outbox.message import Message
from bootstrap.paths import open_own

FILE = "dead_letters.jsonl"
LIMIT = 1_000_000  # bytes; a larger file replaces the one older file that is kept


class DeadLetters:
    """A file with one JSON object per line: time, topic, reason and payload."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    def add(self, message: Message, reason: str) -> None:
        """Append a message to the file, and log it."""
        payload = message.payload.decode(errors="replace")
        entry = {"time": timestamps.now(), "topic": message.topic, "reason": reason, "payload": payload}
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            if self._file.exists() and self._file.stat().st_size > LIMIT:
                self._file.replace(self._file.with_suffix(".old.jsonl"))
            descriptor = open_own(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            with os.fdopen(descriptor, "a", encoding="utf-8") as file:
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        except OSError as error:
            log.error("a message was refused for good, and lost", topic=message.topic, reason=reason, error=str(error))
        else:
            log.error("a message was refused for good", topic=message.topic, reason=reason, kept_in=str(self._file))
