"""The filters that a durable session at the broker is subscribed to, remembered from run to run."""

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bootstrap.paths import read_own, rewrite


class SessionMemory:
    """The filters of a durable session, which outlives the process and the configuration that made it."""

    def __init__(self, file: Path | None, wanted: Sequence[str]) -> None:
        """Remember in `file`; if it cannot be written, nothing is remembered."""
        self._file, self._wanted = file, [*wanted]

    def unwanted(self) -> list[str]:
        """Return the filters that an earlier configuration wanted and this one does not."""
        before = self._remembered()
        self._remember([*before, *(one for one in self._wanted if one not in before)])
        return [one for one in before if one not in self._wanted]

    def all(self) -> list[str]:
        """Return the filters wanted by this configuration or an earlier one."""
        return [*dict.fromkeys([*self._remembered(), *self._wanted])]

    def renewed(self) -> None:
        """Note that the session is subscribed to what is wanted now, and to nothing else."""
        self._remember(self._wanted)

    def _remembered(self) -> list[str]:
        with suppress(OSError, ValueError, RecursionError):
            found = json.loads(read_own(self._file)) if self._file else []
            if isinstance(found, list):
                return [one for one in found if isinstance(one, str) and one]
        return []

    def _remember(self, filters: list[str]) -> None:
        if self._file and filters != self._remembered():
            with suppress(OSError):
                rewrite(self._file, json.dumps(filters))
