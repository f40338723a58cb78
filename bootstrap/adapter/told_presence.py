"""What others say of whether a device is there."""

from bootstrap.contract.heard import SHOWN


class ToldPresence:
    """Why a device is not there, by what is said of it on each topic."""

    def __init__(self) -> None:
        self._gone: dict[str, dict[str, str]] = {}  # by the line and the topic; empty if it is there

    def hear(self, line: str, topic: str, word: str, *, there: bool) -> bool:
        """Take notice of a word on a topic, to which the profile's line is; return whether it was otherwise before."""
        why = "" if there else f"{topic} says {word[:SHOWN]}"
        before = self._gone.setdefault(line, {}).get(topic)
        self._gone[line][topic] = why
        return before != why

    def forget(self, topic: str) -> None:
        """Have nothing count any more of what was said on a topic."""
        for said in self._gone.values():
            said.pop(topic, None)

    @property
    def reasons(self) -> list[str]:
        """Why it is not there: of a filter, all that it matches say so."""
        return [why for said in self._gone.values() if all(said.values()) for why in said.values()]
