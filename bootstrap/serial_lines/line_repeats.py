"""Repeats: a remote sends everything several times while a button is down, and each becomes a line."""

from bootstrap.serial_lines.pattern import SaidLine

MOST = 200  # senders that are remembered


class LineRepeats:
    """Knows which lines were said a moment ago."""

    def __init__(self, within_s: float) -> None:
        """Take a line for a repeat that comes again within so many seconds."""
        self._within_s = within_s
        self._last: dict[tuple[object, ...], tuple[str, float]] = {}

    def is_one(self, said: SaidLine, line: str, now: float) -> bool:
        """Return whether a line repeats the last one of this sender and these measures, and remember it.

        An event lasts as long as its repeats do, because a button that is held is pressed once. Values of a sensor are
        new again after a while.
        """
        what = (said.sender, said.pattern, *said.values)
        before, at = self._last.pop(what, ("", 0.0))
        repeated = before == line and now - at <= self._within_s
        if len(self._last) >= MOST:
            del self._last[next(iter(self._last))]
        lasts = all(one.event for one in said.measures.values())
        self._last[what] = (line, at if repeated and not lasts else now)
        return repeated
