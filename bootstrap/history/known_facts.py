"""What a recorder knows of sensors by their `about`, kept on disk for the next run."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from bootstrap.contract.topic_filters import WILD, a_filter, covers
from bootstrap.contract.values import members
from bootstrap.paths import read_own, rewrite

ABOUT = "/status/about"
KINDS, ADOPTED = "kinds.json", "adopted.json"  # in a recorder's folder
MOST = 1000  # topics that one sensor may adopt

F = TypeVar("F")


class KnownFacts(Generic[F]):
    """A fact of each sensor, taken from its `about`.

    They are saved on disk: the next run receives again what was stored but not acknowledged, and must make the same of
    it. The broker keeps `about` and readings in order, so each reading is judged by the `about` that it belongs to.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._saved = self._load()
        self.known = dict(self._saved)

    def _load(self) -> dict[str, F]:
        try:
            found = json.loads(read_own(self._file))
        except (OSError, ValueError, RecursionError):
            return {}
        known = found if isinstance(found, dict) else {}
        return {sensor: fact for sensor, told in known.items() if (fact := self.valid(told)) is not None}

    def valid(self, told: object) -> F | None:
        """Return the fact that was told or saved, or None if it is none."""
        raise NotImplementedError

    def update(self, topic: str, payload: bytes) -> None:
        """Note the fact in an `about`."""
        raise NotImplementedError

    def forget(self) -> None:
        """Return to what is saved."""
        self.known = dict(self._saved)

    def save(self) -> None:
        """Write what is known to disk if it has changed.

        Raises:
            OSError: the file cannot be written.
        """
        if self.known == self._saved:
            return
        rewrite(self._file, json.dumps(self.known))
        self._saved = dict(self.known)


class KnownKinds(KnownFacts[str]):
    """The kind of each sensor: each reading gets the kind that made it."""

    def valid(self, told: object) -> str | None:
        """Implement `KnownFacts.valid`."""
        return told if isinstance(told, str) else None

    def update(self, topic: str, payload: bytes) -> None:
        """Note the kind in an `about`; if it contains none, the known kind is kept."""
        kind = members(payload).get("kind")
        if isinstance(kind, str) and kind.isprintable() and "\\" not in kind:
            self.known[topic.removesuffix(ABOUT)] = kind


class AdoptedTopics(KnownFacts[list[str]]):
    """The topics of others that sensors of ours stand for: what comes there is recorded as theirs, and not twice."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self._sort()

    def valid(self, told: object) -> list[str] | None:
        """Implement `KnownFacts.valid`."""
        if not isinstance(told, list) or len(told) > MOST:
            return None
        return [one for one in told if isinstance(one, str) and _is_filter(one)]

    def update(self, topic: str, payload: bytes) -> None:
        """Note which topics a sensor stands for; one whose `about` names none, or is cleared, stands for none."""
        adopts = members(payload).get("adopts") if payload else None
        topics = self.valid(adopts.get("topics")) if isinstance(adopts, Mapping) else None
        before = self.known.pop(topic.removesuffix(ABOUT), None)
        if topics:
            self.known[topic.removesuffix(ABOUT)] = topics
        if before != topics:
            self._sort()

    def forget(self) -> None:
        """Return to what is saved."""
        super().forget()
        self._sort()

    def _sort(self) -> None:
        found = [*self._all()]
        self._topics = {one for one in found if not WILD & {*one}}
        self._filters = [one for one in found if WILD & {*one}]

    def _all(self) -> Iterator[str]:
        for topics in self.known.values():
            yield from topics

    def __contains__(self, topic: str) -> bool:
        """Return whether a sensor stands for a topic."""
        return topic in self._topics or any(covers(one, topic) for one in self._filters)


def _is_filter(text: str) -> bool:
    try:
        a_filter(text)
    except ValueError:
        return False
    return bool(text)
