"""Repeats: a transmitter says everything several times, so that it is heard once."""

from bootstrap.radio.transmission import Transmission

WITHIN_S, PRESS_WITHIN_S = 2.0, 0.5  # from one repeat to the next; a button may soon be pressed again
MOST = 200  # transmitters that are remembered


class Repeats:
    """Knows what was heard in the last moment; a button that is held repeats what it says for as long."""

    def __init__(self) -> None:
        self._last: dict[tuple[object, ...], Transmission] = {}

    def is_one(self, heard: Transmission) -> bool:
        """Return whether this was said a moment ago, and remember it."""
        who = (heard.model, *heard.key.items())
        before = self._last.pop(who, None)
        if len(self._last) >= MOST:
            del self._last[next(iter(self._last))]
        self._last[who] = heard
        within_s = PRESS_WITHIN_S if heard.press else WITHIN_S
        said = (heard.fields, heard.press)
        return before is not None and abs(heard.at - before.at) <= within_s and (before.fields, before.press) == said
