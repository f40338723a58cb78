"""Repeats: a transmitter says everything several times, so that it is heard once."""

from typing import TYPE_CHECKING, Any

from bootstrap.radio.transmission import Transmission

if TYPE_CHECKING:
    from collections.abc import Mapping

WITHIN_S = 2.0  # from one repeat to the next
MOST = 200  # transmitters that are remembered


class Repeats:
    """Knows what was heard in the last moment; a button that is held repeats what it says for as long."""

    def __init__(self) -> None:
        self._last: dict[tuple[object, ...], tuple[float, Mapping[str, Any]]] = {}

    def is_one(self, heard: Transmission) -> bool:
        """Return whether this was said a moment ago, and remember it."""
        who = (heard.model, *heard.key.items())
        at, said = self._last.pop(who, (0.0, {}))
        if len(self._last) >= MOST:
            del self._last[next(iter(self._last))]
        self._last[who] = (heard.at, heard.fields)
        return abs(heard.at - at) <= WITHIN_S and said == heard.fields
