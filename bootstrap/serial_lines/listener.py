"""What becomes of each line: a reading of an adopted sensor, an entry in the list of unknown ones, or a count."""

import errno
import re
import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from bootstrap.contract.liveness import stale_s
from bootstrap.device import Measure, Reading
from bootstrap.gateway import Gateway
from bootstrap.logs import log
from bootstrap.serial_lines.line_repeats import LineRepeats
from bootstrap.serial_lines.line_sensor import LineSensor
from bootstrap.serial_lines.pattern import LinePattern, SaidLine, SenderId
from bootstrap.streams import Serial

MOST = 50  # senders that nobody has adopted and that are remembered
SHAPES = 20  # kinds of lines without a pattern that are logged
ENOUGH = 5  # lines in a row without a pattern that are a fault
SHOWN = 80  # characters of a line
DIGITS = re.compile(r"\d+")


def measures_of(patterns: Iterable[LinePattern]) -> dict[str, Measure]:
    """Return the measures that lines of these patterns may have values of.

    Raises:
        ValueError: two patterns say different things of one measure.
    """
    found = dict[str, Measure]()
    for pattern in patterns:
        for name, form in pattern.forms.items():
            if found.setdefault(name, form.measure) != form.measure:
                raise ValueError(f"'patterns' say two different things of {name!r}; name one of them otherwise")
    return found


class LineListener:
    """Hears the lines of one port."""

    def __init__(self, gateway: Gateway, port: Serial, patterns: Sequence[LinePattern], repeat_s: float) -> None:
        """Listen for a gateway; a line that comes again within `repeat_s` seconds is a repeat."""
        self._gateway, self._port, self._patterns = gateway, port, patterns
        self.measures = measures_of(patterns)
        self._repeats = LineRepeats(repeat_s)
        self._strangers = dict[SenderId, dict[str, bool]]()  # what was said of those that nobody has adopted
        self._shapes = set[str]()
        self._matched = self._unmatched = self._in_vain = 0  # the last: since one matched
        self._last, self._heard_at = "", time.monotonic()
        self._stream = gateway.lines(port, self._on_line)

    def said_of(self, sender: SenderId) -> Collection[str]:
        """Return the measures that lines gave of a sender before it was adopted."""
        return self._strangers.pop(sender, {}).keys()

    def _on_line(self, line: str) -> None:
        if not line.strip():
            return
        self._heard_at = time.monotonic()
        said = next(filter(None, (one.said(line) for one in self._patterns)), None)
        if said is None:
            self._note_unmatched(line)
            return
        self._in_vain = 0
        if not self._repeats.is_one(said, line, self._heard_at):
            self._matched += 1
            self._hear(said, line)

    def _hear(self, said: SaidLine, line: str) -> None:
        sensor = self._gateway.find(id=said.sender)
        if isinstance(sensor, LineSensor):
            if hasattr(sensor, "said"):  # otherwise its setup has failed, which its own state tells
                self._gateway.publish(sensor, sensor.hear(said, time.time()))
            return
        before = self._strangers.pop(said.sender, {})
        if len(self._strangers) >= MOST:
            del self._strangers[next(iter(self._strangers))]
        self._strangers[said.sender] = {**before, **dict.fromkeys(said.values, True)}
        self._gateway.unknown({"id": said.sender}, line)

    def _note_unmatched(self, line: str) -> None:
        """Count a line without a pattern, and log each kind of such lines once."""
        self._unmatched += 1
        self._in_vain += 1
        self._last = line
        shape = DIGITS.sub("#", line)
        if shape not in self._shapes and len(self._shapes) < SHAPES:
            self._shapes.add(shape)
            more = "" if len(self._shapes) < SHAPES else "; further ones are only counted"
            log.warning(f"a line matches no pattern{more}", line=line[:SHOWN])

    def reading(self) -> Reading:
        """Return how many lines there were.

        Raises:
            OSError: the port is not open, or silent.
        """
        if why := self._stream.problem:
            raise OSError(errno.EIO if Path(self._port.path).exists() else errno.ENODEV, why)
        if (silent_s := time.monotonic() - self._heard_at) > self._patience_s:
            raise OSError(f"no line came for {silent_s:.0f} s, though the port is open")
        vain = f"no line matches a pattern; is `baud` right? The last one: {self._last[:SHOWN]!a}"
        self._gateway.context.set_problem("patterns", vain if self._in_vain >= ENOUGH else None)
        return {"matched": self._matched, "unmatched": self._unmatched}

    @property
    def _patience_s(self) -> float:
        """How long all may be silent: as long as the most frequent of the sensors, but not less than the gateway."""
        sensors = [one for one in self._gateway.sensors.values() if isinstance(one, LineSensor)]
        periods = [one.period_s for one in sensors if not one.is_remote]
        return max(stale_s(min(periods, default=float("inf"))), stale_s(self._gateway.every_s))
